"""What every sandbox must do with honest code and with code that fails: right answers, and failures told by name."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable

import anyio
from anyio import to_thread

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.errors import SandboxBroken
from codeens_sandbox_backends.jobs import CallsJob, CallsResult, Limits, StdioJob, StdioRun
from codeens_sandbox_backends.programs import (
    CallInput,
    Died,
    Encoded,
    ModuleSource,
    Program,
    Raised,
    Returned,
    TimedOut,
)
from codeens_sandbox_backends.selfcheck.checks import CheckContext, SelfCheck, Unmet
from codeens_sandbox_backends.selfcheck.outside import processes_with

_BOUND_S = 30.0
"""For what takes a moment on an idle machine."""
_LOOKS, _LOOK_EVERY_S = 600, 0.05
_SHOWN = 10_000
"""More characters than anyone reads of a message or traceback."""
_LONG = Limits(wall_s=600, call_s=600, cpu_s=600)


def expect(condition: object, found: object) -> None:
    """Raise `Unmet`, telling what was found instead, unless the condition holds."""
    if not condition:
        message = f"found {found!r}"
        raise Unmet(message[:_SHOWN])


async def call(
    sandbox: Sandbox, source: str, *inputs: tuple[Encoded, ...], limits: Limits | None = None
) -> CallsResult:
    """Run `f` of a module with this source, once with each input's arguments, or once without any."""
    program = Program(module="subject", qualname="f", modules=(ModuleSource(name="subject", source=source),))
    arguments = tuple(CallInput(args=args) for args in inputs or ((),))
    return await sandbox.run(CallsJob(program=program, inputs=arguments, limits=limits))


# Right answers ---------------------------------------------------------------------------------------------------


async def _every_input_gets_its_answer(sandbox: Sandbox) -> None:
    result = await call(sandbox, "def f(n):\n    return n * n\n", (2,), (-3,), (10,))
    values = [outcome.value for outcome in result.outcomes if isinstance(outcome, Returned)]
    expect(result.loaded and values == [4, 9, 100], result)


async def _a_script_reads_stdin_and_writes_stdout(sandbox: Sandbox) -> None:
    runs = (await sandbox.run(StdioJob(source="print(int(input()) + 1)\n", stdins=("1\n", "41\n")))).runs
    expect([(run.stdout, run.ending) for run in runs] == [("2\n", None), ("42\n", None)], runs)


async def _two_jobs_at_once_do_not_meet(sandbox: Sandbox) -> None:
    results: dict[int, CallsResult] = {}

    async def one(number: int) -> None:
        results[number] = await call(sandbox, "def f(n):\n    return list(range(n))\n", (number,))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one, 2)
        tasks.start_soon(one, 3)
    for number, result in results.items():
        expect(result.outcomes == (Returned(value=["list", *range(number)], args=(number,)),), result)


async def _a_worker_has_a_folder_to_write_to(sandbox: Sandbox) -> None:
    source = """
import tempfile
def f():
    with tempfile.TemporaryFile() as file:
        return file.write(b"abc")
"""
    result = await call(sandbox, source)
    expect(result.outcomes == (Returned(value=3),), result)


async def _processes_can_be_forked(sandbox: Sandbox) -> None:
    source = """
import os
def f():
    child = os.fork()
    if not child:
        os._exit(7)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
"""
    result = await call(sandbox, source)
    expect(result.outcomes == (Returned(value=7),), result)


async def _an_endless_iterator_is_read_up_to_a_bound(sandbox: Sandbox) -> None:
    outcome = (await call(sandbox, "import itertools\ndef f():\n    return itertools.count()\n")).outcomes[0]
    tree: Encoded = outcome.value if isinstance(outcome, Returned) else "nothing"
    expect(tree[:2] == ["iter", "count"] and tree[-1] == ["more"], outcome)


# Wrong ones ------------------------------------------------------------------------------------------------------


