"""What time candidates get, on a sandbox that only pretends to run: limits are what is asked about here."""

from __future__ import annotations

from typing import Any, Literal, cast

import pytest
from msgspec import structs

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CheckJob, CheckResult, Limits, StdioJob, StdioResult, StdioRun, Usage
from codeens_sandbox_backends.programs import ModuleSource, Program, TimedOut
from codeens_server.tasks.adaptive_limits import FACTOR, FLOOR_S, ROOM, FullTime, Pace
from codeens_server.tasks.schema import Task
from codeens_server.tasks.scoring import runs_for

pytestmark = pytest.mark.anyio

FULL = Limits(wall_s=30.0, cpu_s=30.0, call_s=10.0)
JOB = CheckJob(program=Program(module="m", qualname="f"), tests="", name="f")


class Needs:
    """A sandbox in which every job needs so much processor time and sleeps so long."""

    def __init__(self, *, cpu_s: float, asleep_s: float = 0.0) -> None:
        self.cpu_s = cpu_s
        self.asleep_s = asleep_s
        self.given: list[Limits] = []
        self.sources: list[str] = []

    async def run(self, job: Any) -> CheckResult | StdioResult:
        limits = job.limits or FULL
        self.given.append(limits)
        if isinstance(job, CheckJob):
            self.sources += [module.source for module in job.program.modules]
        late: Literal["cpu", "wall"] | None = None
        if self.cpu_s > limits.cpu_s:
            late = "cpu"
        elif self.cpu_s + self.asleep_s > limits.wall_s:
            late = "wall"
        failure = TimedOut(limit=late, seconds=1.0) if late else None
        usage = Usage(wall_s=0.0, cpu_s=self.cpu_s)
        if isinstance(job, StdioJob):
            runs = [StdioRun(stdout="", stderr="", ending=failure, usage=usage) for _ in job.stdins]
            return StdioResult(runs=tuple(runs))
        return CheckResult(calls=1, passed=late is None, failure=failure, usage=usage)


def sandbox(needs: Needs) -> Sandbox:
    return cast("Sandbox", needs)


def pace(reference_s: float) -> tuple[Pace, list[int]]:
    asked: list[int] = []

    async def reference() -> FullTime:
        asked.append(1)
        runs = FullTime()
        await runs.run("tests", JOB, sandbox(Needs(cpu_s=reference_s)))
        await runs.run("scripts", StdioJob(source="", stdins=("", "")), sandbox(Needs(cpu_s=reference_s)))
        return runs

    return Pace(FULL, reference), asked


async def test_who_is_quick_is_run_once_and_the_reference_never() -> None:
    runs, asked = pace(0.01)
    needs = Needs(cpu_s=0.05)
    assert (await runs.run("tests", JOB, sandbox(needs))).passed
    assert ([limits.cpu_s for limits in needs.given], asked) == ([FLOOR_S], [])


async def test_who_uses_up_many_times_the_references_time_is_late_for_good() -> None:
    runs, asked = pace(0.001)
    needs = Needs(cpu_s=100.0)
    for _ in range(2):
        assert not (await runs.run("tests", JOB, sandbox(needs))).passed
    assert ([limits.cpu_s for limits in needs.given], asked) == ([FLOOR_S] * 2, [1])


async def test_a_slow_reference_gives_time_to_all() -> None:
    runs, _ = pace(0.1)
    needs = Needs(cpu_s=1.5)
    assert (await runs.run("tests", JOB, sandbox(needs))).passed
    assert needs.given[-1].cpu_s == FACTOR * 0.1


async def test_who_only_waited_gets_all_the_time_there_is() -> None:
    runs, _ = pace(0.001)
    needs = Needs(cpu_s=0.01, asleep_s=20.0)
    assert (await runs.run("tests", JOB, sandbox(needs))).passed
    assert needs.given[-1] == FULL


async def test_who_loads_what_is_not_pythons_own_gets_all_the_time_there_is() -> None:
    runs, asked = pace(0.001)
    needs = Needs(cpu_s=5.0)
    source = "import math\nfrom numpy.linalg import norm\ndef f(): pass\n"
    job = structs.replace(
        JOB, program=Program(module="m", qualname="f", modules=(ModuleSource(name="m", source=source),))
    )
    assert (await runs.run("tests", job, sandbox(needs))).passed
    assert [limits.cpu_s for limits in needs.given] == [FLOOR_S, FULL.cpu_s]
    assert asked == [1]


async def test_scripts_are_given_what_the_slowest_run_of_the_reference_makes_appear_enough() -> None:
    runs, _ = pace(0.1)
    needs = Needs(cpu_s=100.0)
    result = await runs.run("scripts", StdioJob(source="while True: pass", stdins=("", "")), sandbox(needs))
    assert [run.ending for run in result.runs] == [TimedOut(limit="cpu", seconds=1.0)] * 2
    assert [limits.cpu_s for limits in needs.given] == [FLOOR_S, FACTOR * 0.1]


async def test_a_reference_that_is_slow_here_gives_a_few_times_as_long_where_the_task_states_no_time() -> None:
    runs, _ = pace(10.0)
    assert (await runs.run("tests", JOB, sandbox(Needs(cpu_s=ROOM * 10.0 - 1)))).passed
    assert not (await runs.run("tests", JOB, sandbox(Needs(cpu_s=ROOM * 10.0 + 1)))).passed


async def test_a_reference_that_needs_longer_than_usual_is_waited_for() -> None:
    needs = Needs(cpu_s=2 * FULL.cpu_s)
    assert (await FullTime(FULL, keeps=True).run("tests", JOB, sandbox(needs))).passed
    assert not (await FullTime(FULL).run("tests", JOB, sandbox(needs))).passed


async def test_a_job_with_limits_of_its_own_never_gets_more() -> None:
    runs, _ = pace(10.0)
    needs = Needs(cpu_s=100.0)
    await runs.run("tests", structs.replace(JOB, limits=FULL), sandbox(needs))
    assert max(limits.cpu_s for limits in needs.given) == FULL.cpu_s


async def test_no_reference_bounds_the_candidates_of_a_task_that_has_none() -> None:
    task = Task(id="t", prompt="Anything.", entry_point="f", tests="assert f()")
    needs = Needs(cpu_s=20.0)

    runs = await runs_for(task, sandbox(needs), FULL)

    assert needs.given == []
    assert (await runs.run("tests", structs.replace(JOB, limits=FULL), sandbox(needs))).passed


async def test_a_reference_that_continues_the_prompt_is_run_as_a_whole_program() -> None:
    task = Task(id="t", prompt="def f():\n", entry_point="f", tests="assert f()", reference_solution="    return 1\n")
    needs = Needs(cpu_s=1.0)

    runs = await runs_for(task, sandbox(needs), FULL)

    assert needs.sources == ["def f():\n    return 1\n"]
    slow = Needs(cpu_s=100.0)
    assert not (await runs.run("tests", JOB, sandbox(slow))).passed
    assert slow.given[-1].cpu_s == FACTOR * 1.0
