"""What a data set's own solutions decide, in a sandbox that answers what the test says."""

from __future__ import annotations

from typing import cast

import pytest

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CheckJob, CheckResult, Limits, Usage
from codeens_sandbox_backends.programs import Raised
from codeens_server.bench.samples import Sample
from codeens_server.bench.score import Results, judge_references, score_samples
from codeens_server.errors import InputError
from codeens_server.tasks.adaptive_limits import FLOOR_S, TaskRuns
from codeens_server.tasks.schema import Task

pytestmark = pytest.mark.anyio

LIMITS = Limits(wall_s=7.0, cpu_s=7.0)
BODY = "    return 2 * n\n"


class Checker:
    """Passes programs that hold `BODY`, and keeps what it was asked."""

    def __init__(self) -> None:
        self.jobs: list[CheckJob] = []

    async def run(self, job: CheckJob) -> CheckResult:
        self.jobs.append(job)
        right = BODY in job.program.modules[0].source
        failure = None if right else Raised(type="AssertionError")
        return CheckResult(passed=right, failure=failure, calls=1, usage=Usage(wall_s=0.02, cpu_s=0.01))

    @property
    def sources(self) -> list[str]:
        return [job.program.modules[0].source for job in self.jobs]

    @property
    def cpu_limits(self) -> list[float | None]:
        return [job.limits.cpu_s if job.limits else None for job in self.jobs]


def task(reference: str | None) -> Task:
    return Task(
        id="t",
        prompt="def twice(n):\n",
        entry_point="twice",
        tests="def check(candidate):\n    assert candidate(2) == 4\n",
        reference_solution=reference,
    )


async def references(checker: Checker, one: Task) -> dict[str, TaskRuns]:
    return await judge_references([one], sandbox=cast("Sandbox", checker), workers=1, limits=LIMITS)


async def statuses(checker: Checker, one: Task, *sources: str) -> list[str]:
    samples = [Sample(number=number, task_id="t", source=source) for number, source in enumerate(sources)]
    results = Results(None, resume=False)
    known = await references(checker, one)
    checker.jobs.clear()
    await score_samples(samples, {"t": one}, results, references=known, sandbox=cast("Sandbox", checker), workers=2)
    return [results.by_sample[sample.number].status for sample in samples]


async def test_a_task_without_a_solution_runs_nothing_and_gives_its_samples_all_the_time_there_is() -> None:
    checker = Checker()
    assert set(await references(checker, task(None))) == {"t"}
    assert checker.jobs == []
    assert await statuses(checker, task(None), f"def twice(n):\n{BODY}", "def twice(n):\n    return n\n") == [
        "passed",
        "failed",
    ]
    assert checker.cpu_limits == [None, None]


@pytest.mark.parametrize("reference", [BODY, f"def twice(n):\n{BODY}"])
async def test_a_solution_may_continue_the_prompt_and_bounds_the_samples(reference: str) -> None:
    checker = Checker()
    await references(checker, task(reference))
    assert checker.sources == [f"def twice(n):\n{BODY}"]
    assert await statuses(checker, task(reference), f"def twice(n):\n{BODY}") == ["passed"]
    assert checker.cpu_limits == [FLOOR_S]


async def test_a_task_that_its_own_solution_fails_is_refused_by_its_name() -> None:
    with pytest.raises(InputError, match="task t is broken") as caught:
        await references(Checker(), task("    return n\n"))
    assert caught.value.code == "broken_task"
