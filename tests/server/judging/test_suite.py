"""The user's own tests as a gate, in a sandbox that answers what the test says."""

from __future__ import annotations

from typing import Any, cast

import pytest

from codeens_sandbox_backends.base import (
    Outcome,
    Program,
    Raised,
    Sandbox,
    SuiteJob,
    SuiteResult,
    TimedOut,
    Usage,
)
from codeens_sandbox_backends.base import (
    TestReport as Report,
)
from codeens_server.domain import Mode
from codeens_server.judging.suite import SuiteVerdict, required, run_suite

pytestmark = pytest.mark.anyio

PROGRAM = Program(module="m", qualname="f")
ON_ORIGINAL = (
    Report(id="t.py::good", outcome="passed", seconds=0.5),
    Report(id="t.py::bad", outcome="failed", seconds=0.5),
    Report(id="t.py::left_out", outcome="skipped"),
)


class Suite:
    """Ends as it was told, and keeps what it was asked."""

    def __init__(self, *tests: Report, failure: Outcome | None = None) -> None:
        self.jobs: list[SuiteJob] = []
        self._result = SuiteResult(tests=tests, failure=failure, usage=Usage(wall_s=0.1))

    async def run(self, job: SuiteJob) -> SuiteResult:
        self.jobs.append(job)
        return self._result


def report(name: str, outcome: Any = "passed", message: str = "") -> Report:
    return Report(id=f"t.py::{name}", outcome=outcome, message=message)


async def judged(suite: Suite, mode: Mode, tests: tuple[Report, ...] = ON_ORIGINAL) -> SuiteVerdict:
    return await run_suite("/w", PROGRAM, tests, mode, cast("Sandbox", suite))


@pytest.mark.parametrize(("mode", "names"), [("improve", ["good"]), ("repair", ["good", "bad"])])
def test_failing_tests_must_pass_only_where_something_is_repaired(mode: Mode, names: list[str]) -> None:
    assert [test.id for test in required(ON_ORIGINAL, mode)] == [f"t.py::{name}" for name in names]


async def test_only_the_tests_that_must_pass_are_run() -> None:
    suite = Suite(report("good"))
    verdict = await judged(suite, "improve")
    assert (verdict.status, verdict.passed, verdict.total) == ("passed", 1, 1)
    assert [job.selection for job in suite.jobs] == [("t.py::good",)]
    assert suite.jobs[0].program == PROGRAM


async def test_without_tests_nothing_is_run() -> None:
    suite = Suite()
    assert await judged(suite, "improve", ()) == SuiteVerdict()
    assert suite.jobs == []


async def test_a_test_that_is_not_reported_has_failed() -> None:
    verdict = await judged(Suite(report("good")), "repair")
    assert (verdict.status, verdict.passed, verdict.total) == ("failed", 1, 2)
    assert verdict.reason == "fails 1 of 2 tests, first t.py::bad"
    assert verdict.failure is not None
    assert verdict.failure.got == "it was not run"


async def test_a_skipped_test_has_not_passed() -> None:
    verdict = await judged(Suite(report("good", "skipped", "no reason")), "improve")
    assert verdict.status == "failed"
    assert verdict.failure is not None
    assert verdict.failure.got == "skipped: no reason"


@pytest.mark.parametrize(
    ("ending", "status"),
    [(TimedOut(limit="wall", seconds=10.0), "timeout"), (Raised(type="SystemExit", traceback="at line 1"), "error")],
)
async def test_a_suite_that_is_broken_off_fails_though_all_its_tests_passed(ending: Outcome, status: str) -> None:
    verdict = await judged(Suite(report("good"), failure=ending), "improve")
    assert (verdict.status, verdict.passed, verdict.total) == (status, 0, 1)
    assert verdict.reason.startswith("its tests did not run to their end, as they do on the original: ")


async def test_tests_that_take_long_on_the_original_get_more_time_than_the_sandbox_gives() -> None:
    suite = Suite(report("slow"))
    await judged(suite, "improve", (Report(id="t.py::slow", outcome="passed", seconds=5.0),))
    await judged(suite, "improve", (Report(id="t.py::slow", outcome="passed", seconds=0.1),))
    slow, quick = suite.jobs
    assert slow.limits is not None
    assert slow.limits.wall_s == slow.limits.cpu_s == 30.0
    assert quick.limits is None
