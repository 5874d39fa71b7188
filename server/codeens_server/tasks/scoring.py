"""Judges given programs on a task given from outside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import Limits
from codeens_server.domain.document import Score
from codeens_server.domain.verdict import Verdict
from codeens_server.errors import InputError
from codeens_server.tasks.adaptive_limits import FullTime, Pace, TaskRuns
from codeens_server.tasks.checks import Check, check_all
from codeens_server.tasks.schema import ScoredCandidate, ScoreReport, ScoreResult, Task

_LIMITS = Limits()


async def score_task(
    task: Task,
    candidates: Sequence[ScoredCandidate],
    *,
    sandbox: Sandbox,
    sandbox_label: str,
    limits: Limits = _LIMITS,
) -> ScoreReport:
    """Judge every candidate, a whole program each, by all that the task demands.

    Those that meet every demand share rank 1; the others have no rank and a reason, more weight passed comes first.

    Args:
        limits: the user's, for what has no bound in the task. Where there is a reference, what it takes bounds the
            candidates too.

    Raises:
        InputError: the task's own reference solution fails it, or a value of it cannot be given to a function.
        SandboxError: the sandbox failed; nothing is known of the candidate that was run.
    """
    runs = await runs_for(task, sandbox, limits)
    results = [await score_one(task, item, runs, sandbox=sandbox, sandbox_label=sandbox_label) for item in candidates]
    return report_of(task, results)


async def runs_for(task: Task, sandbox: Sandbox, limits: Limits) -> TaskRuns:
    """Return how candidates of a task are run: in the times that its reference takes, where it has one that is right.

    Raises:
        InputError: the task's own reference solution fails it, or a value of it cannot be given to a function.
        SandboxError: the sandbox failed.
    """
    reference = await judge_reference(task, sandbox, limits)
    return FullTime(limits) if reference is None else Pace(limits, partial(_already, reference))


async def judge_reference(task: Task, sandbox: Sandbox, limits: Limits) -> FullTime | None:
    """Return what the task's own solution takes; None: it has none, and nothing bounds its candidates but `limits`.

    Raises:
        InputError: the reference solution fails the task, or a value of it cannot be given to a function.
        SandboxError: the sandbox failed.
    """
    if (source := task.reference) is None:
        return None
    runs = FullTime(limits, keeps=True)
    for number, check in enumerate(await check_all(task, source, sandbox, runs)):
        if check.failure is not None:
            where = f"test_cases[{number}]" if number < len(task.test_cases) else "its tests"
            failure = check.failure
            message = (
                f"task {task.id} is broken: its reference_solution fails {where}: {failure.where} should give "
                f"{failure.expected}, not {failure.got}. Mend the task or leave reference_solution out."
            )
            raise InputError(message, code="broken_task")
    return runs


async def score_one(
    task: Task, candidate: ScoredCandidate, runs: TaskRuns, *, sandbox: Sandbox, sandbox_label: str
) -> ScoreResult:
    """Judge one candidate by all that the task demands.

    Raises:
        InputError: a value of the task cannot be given to a function.
        SandboxError: the sandbox failed; nothing is known of the candidate.
    """
    return _result(candidate, await check_all(task, candidate.source, sandbox, runs), task, sandbox_label)


def report_of(task: Task, results: Iterable[ScoreResult]) -> ScoreReport:
    """Return results as a ranking: those that meet every demand first, then by the weight of what was passed."""
    ranked = sorted(results, key=lambda result: (result.rank is None, -result.weight_passed))
    return ScoreReport(task=task.id, results=tuple(ranked))


async def _already(reference: FullTime) -> FullTime:
    return reference


def _result(candidate: ScoredCandidate, checks: list[Check], task: Task, sandbox_label: str) -> ScoreResult:
    wrong = [check for check in checks if check.failure is not None]
    total = sum(check.weight for check in checks)
    won = sum(check.weight for check in checks if check.failure is None)
    reason = _reason(wrong, len(checks))
    verdict = Verdict(
        status=wrong[0].status if wrong else "passed",
        passed=len(checks) - len(wrong),
        total=len(checks),
        tests_passed=int(task.tests is not None and checks[-1].failure is None),
        tests_total=int(task.tests is not None),
        evidence="tests",
        isolation="separate",
        sandbox=sandbox_label,
        reason=reason,
        failure=wrong[0].failure if wrong else None,
    )
    return ScoreResult(
        rank=None if wrong else 1,
        candidate=candidate,
        verdict=verdict,
        weight_passed=won,
        weight_total=total,
        score=Score(total=100.0 * won / total if total else 0.0),
        reason=reason,
    )


def _reason(wrong: list[Check], total: int) -> str:
    if not wrong or wrong[0].failure is None:
        return ""
    failure = wrong[0].failure
    return (
        f"fails {len(wrong)} of {total} checks, first {failure.where}: expected {failure.expected}, got {failure.got}"
    )
