"""What is particular to Daytona: what is asked of it, what is refused, and to whom its sandboxes belong."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest
from opentelemetry import trace

from codeens_sandbox_backends.base import Sandbox, SandboxSpec
from codeens_sandbox_backends.errors import SandboxBroken, SandboxUnavailable
from codeens_sandbox_backends.extras import installing_extra
from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.owner import owner
from codeens_sandbox_backends.programs import Returned
from codeens_sandbox_backends.registry import get_backend
from codeens_sandbox_backends.remote.calls import OURS, OWNER, SANDBOX, VERSION
from codeens_sandbox_backends.selfcheck.contract import call
from codeens_sandbox_backends.selfcheck.outside import processes_with
from tests.sandbox_backends.daytona_fake.faults import KEY, TERMINAL, UPLOAD, Fault
from tests.sandbox_backends.tools import answer, until

if TYPE_CHECKING:
    from tests.sandbox_backends.daytona_fake.service import Service

pytestmark = pytest.mark.anyio
_ONE = "def f():\n    return 1\n"
_PATIENT = Limits(wall_s=600, call_s=600, cpu_s=600)
_SLEEP = "import os\ndef f(marker):\n    os.execv('/bin/sleep', [marker, '600'])\n"


@asynccontextmanager
async def opened(*readable: Path, python: str = sys.executable) -> AsyncGenerator[Sandbox]:
    sandbox = await get_backend("daytona").open(SandboxSpec(python=python, readable=tuple(map(str, readable))))
    try:
        yield sandbox
    finally:
        await sandbox.aclose()


async def refusal() -> SandboxUnavailable:
    with pytest.raises(SandboxUnavailable) as caught:
        async with opened():
            pass
    return caught.value


# What is needed --------------------------------------------------------------------------------------------------


async def test_without_a_key_the_probe_names_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAYTONA_API_KEY", raising=False)
    readiness = await get_backend("daytona").probe()
    assert not readiness.usable
    assert "DAYTONA_API_KEY is not set" in readiness.why
    assert "Set DAYTONA_API_KEY" in readiness.fix


async def test_without_the_sdk_it_is_refused_with_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "daytona", None)
    assert (await refusal()).fix == installing_extra("daytona")


async def test_a_number_of_sandboxes_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYTONA_API_KEY", KEY)
    monkeypatch.setenv("CODEENS_DAYTONA_SANDBOXES", "many")
    assert "CODEENS_DAYTONA_SANDBOXES is 'many'" in (await refusal()).why


@pytest.mark.usefixtures("daytona")
async def test_a_wrong_key_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYTONA_API_KEY", "dtn_a-wrong-key")
    error = await refusal()
    assert "refused the key" in error.why
    assert "DAYTONA_API_KEY" in error.fix
    assert "dtn_a-wrong-key" not in str(error)


@pytest.mark.usefixtures("daytona")
async def test_an_interpreter_that_its_sandboxes_do_not_have_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEENS_DAYTONA_PYTHON", "python3.99")
    with pytest.raises(SandboxBroken, match=r"python3\.99.*not found"):
        async with opened():
            pass


async def test_a_service_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYTONA_API_KEY", KEY)
    monkeypatch.setenv("DAYTONA_API_URL", "http://127.0.0.1:9/api")
    with pytest.raises(SandboxBroken, match="the connection failed"):
        async with opened():
            pass


# What is asked of the service ------------------------------------------------------------------------------------


async def test_each_sandbox_is_made_without_network_and_to_end_by_itself(
    daytona: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEENS_DAYTONA_SNAPSHOT", "with-numpy")
    monkeypatch.setenv("DAYTONA_TARGET", "eu")
    async with opened() as sandbox:
        assert await answer(sandbox, _ONE) == 1
    names: set[str | None] = set()
    for made in daytona.made:
        labels = made.labels or {}
        assert (made.network_block_all, made.public, made.snapshot, made.target) == (True, False, "with-numpy", "eu")
        assert made.auto_delete_interval == 0
        assert 1 <= (made.auto_stop_interval or 0) <= 15
        assert 1 <= (made.ttl_minutes or 0) <= 15
        assert (labels[OURS], labels[OWNER], made.name) == (VERSION, owner(), f"codeens-{labels[SANDBOX]}")
        names.add(made.name)
    assert len(names) == len(daytona.made) >= 2


async def test_a_job_that_may_take_longer_than_its_sandbox_prolongs_it(daytona: Service) -> None:
    async with opened() as sandbox:
        outcome = (await call(sandbox, _ONE, limits=Limits(wall_s=3600))).outcomes[0]
    assert isinstance(outcome, Returned)
    assert "POST /sandbox/{sandboxIdOrName}/ttl/{ttlMinutes}" in daytona.calls
    assert "POST /sandbox/{sandboxIdOrName}/autostop/{interval}" in daytona.calls


@pytest.mark.filterwarnings("ignore:`DAYTONA_API_URL` set in a .env:UserWarning")
async def test_nothing_is_taken_from_files_of_the_working_folder(
    daytona: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lines = ("DAYTONA_TARGET=theirs", "DAYTONA_OTEL_ENABLED=true", "DAYTONA_HAPPY_EYEBALLS_DELAY=x")
    url, key = "DAYTONA_API_URL=http://192.0.2.1/", "DAYTONA_JWT_TOKEN=theirs"
    (tmp_path / ".env").write_text("\n".join([*lines, url, key]), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    async with opened():
        pass
    assert {made.target for made in daytona.made} == {"us"}
    assert type(trace.get_tracer_provider()).__name__ == "ProxyTracerProvider"


async def test_the_key_is_in_no_sandbox_and_in_no_log(daytona: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    source = """
import glob, os
def f():
    said = [repr(dict(os.environ))]
    for name in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(name, "rb") as file:
                said.append(repr(file.read()))
        except OSError:
            continue
    return " ".join(said)