async def _an_exception_is_told_with_type_and_message(sandbox: Sandbox) -> None:
    failed, fine = (await call(sandbox, "def f(n):\n    return 1 // n\n", (0,), (1,))).outcomes
    expect(isinstance(failed, Raised) and failed.type == "ZeroDivisionError" and failed.message, failed)
    expect(isinstance(fine, Returned), fine)


async def _an_exception_that_cannot_be_shown_is_still_one(sandbox: Sandbox) -> None:
    source = """
class Bad(Exception):
    def __str__(self):
        raise KeyError(self)
    __repr__ = __str__
def f():
    raise Bad
"""
    outcome = (await call(sandbox, source)).outcomes[0]
    expect(isinstance(outcome, Raised) and outcome.type == "subject:Bad", outcome)


async def _a_traceback_of_megabytes_is_cut(sandbox: Sandbox) -> None:
    source = "def f(n):\n    if n:\n        return f(n - 1)\n    raise ValueError('x' * 10_000_000)\n"
    outcome = (await call(sandbox, source, (900,))).outcomes[0]
    told = isinstance(outcome, Raised) and outcome.type == "ValueError"
    shown = max(len(outcome.message), len(outcome.traceback)) if isinstance(outcome, Raised) else 0
    expect(told and shown < _SHOWN, outcome)


async def _code_that_does_not_load_fails_every_call(sandbox: Sandbox) -> None:
    result = await call(sandbox, "def f(:\n", (1,), (2,))
    types = [outcome.type for outcome in result.outcomes if isinstance(outcome, Raised)]
    expect(not result.loaded and types == ["SyntaxError"] * 2, result)


async def _endless_recursion_is_an_exception(sandbox: Sandbox) -> None:
    outcome = (await call(sandbox, "def f(n=0):\n    return f(n + 1)\n")).outcomes[0]
    expect(isinstance(outcome, Raised) and outcome.type == "RecursionError", outcome)


async def _bottomless_recursion_in_c_is_survived(sandbox: Sandbox) -> None:
    source = """
import sys
def f(deep):
    sys.setrecursionlimit(1 << 30)
    return sorted([deep, deep], key=f) if deep else 1
"""
    sunk, fine = (await call(sandbox, source, (True,), (False,), limits=Limits(memory_bytes=256 << 20))).outcomes
    expect(isinstance(sunk, Raised) or (isinstance(sunk, Died) and sunk.reason in ("signal", "memory")), sunk)
    expect(fine == Returned(value=1, args=(False,)), fine)


async def _leaving_is_death(sandbox: Sandbox) -> None:
    outcome = (await call(sandbox, "import os\ndef f():\n    os._exit(0)\n")).outcomes[0]
    expect(isinstance(outcome, Died) and outcome.reason == "exit", outcome)


async def _a_segmentation_fault_is_death_by_signal(sandbox: Sandbox) -> None:
    source = "import os, signal\ndef f():\n    os.kill(os.getpid(), signal.SIGSEGV)\n"
    outcome = (await call(sandbox, source)).outcomes[0]
    expect(isinstance(outcome, Died) and outcome.reason == "signal", outcome)


async def _closing_every_descriptor_is_death(sandbox: Sandbox) -> None:
    source = """
import os
def f(close):
    if close:
        os.closerange(0, 1024)
    return 1
"""
    closed, fine = (await call(sandbox, source, (True,), (False,))).outcomes
    expect(isinstance(closed, Died), closed)
    expect(fine == Returned(value=1, args=(False,)), fine)


# Limits, told by name ----------------------------------------------------------------------------------------------


async def _a_hung_call_is_a_timeout(sandbox: Sandbox) -> None:
    source = "def f(hang):\n    while hang:\n        pass\n    return 'done'\n"
    hung, fine = (await call(sandbox, source, (True,), (False,), limits=Limits(call_s=0.5))).outcomes
    expect(isinstance(hung, TimedOut), hung)
    expect(isinstance(fine, Returned), fine)


