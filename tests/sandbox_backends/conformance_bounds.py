"""What code may use, and what comes of code that wants more: it is bounded, told by name, and gone with its job."""

from __future__ import annotations

import uuid

from codeens_sandbox_backends.base import Died, Limits, Raised, Returned, Sandbox, StdioJob, StdioRun, TimedOut
from tests.sandbox_backends.conformance_tools import SLEEPERS, Check, answer, call, processes_with

_SHOWN = 10_000
"""More than anyone reads of a message or traceback."""


# Memory, processes, files --------------------------------------------------------------------------------------


async def memory_is_bounded(sandbox: Sandbox) -> None:
    source = """
def f():
    kept = []
    while True:
        kept.append(bytearray(1 << 20))
"""
    outcome = (await call(sandbox, source, limits=Limits(memory_bytes=128 << 20))).outcomes[0]
    if isinstance(outcome, Raised):
        assert outcome.type == "MemoryError"
    else:
        assert isinstance(outcome, Died)
        assert outcome.reason == "memory"


async def processes_are_bounded_and_none_outlives_the_job(sandbox: Sandbox) -> None:
    marker = uuid.uuid4().hex
    source = f"""{SLEEPERS}
def f():
    for count in range(1000):
        try:
            sleeper("{marker}")
        except OSError:
            break
    return count
"""
    outcome = (await call(sandbox, source, limits=Limits(processes=24))).outcomes[0]
    assert isinstance(outcome, Returned)
    assert 1 <= outcome.value <= 24
    assert processes_with(marker) == []


async def a_daemon_does_not_outlive_the_job(sandbox: Sandbox) -> None:
    marker = uuid.uuid4().hex
    assert await answer(sandbox, f"{SLEEPERS}\ndef f():\n    return sleeper('{marker}', daemon=True)\n") is True
    assert processes_with(marker) == []


async def output_is_bounded(sandbox: Sandbox) -> None:
    source = "def f():\n    for _ in range(64):\n        print('x' * (1 << 16))\n    return 'said'\n"
    result = await call(sandbox, source, limits=Limits(output_bytes=1000))
    assert isinstance(result.outcomes[0], Returned)
    assert 0 < result.stdout.count("x") <= 1000


async def files_are_bounded(sandbox: Sandbox) -> None:
    source = """
import tempfile
def f():
    with tempfile.TemporaryFile() as file:
        for _ in range(64):
            file.write(bytes(1 << 20))
"""
    outcome = (await call(sandbox, source, limits=Limits(disk_bytes=8 << 20))).outcomes[0]
    assert isinstance(outcome, Raised)
    assert outcome.type == "OSError"


async def many_files_are_bounded(sandbox: Sandbox) -> None:
    source = """
import os, tempfile
def f():
    folder = tempfile.mkdtemp()
    for number in range(64):
        with open(os.path.join(folder, str(number)), "wb", 0) as file:
            if file.write(bytes(1 << 20)) < 1 << 20:
                raise OSError("full")
"""
    outcome = (await call(sandbox, source, limits=Limits(disk_bytes=8 << 20))).outcomes[0]
    assert isinstance(outcome, Raised)
    assert outcome.type == "OSError"


async def a_fork_bomb_is_gone_with_its_job(sandbox: Sandbox) -> None:
    marker = uuid.uuid4().hex
    source = f"""
import os
def f():
    os.execv("/bin/sh", ["sh", "-c", ": {marker}; b() {{ b | b & }}; b; sleep 600"])
"""
    outcome = (await call(sandbox, source, limits=Limits(processes=24, wall_s=2, cpu_s=2))).outcomes[0]
    assert isinstance(outcome, (Died, TimedOut)), outcome
    assert processes_with(marker) == []


async def bottomless_recursion_in_c_is_death_and_the_next_call_is_answered(sandbox: Sandbox) -> None:
    source = """
import sys
def f(deep):
    sys.setrecursionlimit(1 << 30)
    return sorted([deep, deep], key=f) if deep else 1
"""
    result = await call(sandbox, source, (True,), (False,), limits=Limits(memory_bytes=256 << 20))
    sunk, fine = result.outcomes
    assert isinstance(sunk, Raised) or (isinstance(sunk, Died) and sunk.reason in ("signal", "memory")), sunk
    assert fine == Returned(value=1, args=(False,))


# Signals and descriptors ---------------------------------------------------------------------------------------


async def _hangs(sandbox: Sandbox, statement: str) -> None:
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
    result = await call(sandbox, source, (True,), (False,), limits=Limits(call_s=0.5))
    assert result.outcomes == (TimedOut(limit="call", seconds=0.5), Returned(value=1, args=(False,)))


async def code_that_ignores_all_signals_is_ended(sandbox: Sandbox) -> None:
    await _hangs(sandbox, "signal.alarm(1)")