"""
    async with opened() as sandbox:
        said = await answer(sandbox, source)
    assert KEY not in said
    assert KEY.encode() not in daytona.seen
    assert KEY not in caplog.text
    assert all(KEY not in made.to_json() for made in daytona.made)


# What passes -----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("daytona")
async def test_large_inputs_and_answers_pass_through_a_terminal_that_drops_who_is_slow() -> None:
    size = 2 << 20
    async with opened() as sandbox:
        text = "a" * size + "b"
        outcome = (await call(sandbox, "def f(text):\n    return text[::-1]\n", (text,), limits=_PATIENT)).outcomes[0]
    assert isinstance(outcome, Returned)
    assert outcome.value == "b" + "a" * size


@pytest.mark.usefixtures("daytona")
async def test_many_small_outputs_pass_in_order() -> None:
    source = "def f():\n    for n in range(3000):\n        print(n, flush=True)\n"
    async with opened() as sandbox:
        result = await call(sandbox, source)
    assert result.stdout.split() == [str(number) for number in range(3000)]


@pytest.mark.usefixtures("daytona")
async def test_a_workspace_is_found_at_its_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text", encoding="utf-8")
    source = "def f(path):\n    with open(path) as file:\n        return file.read()\n"
    async with opened(tmp_path) as sandbox:
        assert await answer(sandbox, source, str(tmp_path / "file")) == "text"


# Whose it is, and its end ----------------------------------------------------------------------------------------


def owner_that_ended() -> str:
    script = "from codeens_sandbox_backends.owner import owner; print(owner())"
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True
    ).stdout.strip()


async def test_orphans_are_removed_and_nothing_else_is(daytona: Service) -> None:
    boot, namespace, pid, start = owner().split()
    gone = owner_that_ended()
    ours = {OURS: VERSION}
    orphans = {daytona.plant(ours | {OWNER: gone, SANDBOX: str(number)}) for number in range(3)}
    strangers = {
        daytona.plant({}),
        daytona.plant({"team": "another"}),
        daytona.plant({OWNER: gone}),
        daytona.plant(ours),
        daytona.plant({OURS: "another version", OWNER: gone}),
        daytona.plant(ours | {OWNER: owner()}),
        daytona.plant(ours | {OWNER: f"another-boot {namespace} {pid} {start}"}),
        daytona.plant(ours | {OWNER: f"{boot} pid:[1] {pid} {start}"}),
    }
    async with opened():
        assert not orphans & set(daytona.sandboxes)
    assert set(daytona.sandboxes) == strangers
    for stranger in strangers:
        daytona.remove(stranger)


async def test_a_sandbox_that_somebody_removes_is_not_the_codes_failure(daytona: Service) -> None:
    marker = os.urandom(16).hex()
    outcomes: list[object] = []

    async def run(sandbox: Sandbox) -> None:
        try:
            outcomes.append(await call(sandbox, _SLEEP, (marker,), limits=_PATIENT))
        except SandboxBroken as error:
            outcomes.append(error)

    async with opened() as sandbox, anyio.create_task_group() as tasks:
        tasks.start_soon(run, sandbox)
        for _ in range(2):  # it is tried once more in another one
            await until(lambda: processes_with(marker) != [])
            for one in daytona.sandboxes:
                daytona.remove(one)
        await until(lambda: outcomes != [])
    assert [type(outcome) for outcome in outcomes] == [SandboxBroken]


async def test_cancelling_a_job_deletes_its_sandbox_before_it_returns(daytona: Service) -> None:
    marker = os.urandom(16).hex()
    async with opened() as sandbox:
        before = len(daytona.made)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: call(sandbox, _SLEEP, (marker,), limits=_PATIENT))
            await until(lambda: processes_with(marker) != [])
            tasks.cancel_scope.cancel()
        assert processes_with(marker) == []
        assert before >= 1
        assert await answer(sandbox, _ONE) == 1


@pytest.mark.parametrize("at", ["POST /sandbox", UPLOAD, TERMINAL])
async def test_cancelling_while_a_sandbox_is_being_made_leaves_none(daytona: Service, at: str) -> None:
    daytona.faults.add(Fault(at=at, kind="held"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(get_backend("daytona").open, SandboxSpec(python=sys.executable))
        await until(lambda: at in daytona.calls and daytona.sandboxes != [])
        tasks.cancel_scope.cancel()
        daytona.release()  # the answer to a request for a sandbox is waited for: what it makes must be known
    assert daytona.sandboxes == []
