"""Ensemble, variants, settings and health: what is changed is what the settings then say, and no secret is shown."""

from __future__ import annotations

import base64
import gzip
import io
import json
import threading
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
import tomli
from msgspec.structs import replace

from codeens import Session
from codeens_server.doctor import checks
from codeens_server.run.events import CandidateGenerated
from tests.server import facts
from tests.server.dashboard.conftest import KEY

pytestmark = pytest.mark.anyio
HOSTILE = "<script>alert(1)</script>\x1b[31m\u202eevil\"'>"
MODEL = "openai/gpt-small"
MANIFEST = """name = "brief"
description = "Short code."
prompt = "Write it short: {function} {context}"
temperature = 0.2
rewrites = ["ruff:SIM"]
"""


def user_file(folder: Path) -> Path:
    return folder / "config" / "codeens" / "codeens.toml"


async def told(client: httpx.AsyncClient, method: str, path: str, body: object = None, *, status: int = 200) -> Any:
    answer = await client.request(method, path, content=json.dumps(body).encode() if body is not None else None)
    assert answer.status_code == status, answer.text
    return answer.json()


async def answered_by(session: Session, model: str, variant: str, folder: Path, run_id: str) -> None:
    """Keep a run that this model won with this variant."""
    target = facts.target_in(folder)
    events = [
        replace(event, candidate=replace(event.candidate, model=model, variant=variant))
        if isinstance(event, CandidateGenerated)
        else event
        for event in facts.found(target, run_id)
    ]
    store = await session.opened_store()
    state = await facts.keep(store, events)
    await facts.add(store, state, facts.finished(run_id, target))


async def test_one_call_makes_a_model_with_a_variant_the_default_and_one_takes_it_back(
    client: httpx.AsyncClient, session: Session, tmp_path: Path
) -> None:
    await answered_by(session, MODEL, "performance", tmp_path, "20260103-cccccc")
    user_file(tmp_path).parent.mkdir(parents=True)
    user_file(tmp_path).write_text('variants = ["baseline"] # mine\n', encoding="utf-8")

    kept = await told(client, "PUT", "/api/ensemble", {"model": MODEL, "variant": "performance"})
    page = (await client.get("/ensemble")).text
    chosen = session.settings()
    undone = await told(client, "DELETE", "/api/ensemble")

    assert (kept["path"], kept["overruled_by"]) == (str(user_file(tmp_path)), "")
    assert (chosen.default_models, chosen.variants) == ((MODEL,), ("performance",))
    assert '<span class="badge">default</span>' in page
    assert undone["variants"] == ["baseline"]
    assert tomli.loads(user_file(tmp_path).read_text(encoding="utf-8")) == {"variants": ["baseline"]}


async def test_standings_are_of_the_workspaces_code_or_of_all(
    client: httpx.AsyncClient, session: Session, tmp_path: Path
) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "pyproject.toml").write_text("", encoding="utf-8")
    (tmp_path / "here").mkdir()
    session.workspace = tmp_path / "here"
    (tmp_path / "here" / "pyproject.toml").write_text("", encoding="utf-8")
    await answered_by(session, MODEL, "performance", tmp_path / "here", "20260103-cccccc")
    await answered_by(session, "openai/gpt-other", "performance", other, "20260104-dddddd")

    here = await told(client, "GET", "/api/ensemble")
    everywhere = await told(client, "GET", "/api/ensemble?everywhere=true")

    assert [standing["line"]["model"] for standing in here["standings"]] == [MODEL]
    assert len(everywhere["standings"]) == 3
    assert not here["clear"], "there is nobody to be better than"


@pytest.mark.parametrize(
    ("model", "variant", "why"),
    [
        ("offline", "performance", "made beside any model"),
        (MODEL, "none", "the variant none is not installed"),
        ("nobody", "performance", "no model is called 'nobody'"),
    ],
)
async def test_who_cannot_be_asked_is_no_default(
    client: httpx.AsyncClient, tmp_path: Path, model: str, variant: str, why: str
) -> None:
    refused = await told(client, "PUT", "/api/ensemble", {"model": model, "variant": variant}, status=400)

    assert why in refused["error"]["message"]
    assert not user_file(tmp_path).exists()


async def test_a_default_that_other_settings_overrule_says_so(client: httpx.AsyncClient, tmp_path: Path) -> None:
    (tmp_path / "codeens.toml").write_text('variants = ["baseline"]\n', encoding="utf-8")

    kept = await told(client, "PUT", "/api/ensemble", {"model": MODEL, "variant": "performance"})
    there = await told(client, "PUT", "/api/ensemble", {"model": MODEL, "variant": "performance", "place": "workspace"})

    assert kept["overruled_by"] == str(tmp_path / "codeens.toml")
    assert (there["path"], there["overruled_by"]) == (str(tmp_path / "codeens.toml"), "")


