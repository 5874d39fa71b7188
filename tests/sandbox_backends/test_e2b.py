"""What is particular to E2B: what goes wrong at each call, what is left behind, what is sent, and whose it is."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

import anyio
import pytest

from codeens_sandbox_backends.base import Sandbox, SandboxSpec
from codeens_sandbox_backends.errors import SandboxBroken, SandboxError, SandboxUnavailable
from codeens_sandbox_backends.extras import installing_extra
from codeens_sandbox_backends.jobs import CallsResult, Limits
from codeens_sandbox_backends.owner import owner
from codeens_sandbox_backends.programs import Returned
from codeens_sandbox_backends.registry import get_backend
from codeens_sandbox_backends.selfcheck.contract import call
from codeens_sandbox_backends.selfcheck.outside import processes_with
from tests.sandbox_backends.e2b_fake.faults import Call, Fault
from tests.sandbox_backends.tools import answer, until

if TYPE_CHECKING:
    from tests.sandbox_backends.e2b_fake.api import FakeE2B

pytestmark = pytest.mark.anyio

_PATIENT = Limits(wall_s=600, call_s=600, cpu_s=600)
_SLEEP = "import os\ndef f(marker):\n    os.execv('/bin/sleep', [marker, '600'])\n"
_ONE = "def f():\n    return 1\n"


@asynccontextmanager
async def opened(
    *readable: Path, python: str = sys.executable, hidden: tuple[str, ...] = ()
) -> AsyncGenerator[Sandbox]:
    spec = SandboxSpec(python=python, readable=tuple(map(str, readable)), hidden=hidden)
    sandbox = await get_backend("e2b").open(spec)
    try:
        yield sandbox
    finally:
        await sandbox.aclose()


async def refusal(*readable: Path, python: str = sys.executable) -> SandboxUnavailable:
    with pytest.raises(SandboxUnavailable) as caught:
        async with opened(*readable, python=python):
            pass
    return caught.value


# What is needed --------------------------------------------------------------------------------------------------


async def test_without_the_sdk_it_is_refused_with_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "e2b", None)
    assert (await refusal()).fix == installing_extra("e2b")


async def test_without_a_key_the_probe_names_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("E2B_API_KEY", raising=False)
    readiness = await get_backend("e2b").probe()
    assert not readiness.usable
    assert "E2B_API_KEY is not set" in readiness.why
    assert "Set E2B_API_KEY" in readiness.fix


@pytest.mark.usefixtures("e2b")
async def test_a_wrong_key_is_refused_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("E2B_API_KEY", "e2b_0123456789")
    error = await refusal()
    assert "refused the key in E2B_API_KEY" in error.why
    assert "Set E2B_API_KEY" in error.fix
    assert "0123456789" not in "".join(traceback.format_exception(error))


@pytest.mark.usefixtures("e2b")
async def test_a_template_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEENS_E2B_TEMPLATE", "mine")
    error = await refusal()
    assert "'mine'" in error.why
    assert "CODEENS_E2B_TEMPLATE" in error.fix


@pytest.mark.usefixtures("e2b")
@pytest.mark.parametrize("text", ["none", "0"])
async def test_a_wrong_number_of_sandboxes_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("CODEENS_E2B_SANDBOXES", text)
    assert "CODEENS_E2B_SANDBOXES" in (await refusal()).why


@pytest.mark.usefixtures("e2b")
async def test_a_workspace_of_another_python_is_refused(tmp_path: Path) -> None:
    python = tmp_path / "bin" / "python3.9"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\n", encoding="utf-8")
    python.chmod(0o755)
    error = await refusal(python=str(python))
    assert "the workspace's Python is 3.9" in error.why
    assert "CODEENS_E2B_PYTHON" in error.fix


@pytest.mark.usefixtures("e2b")
async def test_an_interpreter_that_the_template_does_not_have_is_told_in_the_shells_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CODEENS_E2B_PYTHON", "python9.9")
    with pytest.raises(SandboxBroken, match=r"python9\.9: not found"):
        async with opened():
            pass


# What goes wrong -------------------------------------------------------------------------------------------------

CALLS: tuple[Call, ...] = ("list", "create", "upload", "start", "extend", "send", "delete")
PASSING = {
    "408": Fault(status=408),
    "429": Fault(status=429, headers=(("retry-after", "0"),)),
    "500": Fault(status=500),
    "502": Fault(status=502),
    "503": Fault(status=503),
    "dropped before": Fault(drop="before"),
    "dropped after": Fault(drop="after"),
}
LASTING = {"401": Fault(status=401), "404": Fault(status=404), **PASSING}
_OFTEN = 1000


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between one try and the next: what is tried is what matters here."""
    monkeypatch.setattr("codeens_sandbox_backends.remote.calls._FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr("e2b.retry.BACKOFF_BASE_SECONDS", 0.001)


async def outcome_of_a_job() -> CallsResult:
    async with opened() as sandbox:
        return await call(sandbox, _ONE, limits=_PATIENT)


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
async def test_what_goes_wrong_once_at_every_call_is_tried_again(e2b: FakeE2B, fault: Fault) -> None:
    for where in CALLS:
        e2b.plan.fail(where, fault)
    outcome = (await outcome_of_a_job()).outcomes[0]
    assert isinstance(outcome, Returned)
    assert outcome.value == 1
    assert e2b.plan.left == {}
    assert e2b.alive == []


@pytest.mark.parametrize("fault", LASTING.values(), ids=LASTING)
@pytest.mark.parametrize("where", ["list", "create", "upload", "start", "send"])
async def test_what_goes_on_going_wrong_is_the_sandboxs_failure(e2b: FakeE2B, where: Call, fault: Fault) -> None:
    e2b.plan.fail(where, fault, times=_OFTEN)
    with pytest.raises(SandboxError, match="e2b") as caught:
        await outcome_of_a_job()
    shown = "".join(traceback.format_exception(caught.value))
    assert e2b.key not in shown
    assert e2b.alive == []


@pytest.mark.parametrize("pieces", [1, 2, 3])
async def test_an_output_that_breaks_off_is_not_the_codes_failure(e2b: FakeE2B, pieces: int) -> None:
    async with opened() as sandbox:
        e2b.plan.fail("start", Fault(cut=pieces), times=_OFTEN)
        await use_up_what_waits(sandbox)
        with pytest.raises(SandboxBroken):
            await call(sandbox, _ONE)
        e2b.plan.heal()
        assert await answer(sandbox, _ONE) == 1


async def use_up_what_waits(sandbox: Sandbox) -> None:
    """The first sandbox, and one that may be made while that is used, do not know of later faults."""
    for _ in range(2):
        with suppress(SandboxBroken):
            await call(sandbox, _ONE)


@pytest.mark.parametrize("how", ["machine", "programs"])
async def test_a_sandbox_that_ends_by_itself_is_not_the_codes_failure(e2b: FakeE2B, how: str) -> None:
    async with opened() as sandbox:
        marker = os.urandom(16).hex()
        caught: list[SandboxError] = []

        async def run() -> None:
            try:
                result = await call(sandbox, _SLEEP, (marker,), limits=_PATIENT)
            except SandboxError as error:
                caught.append(error)
            else:
                pytest.fail(f"the code was blamed: {result.outcomes}")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            for _ in range(2):  # it is tried in another one
                await until(lambda: processes_with(marker) != [])
                await anyio.to_thread.run_sync(e2b.end_all if how == "machine" else e2b.kill_programs)
                await until(lambda: processes_with(marker) == [])
        assert [type(error) for error in caught] == [SandboxBroken]
        assert await answer(sandbox, _ONE) == 1


async def test_cancelling_while_a_sandbox_is_being_made_leaves_none(e2b: FakeE2B) -> None:
    e2b.plan.fail("create", Fault(hold=True))
    with anyio.fail_after(100):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(outcome_of_a_job)
            await until(lambda: e2b.plan.held == 1)
            tasks.cancel_scope.cancel()
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(e2b.release)
    assert len(e2b.made) == 1
    assert e2b.alive == []


@pytest.mark.parametrize("where", ["list", "upload", "start", "send"])
async def test_cancelling_in_the_middle_of_a_call_leaves_none(e2b: FakeE2B, where: Call) -> None:
    e2b.plan.fail(where, Fault(hold=True))
    with anyio.fail_after(100):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(outcome_of_a_job)
            await until(lambda: e2b.plan.held == 1)
            tasks.cancel_scope.cancel()
    assert e2b.alive == []


async def test_a_cancelled_deletion_is_carried_out(e2b: FakeE2B) -> None:
    e2b.plan.fail("delete", Fault(hold=True))
    with anyio.fail_after(100):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(outcome_of_a_job)
            await until(lambda: e2b.plan.held == 1)
            tasks.cancel_scope.cancel()
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(e2b.release)
    assert e2b.alive == []


async def test_a_slow_start_is_waited_for(e2b: FakeE2B) -> None:
    e2b.plan.fail("create", Fault(hold=True))
    results: list[CallsResult] = []

    async def run() -> None:
        results.append(await outcome_of_a_job())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        await until(lambda: e2b.plan.held == 1)
        await anyio.to_thread.run_sync(e2b.release)
    assert isinstance(results[0].outcomes[0], Returned)


# Whose it is -----------------------------------------------------------------------------------------------------


def owner_that_ended() -> str:
    script = "from codeens_sandbox_backends.owner import owner; print(owner())"
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True
    ).stdout.strip()


