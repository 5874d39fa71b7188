"""The user's own tests as a gate, in a sandbox that answers what the test says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import pytest

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import Limits, SuiteJob, SuiteResult, Usage
from codeens_sandbox_backends.jobs import TestReport as Report
from codeens_sandbox_backends.programs import Outcome, Program, Raised, TimedOut
from codeens_server.domain.terms import Mode
from codeens_server.judging.confirming import SuiteRuns
from codeens_server.judging.suite import SuiteVerdict, required, run_suite

pytestmark = pytest.mark.anyio

CANDIDATE = Program(module="m", qualname="f")
ORIGINAL = Program(module="original", qualname="f")
ON_ORIGINAL = (
    Report(id="t.py::good", outcome="passed", seconds=0.5),
    Report(id="t.py::bad", outcome="failed", seconds=0.5),
    Report(id="t.py::left_out", outcome="skipped"),
)
LATE = TimedOut(limit="wall", seconds=10.0)


class Run(NamedTuple):
    """How a run of the suite ends."""

    tests: tuple[Report, ...] = ()
    failure: Outcome | None = None
    wall_s: float = 0.1


class Suite:
    """Ends as it was told, for each program in turn and then always as the last time; keeps what it was asked."""

    def __init__(self, *candidate: Run, original: Sequence[Run] = ()) -> None:
        self.jobs: list[SuiteJob] = []
        self._runs = {"m": list(candidate), "original": list(original) or [run("good", "bad")]}

    async def run(self, job: SuiteJob) -> SuiteResult:
        self.jobs.append(job)
        runs = self._runs[job.program.module]
        ended = runs.pop(0) if len(runs) > 1 else runs[0]
        return SuiteResult(tests=ended.tests, failure=ended.failure, usage=Usage(wall_s=ended.wall_s))


def report(name: str, outcome: Any = "passed", message: str = "") -> Report:
    return Report(id=f"t.py::{name}", outcome=outcome, message=message)


def run(*passed: str, failed: str = "", failure: Outcome | None = None, wall_s: float = 0.1) -> Run:
    wrong = [report(name, "failed", "no") for name in failed.split()]
    return Run((*map(report, passed), *wrong), failure, wall_s)


async def judged(suite: Suite, mode: Mode, tests: tuple[Report, ...] = ON_ORIGINAL) -> SuiteVerdict:
    programs = SuiteRuns(candidate=CANDIDATE, original=ORIGINAL)
    return await run_suite("/w", programs, tests, mode, cast("Sandbox", suite))


@pytest.mark.parametrize(("mode", "names"), [("improve", ["good"]), ("repair", ["good", "bad"])])
def test_failing_tests_must_pass_only_where_something_is_repaired(mode: Mode, names: list[str]) -> None:
    assert [test.id for test in required(ON_ORIGINAL, mode)] == [f"t.py::{name}" for name in names]


async def test_only_the_tests_that_must_pass_are_run() -> None:
    suite = Suite(run("good"))
    verdict = await judged(suite, "improve")
    assert (verdict.status, verdict.passed, verdict.total) == ("passed", 1, 1)
    assert [job.selection for job in suite.jobs] == [("t.py::good",)]
    assert suite.jobs[0].program == CANDIDATE


async def test_without_tests_nothing_is_run() -> None:
    suite = Suite(run())
    assert await judged(suite, "improve", ()) == SuiteVerdict()
    assert suite.jobs == []


async def test_a_test_that_is_not_reported_has_failed() -> None:
    verdict = await judged(Suite(run("good")), "repair")
    assert (verdict.status, verdict.passed, verdict.total) == ("failed", 1, 2)
    assert verdict.reason == "fails 1 of 2 tests, first t.py::bad"
    assert verdict.failure is not None
    assert verdict.failure.got == "it was not run"


async def test_a_skipped_test_has_not_passed() -> None:
    verdict = await judged(Suite(Run((report("good", "skipped", "no reason"),))), "improve")
    assert verdict.status == "failed"
    assert verdict.failure is not None
    assert verdict.failure.got == "skipped: no reason"


@pytest.mark.parametrize(
    ("ending", "status"),
    [(LATE, "timeout"), (Raised(type="SystemExit", traceback="at line 1"), "error")],
)
async def test_a_suite_that_is_broken_off_fails_though_all_its_tests_passed(ending: Outcome, status: str) -> None:
    verdict = await judged(Suite(run("good", failure=ending)), "improve")
    assert (verdict.status, verdict.passed, verdict.total) == (status, 0, 1)
    assert verdict.reason.startswith("its tests did not run to their end, as they do on the original: ")


PASSING = (Report(id="t.py::good", outcome="passed"), Report(id="t.py::other", outcome="passed"))


async def test_a_test_that_fails_each_time_on_the_candidate_alone_rejects_it() -> None:
    suite = Suite(run("good", failed="other"), original=[run("good", "other")])
    verdict = await judged(suite, "improve", PASSING)
    assert (verdict.status, verdict.passed, verdict.total) == ("failed", 1, 2)
    assert verdict.set_aside == ()
    assert {job.program.module for job in suite.jobs} == {"m", "original"}


async def test_a_test_that_fails_beside_it_on_the_original_too_is_set_aside() -> None:
    suite = Suite(run("good", failed="other"), original=[run("good", "other"), run("good", failed="other")])
    verdict = await judged(suite, "improve", PASSING)
    assert (verdict.status, verdict.passed, verdict.total) == ("passed", 1, 1)
    assert verdict.set_aside == ("t.py::other",)


async def test_a_test_that_fails_once_and_never_again_is_set_aside() -> None:
    suite = Suite(run("good", failed="other"), run("good", "other"), original=[run("good", "other")])
    verdict = await judged(suite, "improve", PASSING)
    assert (verdict.status, verdict.set_aside) == ("passed", ("t.py::other",))


async def test_where_a_candidate_fails_now_and_then_the_original_is_looked_at_for_longer() -> None:
    right, wrong = run("good", "other"), run("good", failed="other")
    rejected = await judged(Suite(wrong, right, wrong, right, original=[right]), "improve", PASSING)
    assert rejected.reason == "fails 1 of 2 tests, first t.py::other"
    late = [*[right] * 10, wrong]
    acquitted = await judged(Suite(wrong, right, wrong, right, original=late), "improve", PASSING)
    assert (acquitted.status, acquitted.set_aside) == ("passed", ("t.py::other",))


async def test_a_candidate_that_breaks_only_what_is_sound_is_not_saved_by_a_flaky_test() -> None:
    suite = Suite(run(failed="good other"), original=[run("good", failed="other")])
    verdict = await judged(suite, "improve", PASSING)
    assert (verdict.status, verdict.reason) == ("failed", "fails 1 of 1 tests, first t.py::good")
    assert verdict.set_aside == ("t.py::other",)


async def test_a_run_that_is_late_is_repeated_in_what_the_original_needs_now() -> None:
    suite = Suite(run(failure=LATE), run("good", "other"), original=[run("good", "other", wall_s=40.0)])
    verdict = await judged(suite, "improve", PASSING)
    assert (verdict.status, verdict.passed, verdict.set_aside) == ("passed", 2, ())
    first, beside, again = suite.jobs
    assert first.limits is None
    assert beside.program == ORIGINAL
    assert again.limits is not None
    assert again.limits.wall_s > 4 * 40.0


async def test_a_run_that_is_late_again_beside_an_original_that_is_not_rejects() -> None:
    suite = Suite(run("good", failure=LATE), original=[run("good", "other")])
    verdict = await judged(suite, "improve", PASSING)
    assert (verdict.status, verdict.passed, verdict.total) == ("timeout", 1, 2)


async def test_tests_that_the_original_does_not_end_now_either_prove_nothing() -> None:
    suite = Suite(run("good", failure=LATE), original=[run("good", failure=LATE)])
    verdict = await judged(suite, "improve", PASSING)
    assert (verdict.status, verdict.passed, verdict.total) == ("passed", 1, 1)
    assert verdict.set_aside == ("t.py::other",)


def test_limits_leave_room_for_what_takes_some_times_as_long() -> None:
    quick = Limits().roomy(Usage(wall_s=0.2, cpu_s=0.1))
    slow = Limits().roomy(Usage(wall_s=30.0, cpu_s=12.0))
    assert (quick.wall_s, quick.cpu_s) == (11.0, 10.5)
    assert (slow.wall_s, slow.cpu_s) == (160.0, 70.0)
