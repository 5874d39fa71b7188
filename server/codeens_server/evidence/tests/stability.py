"""Run the tests that are to judge candidates again on the original: those that change their mind judge nobody."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import Limits, SuiteJob, SuiteResult, TestReport, Usage
from codeens_sandbox_backends.programs import Program
from codeens_sandbox_backends.values.render import render_outcome
from codeens_server.domain.evidence import Excluded

_RUNS = 2
_ENOUGH_S = 10.0
"""After which the tests are not run once more."""
FLAKY = "it ends in different ways on the same code (flaky)"


class SteadyTests(Struct, frozen=True, kw_only=True):
    """Tests that ended alike each time, alone as candidates will run them, and what a run of them may take."""

    tests: tuple[TestReport, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    limits: Limits | None = None


async def steady(
    tests: Sequence[TestReport],
    *,
    root: str,
    program: Program,
    limits: Limits,
    took: Sequence[Usage],
    sandbox: Sandbox,
) -> SteadyTests:
    """Run just these tests again, and leave out those that end otherwise than they did.

    Args:
        tests: how they ended.
        root: the workspace.
        program: the original.
        limits: what a job may take at the least.
        took: what the runs took in which they ended so.
        sandbox: where they run.

    Raises:
        SandboxError: the sandbox failed.
    """
    kept: tuple[TestReport, ...] = tuple(tests)
    excluded: list[Excluded] = []
    allowed = limits.roomy(
        Usage(wall_s=sum(usage.wall_s for usage in took), cpu_s=sum(usage.cpu_s or 0.0 for usage in took))
    )
    seconds = 0.0
    for _ in range(_RUNS):
        if not kept or seconds > _ENOUGH_S:
            break
        selection = tuple(test.id for test in kept)
        job = SuiteJob(kind="pytest", root=root, program=program, selection=selection, limits=allowed)
        result = await sandbox.run(job)
        seconds += result.usage.wall_s
        excluded += _unsteady(kept, result)
        aside = {entry.what for entry in excluded}
        kept = tuple(test for test in kept if test.id not in aside)
        allowed = limits.roomy(result.usage)
    return SteadyTests(tests=kept, excluded=tuple(excluded), limits=allowed if kept else None)


def _unsteady(tests: Sequence[TestReport], again: SuiteResult) -> list[Excluded]:
    reports = {report.id: report for report in again.tests}
    missing = "it is not run when only the tests of the function are"
    if again.failure is not None:
        missing = f"it did not run to its end again: {render_outcome(again.failure)}"
    return [
        Excluded(what=test.id, count=1, why=FLAKY if test.id in reports else missing)
        for test in tests
        if test.id not in reports or _passed(reports[test.id]) != _passed(test)
    ]


def _passed(report: TestReport) -> bool:
    return report.outcome == "passed"