async def test_orphans_are_removed_and_nothing_else_is(e2b: FakeE2B) -> None:
    boot, namespace, pid, start = owner().split()
    others = [None, "something else", f"{boot} pid:[1] {pid}0 {start}", f"another-boot {namespace} 1 1", owner()]
    strangers = {e2b.make({"codeens": "1", "codeens-owner": name} if name else {"theirs": "1"}) for name in others}
    strangers.add(e2b.make({"codeens-owner": owner_that_ended()}))
    for name in (owner_that_ended(), owner().rsplit(" ", 1)[0] + " 1", owner_that_ended()):
        e2b.make({"codeens": "1", "codeens-owner": name})
    async with opened():
        pass
    assert set(e2b.alive) == strangers
    e2b.end_all()


async def test_every_sandbox_is_labelled_bounded_and_without_a_network(e2b: FakeE2B) -> None:
    await outcome_of_a_job()
    assert e2b.made != []
    labels = [cast("dict[str, str]", one.metadata) for one in e2b.made]
    assert {(one["codeens"], one["codeens-owner"]) for one in labels} == {("1", owner())}
    assert len({one["codeens-sandbox"] for one in labels}) == len(labels)
    for one in e2b.made:
        # One that waits for a job, and one that is made when none waits, which lives as long as its job may take.
        assert one.timeout in (900, 1380)
        assert (one.auto_pause, one.allow_internet_access) == (False, False)