def _hangs(statement: str) -> Callable[[Sandbox], Awaitable[None]]:
    source = f"""
import os, signal, time
def f(hang):
    if hang:
        for number in range(1, 32):
            if number not in (signal.SIGKILL, signal.SIGSTOP):
                signal.signal(number, signal.SIG_IGN)
        {statement}
        time.sleep(600)
    return 1
"""

    async def run(sandbox: Sandbox) -> None:
        result = await call(sandbox, source, (True,), (False,), limits=Limits(call_s=0.5))
        fine = (TimedOut(limit="call", seconds=0.5), Returned(value=1, args=(False,)))
        expect(result.outcomes == fine, result)

    return run


async def _processor_time_is_told_by_its_limit(sandbox: Sandbox) -> None:
    limits = Limits(cpu_s=1, call_s=_BOUND_S, wall_s=_BOUND_S)
    outcome = (await call(sandbox, "def f():\n    while True:\n        pass\n", limits=limits)).outcomes[0]
    expect(isinstance(outcome, TimedOut) and outcome.limit == "cpu", outcome)


async def _endless_output_of_a_call_is_a_timeout(sandbox: Sandbox) -> None:
    source = "import os\ndef f():\n    while True:\n        os.write(1, b'x' * 65536)\n"
    result = await call(sandbox, source, limits=Limits(call_s=0.5, output_bytes=1000))
    expect(result.outcomes == (TimedOut(limit="call", seconds=0.5),), result)
    expect(len(result.stdout) <= 1000 and "dropped" in result.stderr, result)


async def _printed(sandbox: Sandbox, source: str) -> StdioRun:
    limits = Limits(wall_s=1.5, output_bytes=1000)
    return (await sandbox.run(StdioJob(source=source, stdins=("",), limits=limits))).runs[0]


async def _a_script_that_prints_too_much_has_failed(sandbox: Sandbox) -> None:
    run = await _printed(sandbox, "print('x' * 100_000)")
    expect(run.ending == Died(reason="output", detail="it printed more than 1000 bytes"), run)
    expect(len(run.stdout) <= 1000, run)
    endless = await _printed(sandbox, "while True:\n    print('x' * 1000)")
    expect(endless.ending == run.ending, endless)


async def _a_script_may_log_more_than_it_prints(sandbox: Sandbox) -> None:
    run = await _printed(sandbox, "import sys\nsys.stderr.write('x' * 100_000)\nprint(1)")
    expect((run.stdout, run.ending) == ("1\n", None), run)


async def _an_answer_that_is_too_large_is_told_by_its_limit(sandbox: Sandbox) -> None:
    source = "def f():\n    return 'x' * 100_000\n"
    outcome = (await call(sandbox, source, limits=Limits(answer_bytes=4096))).outcomes[0]
    expect(isinstance(outcome, Died) and outcome.reason == "answers" and "allowed" in outcome.detail, outcome)


# The end ---------------------------------------------------------------------------------------------------------

_LEAVE_RUNNING = """
import os
def f(marker, daemon):
    if os.fork() == 0:
        if daemon:
            os.setsid()
            if os.fork():
                os._exit(0)
        os.execv("/bin/sleep", [marker, "600"])
    while True:
        pass
"""


async def _cancelling_ends_all_processes_of_the_job(sandbox: Sandbox) -> None:
    await _cancelled(sandbox, daemon=False)
    result = await call(sandbox, "def f():\n    return 1\n")
    expect(result.outcomes == (Returned(value=1),), result)


async def _cancelling_ends_daemons(sandbox: Sandbox) -> None:
    await _cancelled(sandbox, daemon=True)


async def _cancelled(sandbox: Sandbox, *, daemon: bool) -> None:
    marker = uuid.uuid4().hex
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: call(sandbox, _LEAVE_RUNNING, (marker, daemon), limits=_LONG))
        await _seen(marker)
        tasks.cancel_scope.cancel()
    left = await to_thread.run_sync(processes_with, marker)
    expect(not left, left)


