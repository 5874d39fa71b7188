"""Data sets of Hugging Face, fetched by its own client from a server that speaks as much of the hub as it needs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from codeens_sandbox_backends.extras import installing_extra
from codeens_server.bench.datasets.loading import load_tasks
from codeens_server.errors import InputError
from tests.server.bench.made import TWICE

SHA = "0123456789abcdef0123456789abcdef01234567"
FILES = {
    "bigcode/humanevalpack": {
        "data/python/data/humanevalpack.jsonl": json.dumps(
            TWICE | {"declaration": "def twice(n):\n", "buggy_solution": "    return n\n"}
        ),
        "data/js/data/humanevalpack.jsonl": "{}",
    },
}
PROGRAM = """
import os, sys
from codeens_server.bench.datasets.loading import load_tasks
from codeens_server.errors import CodeensError
from pathlib import Path
for name in sys.argv[1:]:
    try:
        print([item.task.id for item in load_tasks(name, Path("hub"), os.environ).items])
    except CodeensError as error:
        print(type(error).__name__, error.code, error)
"""


class Hub(BaseHTTPRequestHandler):
    """What `snapshot_download` asks: which files a revision has, and the files."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if asked := re.fullmatch(r"/api/datasets/(\w+/\w+)/revision/[\w]+", path):
            files = FILES.get(asked[1])
            about = {"id": asked[1], "sha": SHA, "siblings": [{"rfilename": name} for name in files or ()]}
            self._send(json.dumps(about).encode() if files else None)
        elif asked := re.fullmatch(r"/api/datasets/(\w+/\w+)/tree/\w+", path):
            tree = [
                {"type": "file", "path": name, "size": len(text), "oid": SHA} for name, text in FILES[asked[1]].items()
            ]
            self._send(json.dumps(tree).encode())
        elif asked := re.fullmatch(r"/datasets/(\w+/\w+)/resolve/\w+/(.+)", path):
            self._send(FILES[asked[1]][asked[2]].encode())
        else:
            self._send(None)

    def _send(self, body: bytes | None) -> None:
        self.send_response(200 if body is not None else 404)
        self.send_header("ETag", '"one"')
        self.send_header("X-Repo-Commit", SHA)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body or b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is the base's
        """Say nothing."""


@contextmanager
def served() -> Generator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def loaded(endpoint: str, cache: Path, *names: str) -> list[str]:
    environ = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environ |= {"HF_ENDPOINT": endpoint, "HF_HOME": str(cache / "home"), "HF_HUB_DISABLE_TELEMETRY": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *names], env=environ, cwd=cache, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_a_data_set_is_fetched_from_the_hub_once_and_then_there_without_it(tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub", reason="data sets of the hub are fetched by huggingface_hub")
    with served() as endpoint:
        tasks, absent = loaded(endpoint, tmp_path, "humanevalpack", "mbppplus")
    assert tasks == "['Small/0']"
    assert absent.startswith("RunError no_hub evalplus/mbppplus cannot be fetched from Hugging Face: ")
    assert not list(tmp_path.rglob("data/js"))
    again, unreachable = loaded(endpoint, tmp_path, "humanevalpack", "mbppplus")
    assert again == tasks
    assert unreachable.startswith("RunError no_hub evalplus/mbppplus cannot be fetched from Hugging Face: ")


def test_without_its_client_the_hub_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(InputError, match="huggingface_hub, which is not installed") as refused:
        load_tasks("humaneval", Path("hub"), {})
    assert refused.value.hint is not None
    assert refused.value.hint.name == installing_extra("data")


def test_a_data_set_that_nobody_has_here_is_said_to_be_on_the_hub() -> None:
    with pytest.raises(InputError, match="or hub, which fetches it from Hugging Face"):
        load_tasks("humaneval", None, {})
