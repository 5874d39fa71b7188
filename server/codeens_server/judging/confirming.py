"""Whether tests fail because of the candidate: it is run again, and beside it the original, under the same load.

A test that fails on the original too, or only now and then on either, changes its mind on the same code. It is set
aside by name, and proves nothing against a candidate.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import anyio
from msgspec import Struct, structs

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import Limits, SuiteJob, SuiteResult, TestReport
from codeens_sandbox_backends.programs import Outcome, Program, TimedOut

_PAIRS = 3
"""Runs of candidate and original to confirm a failure. A test that fails half of its runs is taken for the candidate's
fault once in 2 ** (2 * pairs + 2) candidates."""
_ENOUGH_S = 20.0
"""After which no further pair starts; the first always runs."""
_LONG_LOOK = 16
"""Further runs of the original where a candidate fails only now and then: is it the test?"""
_MOST_LOOK_S = 60.0
_LONGER = 5.0
"""Times what a candidate had, for the original that is run beside it: that it ends says that the tests can."""


class SuiteRuns(NamedTuple):
    """Two programs that are run under the same tests."""

    candidate: Program
    original: Program


class Confirmation(Struct, frozen=True, kw_only=True):
    """What is the candidate's doing, and what is not."""

    wrong: dict[str, TestReport | None] = {}
    """Tests that fail on the candidate, each as it last failed; None where it was not run."""
    ending: Outcome | None = None
    """What kept the candidate's suite from its end, each time."""
    set_aside: tuple[str, ...] = ()
    """Tests that change their mind on the same code, or could not be run again on the original."""


def failing(selection: Iterable[str], result: SuiteResult) -> frozenset[str]:
    """Return the tests of a selection that were not reported as passed."""
    passed = {report.id for report in result.tests if report.outcome == "passed"}
    return frozenset(selection) - passed


async def confirm(
    job: SuiteJob, original: Program, first: SuiteResult, passing: frozenset[str], sandbox: Sandbox
) -> Confirmation:
    """Find out what of a candidate's failures is its own.

    Args:
        job: what was run.
        original: the program beside which it is run again.
        first: how that ended.
        passing: tests that the original is known to pass; of others its failures say nothing.
        sandbox: where both run.

    Raises:
        SandboxError: the sandbox failed; nothing is known of the code.
    """
    beside = structs.replace(job, program=original)
    pairs = _Pairs(job, beside, passing, sandbox)
    if not isinstance(first.failure, TimedOut):
        pairs.take(first)
        return await pairs.confirmed()
    limits = job.limits or Limits()
    longer = structs.replace(limits, wall_s=_LONGER * limits.wall_s, cpu_s=_LONGER * limits.cpu_s)
    reference = await sandbox.run(structs.replace(beside, limits=longer))
    again = await pairs.with_limits(limits.roomy(reference.usage))
    pairs.take(again)
    pairs.acquit(reference)
    return pairs.found() if again.failure is not None else await pairs.confirmed()


class _Pairs:
    """Runs of candidate and original, and how often each test failed on the candidate."""

    def __init__(self, job: SuiteJob, beside: SuiteJob, passing: frozenset[str], sandbox: Sandbox) -> None:
        self._job = job
        self._beside = beside
        self._passing = passing
        self._sandbox = sandbox
        self._suspects: set[str] = set()
        self._reports: dict[str, TestReport | None] = {}
        self._failed: Counter[str] = Counter()
        self._runs = 0
        self._ending: Outcome | None = None
        self._set_aside: set[str] = set()

    async def with_limits(self, limits: Limits) -> SuiteResult:
        """Run the candidate within these, and all that follows too."""
        self._job = structs.replace(self._job, limits=limits)
        self._beside = structs.replace(self._beside, limits=limits)
        return await self._sandbox.run(self._job)

    def take(self, result: SuiteResult) -> None:
        """Count what failed in a run of the candidate; what fails in the first one is suspect."""
        wrong = failing(self._job.selection, result)
        if self._runs == 0:
            self._suspects |= wrong
            self._ending = result.failure
        elif result.failure is None:
            self._ending = None
        self._runs += 1
        reports = {report.id: report for report in result.tests}
        for test in wrong & self._suspects:
            self._failed[test] += 1
            self._reports[test] = reports.get(test)

    def acquit(self, original: SuiteResult) -> None:
        """Set aside what fails on the original itself, or was not run there."""
        unsure = failing(self._job.selection, original) & self._passing
        self._set_aside |= unsure
        self._suspects -= unsure
        if original.failure is not None:
            self._ending = None

    async def confirmed(self) -> Confirmation:
        """Run pairs until it is clear."""
        begun = time.monotonic()
        while (self._suspects or self._ending is not None) and self._runs <= _PAIRS:
            if self._runs > 1 and time.monotonic() - begun > _ENOUGH_S:
                break
            await self._run_pair(last=self._runs == _PAIRS)
        await self._look_long()
        return self.found()

    def found(self) -> Confirmation:
        """Return what is known by now. A test that failed in one run of several is no ground to reject anything."""
        once = {test for test in self._suspects if self._failed[test] == 1 < self._runs}
        wrong = self._suspects - once
        aside = self._set_aside | once
        return Confirmation(
            wrong={test: self._reports[test] for test in self._job.selection if test in wrong},
            ending=self._ending,
            set_aside=tuple(test for test in self._job.selection if test in aside),
        )

    async def _run_pair(self, *, last: bool) -> None:
        """The last pair runs in interpreters of its own: what depends on the order of sets depends on these."""
        results: dict[str, SuiteResult] = {}

        async def run(name: str, job: SuiteJob) -> None:
            results[name] = await self._sandbox.run(structs.replace(job, fresh=last))

        async with anyio.create_task_group() as group:
            group.start_soon(run, "original", self._beside)
            group.start_soon(run, "candidate", self._job)
        self.take(results["candidate"])
        self.acquit(results["original"])

    async def _look_long(self) -> None:
        """Run the original some more times, where the candidate fails a test in some runs and passes it in others."""
        begun = time.monotonic()
        for _ in range(_LONG_LOOK):
            torn = {test for test in self._suspects if 1 < self._failed[test] < self._runs}
            if not torn & self._passing or time.monotonic() - begun > _MOST_LOOK_S:
                return
            self.acquit(await self._sandbox.run(self._beside))