async def test_a_job_that_may_take_longer_keeps_its_sandbox_alive(e2b: FakeE2B) -> None:
    async with opened() as sandbox:
        await call(sandbox, _ONE, limits=_PATIENT)
    assert "extend" in e2b.plan.requests


async def test_the_key_does_not_enter_a_sandbox(e2b: FakeE2B) -> None:
    await outcome_of_a_job()
    assert b"process" in e2b.sent
    assert e2b.key.encode() not in e2b.sent


async def test_many_jobs_at_once_wait_for_one_another(e2b: FakeE2B, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEENS_E2B_SANDBOXES", "2")
    most = 0
    async with opened() as sandbox, anyio.create_task_group() as tasks:

        async def one(number: int) -> None:
            nonlocal most
            assert await answer(sandbox, "def f(n):\n    return n\n", number) == number
            most = max(most, len(e2b.alive))

        for number in range(6):
            tasks.start_soon(one, number)
    assert 1 <= most <= 2


async def test_each_job_has_a_sandbox_of_its_own(e2b: FakeE2B) -> None:
    async with opened() as sandbox:
        for _ in range(3):
            await answer(sandbox, _ONE)
    assert len(e2b.made) >= 3


async def test_closing_ends_jobs_that_wait_for_a_sandbox(e2b: FakeE2B, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEENS_E2B_SANDBOXES", "1")
    failed: list[SandboxBroken] = []
    marker = os.urandom(16).hex()

    async def run() -> None:
        try:
            await call(sandbox, _SLEEP, (marker,), limits=_PATIENT)
        except SandboxBroken as error:
            failed.append(error)

    with anyio.fail_after(100):
        async with opened() as sandbox, anyio.create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(run)
            await until(lambda: processes_with(marker) != [])
            await sandbox.aclose()
    assert len(failed) == 4
    assert processes_with(marker) == []
