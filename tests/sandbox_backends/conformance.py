"""What every backend must do, through its public door. Each check takes an open sandbox."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import pytest

from codeens_sandbox_backends.base import Died, Encoded, Limits, Raised, Returned, Sandbox, StdioJob, TimedOut
from codeens_sandbox_backends.errors import SandboxBroken
from tests.sandbox_backends import conformance_bounds
from tests.sandbox_backends.conformance_tools import SLEEPERS, Check, answer, call, processes_with, until

_BOUND_S = 30.0

# Right answers ---------------------------------------------------------------------------------------------------


async def every_input_gets_its_answer(sandbox: Sandbox) -> None:
    result = await call(sandbox, "def f(n):\n    return n * n\n", (2,), (-3,), (10,))
    assert [outcome.value for outcome in result.outcomes if isinstance(outcome, Returned)] == [4, 9, 100]
    assert result.loaded


async def a_script_reads_stdin_and_writes_stdout(sandbox: Sandbox) -> None:
    job = StdioJob(source="print(int(input()) + 1)\n", stdins=("1\n", "41\n"))
    runs = (await sandbox.run(job)).runs
    assert [(run.stdout, run.ending) for run in runs] == [("2\n", None), ("42\n", None)]


async def two_jobs_at_once_do_not_meet(sandbox: Sandbox) -> None:
    values: dict[int, Encoded] = {}

    async def one(number: int) -> None:
        values[number] = await answer(sandbox, "def f(n):\n    return list(range(n))\n", number)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one, 2)
        tasks.start_soon(one, 3)
    assert values == {2: ["list", 0, 1], 3: ["list", 0, 1, 2]}


async def a_worker_has_a_folder_to_write_to(sandbox: Sandbox) -> None:
    source = """
import tempfile
def f():
    with tempfile.TemporaryFile() as file:
        return file.write(b"abc")
"""
    assert await answer(sandbox, source) == 3


async def processes_can_be_forked(sandbox: Sandbox) -> None:
    source = """
import os
def f():
    child = os.fork()
    if not child:
        os._exit(7)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
"""
    assert await answer(sandbox, source) == 7


# Wrong ones ------------------------------------------------------------------------------------------------------


async def an_exception_is_told_with_type_and_message(sandbox: Sandbox) -> None:
    result = await call(sandbox, "def f(n):\n    return 1 // n\n", (0,), (1,))
    failed, fine = result.outcomes
    assert isinstance(failed, Raised)
    assert failed.type == "ZeroDivisionError"
    assert isinstance(fine, Returned)


async def code_that_does_not_load_fails_every_call(sandbox: Sandbox) -> None:
    result = await call(sandbox, "def f(:\n", (1,), (2,))
    assert not result.loaded
    assert [outcome.type for outcome in result.outcomes if isinstance(outcome, Raised)] == ["SyntaxError"] * 2


async def a_hung_call_is_a_timeout_and_the_next_one_is_answered(sandbox: Sandbox) -> None:
    source = "def f(hang):\n    while hang:\n        pass\n    return 'done'\n"
    result = await call(sandbox, source, (True,), (False,), limits=Limits(call_s=0.5))
    hung, fine = result.outcomes
    assert isinstance(hung, TimedOut)
    assert isinstance(fine, Returned)


async def processor_time_is_bounded(sandbox: Sandbox) -> None:
    limits = Limits(cpu_s=1, call_s=_BOUND_S, wall_s=_BOUND_S)
    outcome = (await call(sandbox, "def f():\n    while True:\n        pass\n", limits=limits)).outcomes[0]
    assert isinstance(outcome, TimedOut)
    assert outcome.limit == "cpu"


async def leaving_is_death(sandbox: Sandbox) -> None:
    outcome = (await call(sandbox, "import os\ndef f():\n    os._exit(0)\n")).outcomes[0]
    assert isinstance(outcome, Died)
    assert outcome.reason == "exit"


async def a_segmentation_fault_is_death_by_signal(sandbox: Sandbox) -> None:
    source = "import os, signal\ndef f():\n    os.kill(os.getpid(), signal.SIGSEGV)\n"
    outcome = (await call(sandbox, source)).outcomes[0]
    assert isinstance(outcome, Died)
    assert outcome.reason == "signal"


async def endless_recursion_is_an_exception(sandbox: Sandbox) -> None:
    outcome = (await call(sandbox, "def f(n=0):\n    return f(n + 1)\n")).outcomes[0]
    assert isinstance(outcome, Raised)
    assert outcome.type == "RecursionError"


# The end ---------------------------------------------------------------------------------------------------------


async def cancelling_ends_all_processes_of_the_job(sandbox: Sandbox) -> None:
    await _cancelled_with_a_sleeper(sandbox, daemon=False)
    assert await answer(sandbox, "def f():\n    return 1\n") == 1


async def cancelling_ends_daemons(sandbox: Sandbox) -> None:
    await _cancelled_with_a_sleeper(sandbox, daemon=True)


async def _cancelled_with_a_sleeper(sandbox: Sandbox, *, daemon: bool) -> None:
    marker = uuid.uuid4().hex
    source = f"{SLEEPERS}\ndef f():\n    sleeper('{marker}', daemon={daemon})\n    while True:\n        pass\n"
    limits = Limits(wall_s=600, call_s=600, cpu_s=600)
    with anyio.fail_after(_BOUND_S):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: call(sandbox, source, limits=limits))
            await until(lambda: processes_with(marker) != [])
            tasks.cancel_scope.cancel()
    assert processes_with(marker) == []


async def a_closed_sandbox_refuses_jobs(sandbox: Sandbox) -> None:
    await sandbox.aclose()
    await sandbox.aclose()
    with pytest.raises(SandboxBroken, match="closed"):
        await call(sandbox, "def f():\n    return 1\n")


async def closing_ends_running_jobs(sandbox: Sandbox) -> None:
    marker = uuid.uuid4().hex
    source = f"import os\ndef f():\n    os.execv('/bin/sleep', ['{marker}', '600'])\n"

    async def run() -> None:
        limits = Limits(wall_s=600, call_s=600, cpu_s=600)
        try:
            await call(sandbox, source, limits=limits)
        except SandboxBroken:
            return

    with anyio.fail_after(_BOUND_S):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            await until(lambda: processes_with(marker) != [])
            await sandbox.aclose()
            assert processes_with(marker) == []


# Isolation -------------------------------------------------------------------------------------------------------


async def files_outside_can_not_be_read(sandbox: Sandbox, outside: Path) -> None:
    secret = outside / "secret"
    secret.write_text("s", encoding="utf-8")
    source = """