def packed(*files: tuple[str, str]) -> str:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as pack:
        for name, text in files:
            pack.writestr(name, text)
    return base64.b64encode(archive.getvalue()).decode()


async def test_a_variant_is_previewed_kept_switched_shared_and_removed(
    client: httpx.AsyncClient, session: Session, tmp_path: Path
) -> None:
    (previewed,) = await told(
        client, "POST", "/api/variants/preview", {"files": [{"name": "a.toml", "text": MANIFEST}]}
    )
    before = {item["variant"]["name"] for item in await told(client, "GET", "/api/variants")}
    saved = await told(client, "POST", "/api/variants", {"files": [previewed["file"]]})
    off = await told(client, "PUT", "/api/variants/brief", {"used": False})
    unused = [item for item in await told(client, "GET", "/api/variants") if not item["used"]]
    shared = await client.get("/api/variants/brief/manifest")
    await told(client, "DELETE", "/api/variants/brief")

    assert previewed["does"] == [
        "Models that are asked with it are sent the function and the code around it, with the prompt below.",
        "Answers are drawn at temperature 0.2.",
        "Offline rewrites are made too: ruff:SIM.",
        "It runs no code of its own; what comes of it is judged in the sandbox like all candidates.",
    ]
    assert "brief" not in before
    assert saved["paths"] == [str(tmp_path / "config" / "codeens" / "variants" / "brief.toml")]
    assert (off["used"], [item["variant"]["name"] for item in unused]) == (False, ["brief"])
    assert shared.text == MANIFEST
    assert 'filename="brief.toml"' in shared.headers["content-disposition"]
    assert "brief" not in session.variants()


async def test_variants_come_from_a_file_a_folder_and_a_pack(client: httpx.AsyncClient, tmp_path: Path) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "a.toml").write_text(MANIFEST, encoding="utf-8")
    (folder / "notes.txt").write_text("no manifest", encoding="utf-8")
    sources: Sequence[dict[str, object]] = (
        {"place": str(folder / "a.toml")},
        {"place": "given"},
        {"pack": packed(("pack/a.toml", MANIFEST), ("pack/readme.md", "no manifest"))},
    )

    for source in sources:
        found = await told(client, "POST", "/api/variants/preview", source)
        assert [preview["variant"]["name"] for preview in found] == ["brief"]


class _Site(BaseHTTPRequestHandler):
    """A site that gives good manifests, and such as nobody should take."""

    answers: ClassVar[dict[str, tuple[int, dict[str, str], bytes]]] = {
        "/brief.toml": (200, {"Content-Type": "text/html"}, MANIFEST.encode()),
        "/moved.toml": (302, {"Location": "http://elsewhere.example/<b>.toml\t"}, b""),
        "/none.toml": (404, {}, b"<script>alert(1)</script>"),
        "/page.toml": (200, {}, f"<html>{HOSTILE}".encode()),
        "/large.toml": (200, {}, b"x" * ((4 << 20) + 1)),
        "/bomb.toml": (200, {"Content-Encoding": "gzip"}, gzip.compress(bytes(8 << 20), 1)),
        "/bytes.toml": (200, {}, b"\xff\xfe"),
        "/torn.toml": (200, {"Content-Length": "900"}, MANIFEST.encode()),
    }
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        status, headers, body = self.answers[self.path]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(ConnectionError):  # who has enough goes away
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name that it has there
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Site) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


async def test_what_a_url_gives_is_a_manifest_or_refused_with_the_reason_and_never_followed(
    client: httpx.AsyncClient, site: str
) -> None:
    (found,) = await told(client, "POST", "/api/variants/preview", {"place": f"{site}/brief.toml"})
    (page,) = await told(client, "POST", "/api/variants/preview", {"place": f"{site}/page.toml"})
    reasons = {
        "moved": "answers 302, and leads to http://elsewhere.example/",
        "none": "answers 404",
        "large": "gives more than 4194304 bytes",
        "bomb": "gives more than 4194304 bytes",
        "bytes": "is not UTF-8 text",
        "torn": "cannot be fetched",
    }
    for name, why in reasons.items():
        refused = await told(client, "POST", "/api/variants/preview", {"place": f"{site}/{name}.toml"}, status=400)
        assert why in refused["error"]["message"], name

    assert found["variant"]["name"] == "brief"
    assert page["problem"]
    assert _Site.asked == [f"/{name}.toml" for name in ("brief", "page", *reasons)]


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ({}, "name files, a pack or a place"),
        ({"place": "none.toml"}, "cannot be read"),
        ({"place": "http://prompts.example/a.toml"}, "is not encrypted"),
        ({"place": "https://"}, "cannot be fetched"),
        ({"pack": base64.b64encode(b"PK\x03\x04 torn").decode()}, "no ZIP archive"),
        ({"pack": packed(("a.txt", ""))}, "there are 0 manifests"),
    ],
)
async def test_what_is_no_manifest_is_refused(client: httpx.AsyncClient, source: dict[str, object], why: str) -> None:
    refused = await told(client, "POST", "/api/variants/preview", source, status=400)

    assert why in refused["error"]["message"]