async def code_that_stops_its_own_process_is_ended(sandbox: Sandbox) -> None:
    await _hangs(sandbox, "os.kill(os.getpid(), signal.SIGSTOP)")


async def code_that_closes_every_descriptor_is_dead_and_the_next_call_is_answered(sandbox: Sandbox) -> None:
    source = """
import os
def f(close):
    if close:
        os.closerange(0, 1024)
    return 1
"""
    closed, fine = (await call(sandbox, source, (True,), (False,))).outcomes
    assert isinstance(closed, Died), closed
    assert fine == Returned(value=1, args=(False,))


# What is said ----------------------------------------------------------------------------------------------------


async def endless_output_of_a_call_is_a_timeout(sandbox: Sandbox) -> None:
    source = "import os\ndef f():\n    while True:\n        os.write(1, b'x' * 65536)\n"
    result = await call(sandbox, source, limits=Limits(call_s=0.5, output_bytes=1000))
    assert result.outcomes == (TimedOut(limit="call", seconds=0.5),)
    assert len(result.stdout) <= 1000
    assert "dropped" in result.stderr


async def _printed(sandbox: Sandbox, source: str) -> StdioRun:
    limits = Limits(wall_s=1.5, output_bytes=1000)
    return (await sandbox.run(StdioJob(source=source, stdins=("",), limits=limits))).runs[0]


async def a_script_that_prints_too_much_has_failed_by_that_limit(sandbox: Sandbox) -> None:
    run = await _printed(sandbox, "print('x' * 100_000)")
    assert run.ending == Died(reason="output", detail="it printed more than 1000 bytes")
    assert len(run.stdout) <= 1000
    endless = await _printed(sandbox, "while True:\n    print('x' * 1000)")
    assert endless.ending == run.ending


async def a_script_may_log_more_than_it_prints(sandbox: Sandbox) -> None:
    run = await _printed(sandbox, "import sys\nsys.stderr.write('x' * 100_000)\nprint(1)")
    assert (run.stdout, run.ending) == ("1\n", None)


async def a_traceback_of_megabytes_is_cut(sandbox: Sandbox) -> None:
    source = "def f(n):\n    if n:\n        return f(n - 1)\n    raise ValueError('x' * 10_000_000)\n"
    outcome = (await call(sandbox, source, (900,))).outcomes[0]
    assert isinstance(outcome, Raised)
    assert outcome.type == "ValueError"
    assert len(outcome.message) < _SHOWN
    assert len(outcome.traceback) < _SHOWN


async def an_exception_that_can_not_be_shown_is_still_one(sandbox: Sandbox) -> None:
    source = """
class Bad(Exception):
    def __str__(self):
        raise KeyError(self)
    __repr__ = __str__
def f():
    raise Bad
"""
    outcome = (await call(sandbox, source)).outcomes[0]
    assert isinstance(outcome, Raised)
    assert outcome.type == "subject:Bad"


async def an_answer_that_is_too_large_is_told_by_its_limit(sandbox: Sandbox) -> None:
    outcome = (await call(sandbox, "def f():\n    return 'x' * 100_000\n", limits=Limits(answer_bytes=4096))).outcomes[
        0
    ]
    assert isinstance(outcome, Died)
    assert (outcome.reason, "4096 are allowed" in outcome.detail or "allowed" in outcome.detail) == ("answers", True)


async def an_endless_iterator_is_read_up_to_a_bound(sandbox: Sandbox) -> None:
    value = await answer(sandbox, "import itertools\ndef f():\n    return itertools.count()\n")
    assert (value[:2], value[-1]) == (["iter", "count"], ["more"])


EVERY: tuple[Check, ...] = (
    memory_is_bounded,
    processes_are_bounded_and_none_outlives_the_job,
    output_is_bounded,
    files_are_bounded,
    bottomless_recursion_in_c_is_death_and_the_next_call_is_answered,
    code_that_ignores_all_signals_is_ended,
    code_that_stops_its_own_process_is_ended,
    code_that_closes_every_descriptor_is_dead_and_the_next_call_is_answered,
    endless_output_of_a_call_is_a_timeout,
    a_script_that_prints_too_much_has_failed_by_that_limit,
    a_script_may_log_more_than_it_prints,
    a_traceback_of_megabytes_is_cut,
    an_exception_that_can_not_be_shown_is_still_one,
    an_answer_that_is_too_large_is_told_by_its_limit,
    an_endless_iterator_is_read_up_to_a_bound,
)
CONTAINING: tuple[Check, ...] = (a_daemon_does_not_outlive_the_job, a_fork_bomb_is_gone_with_its_job)
"""Needs namespaces, sandlock's supervision, or control groups."""
OWN_DISK: tuple[Check, ...] = (many_files_are_bounded,)
"""Needs a file system of its own: elsewhere only each file is bounded."""