async def _closing_ends_running_jobs(context: CheckContext) -> None:
    marker = uuid.uuid4().hex
    sandbox = await context.open()

    async def run() -> None:
        try:
            await call(sandbox, _LEAVE_RUNNING, (marker, False), limits=_LONG)
        except SandboxBroken:
            return

    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            await _seen(marker)
            await sandbox.aclose()
            left = await to_thread.run_sync(processes_with, marker)
            expect(not left, left)
    finally:
        with anyio.CancelScope(shield=True):
            await sandbox.aclose()


async def _seen(marker: str) -> None:
    """Wait until processes of a job are seen among this machine's."""
    for _ in range(_LOOKS):
        if await to_thread.run_sync(processes_with, marker):
            return
        await anyio.sleep(_LOOK_EVERY_S)
    message = "the job's processes were not seen among this machine's"
    raise Unmet(message)


async def _a_closed_sandbox_refuses_jobs(context: CheckContext) -> None:
    sandbox = await context.open()
    await sandbox.aclose()
    await sandbox.aclose()
    try:
        result = await call(sandbox, "def f():\n    return 1\n")
    except SandboxBroken as error:
        expect("closed" in str(error), error)
    else:
        expect(condition=False, found=result)


def _named(check: Callable[..., Awaitable[None]], name: str = "") -> str:
    return name or check.__name__.strip("_").replace("_", " ")


def _contract(check: Callable[[Sandbox], Awaitable[None]], name: str = "") -> SelfCheck:
    async def run(context: CheckContext) -> str:
        await check(context.sandbox)
        return ""

    return SelfCheck(name=_named(check, name), kind="contract", run=run)


def _in_a_sandbox_of_its_own(check: Callable[[CheckContext], Awaitable[None]]) -> SelfCheck:
    async def run(context: CheckContext) -> str:
        await check(context)
        return ""

    return SelfCheck(name=_named(check), kind="contract", run=run)


CONTRACT: tuple[SelfCheck, ...] = (
    _contract(_every_input_gets_its_answer),
    _contract(_a_script_reads_stdin_and_writes_stdout),
    _contract(_two_jobs_at_once_do_not_meet),
    _contract(_a_worker_has_a_folder_to_write_to),
    _contract(_processes_can_be_forked),
    _contract(_an_endless_iterator_is_read_up_to_a_bound),
    _contract(_an_exception_is_told_with_type_and_message),
    _contract(_an_exception_that_cannot_be_shown_is_still_one),
    _contract(_a_traceback_of_megabytes_is_cut),
    _contract(_code_that_does_not_load_fails_every_call),
    _contract(_endless_recursion_is_an_exception),
    _contract(_bottomless_recursion_in_c_is_survived),
    _contract(_leaving_is_death),
    _contract(_a_segmentation_fault_is_death_by_signal),
    _contract(_closing_every_descriptor_is_death),
    _contract(_a_hung_call_is_a_timeout),
    _contract(_hangs("signal.alarm(1)"), "code that ignores all signals is ended"),
    _contract(_hangs("os.kill(os.getpid(), signal.SIGSTOP)"), "code that stops its own process is ended"),
    _contract(_processor_time_is_told_by_its_limit),
    _contract(_endless_output_of_a_call_is_a_timeout),
    _contract(_a_script_that_prints_too_much_has_failed),
    _contract(_a_script_may_log_more_than_it_prints),
    _contract(_an_answer_that_is_too_large_is_told_by_its_limit),
    _contract(_cancelling_ends_all_processes_of_the_job),
    _contract(_cancelling_ends_daemons),
    _in_a_sandbox_of_its_own(_closing_ends_running_jobs),
    _in_a_sandbox_of_its_own(_a_closed_sandbox_refuses_jobs),
)