async def test_of_several_manifests_all_are_kept_or_none(client: httpx.AsyncClient, tmp_path: Path) -> None:
    broken = {"name": "b.toml", "text": MANIFEST.replace("{function}", "it").replace("brief", "other")}
    good = {"name": "a.toml", "text": MANIFEST}

    previews = await told(client, "POST", "/api/variants/preview", {"files": [good, broken]})
    await told(client, "POST", "/api/variants", {"files": [good, broken]}, status=400)
    await told(client, "POST", "/api/variants", {"files": [good, good]}, status=400)

    assert "never shows the function" in previews[1]["problem"]
    assert not (tmp_path / "config" / "codeens" / "variants").exists()


async def test_only_ones_own_variants_can_be_removed(client: httpx.AsyncClient) -> None:
    assert (await told(client, "DELETE", "/api/variants/baseline", status=400))["error"]["code"] == "not_own"
    assert (await told(client, "DELETE", "/api/variants/none", status=404))["error"]["code"] == "no_such_variant"


async def test_settings_say_where_they_are_from_and_keys_only_that_they_are_here(
    client: httpx.AsyncClient, session: Session, tmp_path: Path
) -> None:
    user_file(tmp_path).parent.mkdir(parents=True)
    user_file(tmp_path).write_text(
        'goal = "speed"\n[[models]]\nname = "mine"\nmodel = "openai/x"\napi_base = "https://me:hidden@host.example/v1"\n'
        'headers = {Authorization = "Bearer 12345"}\nparams = {api_key = "hidden too"}\n[limits]\nwall_s = 5\n',
        encoding="utf-8",
    )
    session.forget()

    found = await told(client, "GET", "/api/settings")
    page = await client.get("/settings")

    lines = {line["key"]: (line["value"], line["origin"]) for line in found["settings"]}
    assert lines["goal"] == ('"speed"', str(user_file(tmp_path)))
    assert lines["limits.wall_s"] == ("5.0", str(user_file(tmp_path)))
    assert lines["effort"] == ('"quick"', "options")
    assert lines["samples"] == ("1", "default")
    assert {"variable": "OPENAI_API_KEY", "present": True} in found["keys"]
    assert found["store"]["runs"] == 1
    for text in (json.dumps(found), page.text):
        assert not [secret for secret in (KEY, "hidden", "12345") if secret in text]


async def test_health_is_what_the_doctor_finds(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "backend_names", list[str])

    found = await told(client, "GET", "/api/checks")
    page = await client.get("/settings/checks")

    assert {"interpreter", "model", "tool"} <= {check["area"] for check in found}
    assert "of the workspace" in page.text
    assert KEY not in page.text


async def test_what_strangers_wrote_is_text_on_these_pages_too(
    client: httpx.AsyncClient, session: Session, tmp_path: Path
) -> None:
    await answered_by(session, HOSTILE, HOSTILE, tmp_path, "20260105-eeeeee")
    manifest = MANIFEST.replace("Write it short", HOSTILE.replace("\x1b", "").replace('"', "")).replace(
        "Short code.", "<script>alert(2)</script>"
    )
    await told(client, "POST", "/api/variants", {"files": [{"name": "a.toml", "text": manifest}]})

    pages = [(await client.get(path)).text for path in ("/ensemble", "/variants", "/settings")]

    assert [page for page in pages if "<script>alert" in page or "\x1b" in page or "\u202e" in page] == []
    assert "&lt;script&gt;" in pages[0]
    assert "&lt;script&gt;" in pages[1]


@pytest.mark.parametrize("path", ["/ensemble", "/variants", "/settings"])
async def test_a_broken_manifest_or_settings_file_is_told_on_the_page(
    client: httpx.AsyncClient, session: Session, tmp_path: Path, path: str
) -> None:
    user_file(tmp_path).parent.mkdir(parents=True)
    user_file(tmp_path).write_text("goal = 3\n", encoding="utf-8")
    session.forget()

    answer = await client.get(path)

    assert answer.status_code == 400
    assert "codeens.toml" in answer.text