def f(path):
    try:
        with open(path) as file:
            return file.read(1)
    except OSError:
        return "kept out"
"""
    for path in (secret, Path("/etc/shadow"), Path("/etc/passwd"), Path(__file__)):
        assert await answer(sandbox, source, str(path)) == "kept out", path


async def files_outside_can_not_be_changed(sandbox: Sandbox, outside: Path) -> None:
    kept = outside / "pinned"
    kept.write_text("s", encoding="utf-8")
    kept.chmod(0o640)
    source = """
import os
def f(path):
    for attempt in (lambda: open(path, "w"), lambda: open(path + "2", "w"), lambda: os.chmod(path, 0o777),
                    lambda: os.unlink(path), lambda: os.mkdir("/usr/new"), lambda: os.truncate(path, 0)):
        try:
            attempt()
        except OSError:
            continue
        return "changed"
    return "kept out"
"""
    assert await answer(sandbox, source, str(kept)) == "kept out"
    assert _state(outside) == [("pinned", "s", 0o640)]


def _state(folder: Path) -> list[tuple[str, str, int]]:
    return [(file.name, file.read_text(encoding="utf-8"), file.stat().st_mode & 0o777) for file in folder.iterdir()]


async def the_network_can_not_be_reached(sandbox: Sandbox) -> None:
    source = """
import socket
def f(port):
    for attempt in (lambda: socket.create_connection(("127.0.0.1", port), timeout=2),
                    lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", port)),
                    lambda: socket.create_server(("127.0.0.1", 0))):
        try:
            attempt()
        except OSError:
            continue
        return "reached"
    return "kept in"
"""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert await answer(sandbox, source, listener.getsockname()[1]) == "kept in"


async def other_processes_can_not_be_seen(sandbox: Sandbox) -> None:
    source = """
import os
def f():
    seen = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with open(f"/proc/{name}/cmdline") as file:
                seen.append(file.read())
    return "pytest" in " ".join(seen) or len(seen) > 5
"""
    assert await answer(sandbox, source) is False


async def namespaces_can_not_be_made(sandbox: Sandbox) -> None:
    source = "import ctypes\ndef f():\n    return ctypes.CDLL(None).unshare(0x10000000)\n"
    assert await answer(sandbox, source) == -1


async def root_is_not_root_inside(sandbox: Sandbox) -> None:
    source = """
def f():
    with open("/proc/self/status") as file:
        fields = dict(line.split(":", 1) for line in file)
    return [int(fields[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb", "NoNewPrivs")]
"""
    assert await answer(sandbox, source) == ["list", 0, 0, 0, 0, 1]


async def the_callers_environment_is_absent(sandbox: Sandbox) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CODEENS_TEST_KEY", "k")
        assert await answer(sandbox, "import os\ndef f():\n    return os.environ.get('CODEENS_TEST_KEY')\n") is None


EVERY: tuple[Check, ...] = (
    every_input_gets_its_answer,
    a_script_reads_stdin_and_writes_stdout,
    two_jobs_at_once_do_not_meet,
    a_worker_has_a_folder_to_write_to,
    processes_can_be_forked,
    an_exception_is_told_with_type_and_message,
    code_that_does_not_load_fails_every_call,
    a_hung_call_is_a_timeout_and_the_next_one_is_answered,
    processor_time_is_bounded,
    leaving_is_death,
    a_segmentation_fault_is_death_by_signal,
    endless_recursion_is_an_exception,
    cancelling_ends_all_processes_of_the_job,
    a_closed_sandbox_refuses_jobs,
    closing_ends_running_jobs,
    the_callers_environment_is_absent,
    *conformance_bounds.EVERY,
)
CONTAINING: tuple[Check, ...] = (cancelling_ends_daemons, *conformance_bounds.CONTAINING)
"""Needs namespaces, sandlock's supervision, or control groups."""
ISOLATED: tuple[Check, ...] = (
    the_network_can_not_be_reached,
    other_processes_can_not_be_seen,
    namespaces_can_not_be_made,
    root_is_not_root_inside,
)
OWN_DISK: tuple[Check, ...] = conformance_bounds.OWN_DISK
ISOLATED_FROM_FILES: tuple[Callable[[Sandbox, Path], Awaitable[None]], ...] = (
    files_outside_can_not_be_read,
    files_outside_can_not_be_changed,
)
