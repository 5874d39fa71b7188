"""Limits of time do not count what the machine gave to others."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from codeens_sandbox_backends.jobs import CallsJob, CheckJob, Limits, StdioJob
from codeens_sandbox_backends.programs import Returned, TimedOut
from tests.sandbox_backends.programs import call, program
from tests.sandbox_backends.warm import MARKS, opened

pytestmark = MARKS
_SPINNERS = 5
_WORK = """
import time
def f(seconds):
    begun = time.process_time()
    while time.process_time() - begun < seconds:
        pass
    return seconds
"""
_SHORT = Limits(call_s=0.6, wall_s=0.8)


@pytest.fixture
def busy() -> Iterator[None]:
    """One processor for this process and those it starts, which others keep busy."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    spinners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(_SPINNERS)]
    try:
        yield
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize("warm", [True, False])
async def test_calls_that_are_kept_waiting_for_a_processor_are_not_late(busy: None, warm: bool) -> None:
    async with opened(warm=warm) as sandbox:
        result = await sandbox.run(CallsJob(program=program(_WORK), inputs=(call(0.1), call(0.3)), limits=_SHORT))
    assert result.outcomes == (Returned(value=0.1, args=(0.1,)), Returned(value=0.3, args=(0.3,)))


async def test_scripts_and_checks_that_are_kept_waiting_for_a_processor_are_not_late(busy: None) -> None:
    async with opened() as sandbox:
        script = await sandbox.run(StdioJob(source=f"{_WORK}\nprint(f(0.3))", stdins=("",), limits=_SHORT))
        check = await sandbox.run(
            CheckJob(program=program(_WORK), tests="assert f(0.3) == 0.3", name="f", limits=_SHORT)
        )
    assert (script.runs[0].ending, script.runs[0].stdout) == (None, "0.3\n")
    assert check.passed


@pytest.mark.parametrize("warm", [True, False])
async def test_a_call_that_sleeps_is_late_however_busy_the_machine_is(busy: None, warm: bool) -> None:
    job = CallsJob(program=program("import time\ndef f(s): time.sleep(s)"), inputs=(call(20),), limits=_SHORT)
    async with opened(warm=warm) as sandbox:
        result = await sandbox.run(job)
    assert isinstance(result.outcomes[0], TimedOut)
