"""Calls that are late, confirmed beside the original in a sandbox that answers what the test says."""

from __future__ import annotations

from typing import cast

import pytest

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsJob, CallsResult, Usage
from codeens_sandbox_backends.programs import CallInput, Outcome, Program, Returned, TimedOut
from codeens_server.judging.lateness import run_calls

pytestmark = pytest.mark.anyio

LATE = TimedOut(limit="call", seconds=5.0)
ON_TIME = Returned(value=1)
ORIGINAL = Program(module="original", qualname="f")
JOB = CallsJob(program=Program(module="m", qualname="f"), inputs=tuple(CallInput(args=(n,)) for n in range(4)))


class Calls:
    """Answers jobs of the candidate in turn; the original always in so many seconds."""

    def __init__(self, *candidate: list[Outcome], wall_s: float = 0.1, cpu_s: float = 0.1) -> None:
        self.jobs: list[CallsJob] = []
        self._candidate = list(candidate)
        self._usage = Usage(wall_s=wall_s, cpu_s=cpu_s)

    async def run(self, job: CallsJob) -> CallsResult:
        self.jobs.append(job)
        outcomes = [ON_TIME] * len(job.inputs) if job.program == ORIGINAL else self._candidate.pop(0)
        return CallsResult(outcomes=tuple(outcomes), loaded=True, usage=self._usage)


async def ran(calls: Calls, original: Program | None = ORIGINAL) -> CallsResult:
    return await run_calls(JOB, original, None, cast("Sandbox", calls))


async def test_calls_in_time_are_made_once() -> None:
    calls = Calls([ON_TIME] * 4)
    assert (await ran(calls)).outcomes == (ON_TIME,) * 4
    assert calls.jobs == [JOB]


async def test_calls_that_are_late_again_are_late() -> None:
    calls = Calls([ON_TIME, LATE, LATE, LATE], [LATE, LATE])
    assert (await ran(calls)).outcomes == (ON_TIME, LATE, LATE, LATE)
    _, beside, again = calls.jobs
    assert beside.program == ORIGINAL
    assert beside.inputs == again.inputs == JOB.inputs[1:3]


async def test_what_was_late_on_a_busy_machine_gets_the_time_that_it_needs_there() -> None:
    calls = Calls([ON_TIME, LATE, LATE, LATE], [ON_TIME, LATE], [ON_TIME] * 4, wall_s=20.0, cpu_s=1.0)
    assert (await ran(calls)).outcomes == (ON_TIME,) * 4
    last = calls.jobs[-1]
    assert last.inputs == JOB.inputs
    assert last.limits is not None
    assert (last.limits.wall_s, last.limits.call_s, last.limits.cpu_s) == (400.0, 200.0, 10.0)


async def test_without_an_original_lateness_is_taken_as_it_is() -> None:
    calls = Calls([LATE] * 4)
    assert (await ran(calls, None)).outcomes == (LATE,) * 4
    assert len(calls.jobs) == 1
