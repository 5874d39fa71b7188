"""Judges given programs on a task given from outside."""

from __future__ import annotations

from collections.abc import Sequence

from codeens_sandbox_backends.base import Limits, Sandbox
from codeens_server.domain import Score, Verdict
from codeens_server.errors import InputError
from codeens_server.tasks.adaptive_limits import FullTime, Pace, Runs
from codeens_server.tasks.checks import Check, check_all, defines
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
    """Judge every candidate by all that the task demands.

    `limits`, the user's, bound what has no bound in the task. Where there is a reference, what it takes bounds the
    candidates too.

    Those that meet every demand share rank 1; the others have no rank and a reason, more weight passed comes first.

    Raises:
        InputError: the task's own reference solution fails it, or a value of it cannot be given to a function.
        SandboxError: the sandbox failed; nothing is known of the candidate that was run.
    """
    runs: Runs = FullTime(limits)
    if task.reference_solution is not None:
        reference = await _check_reference(task, task.reference_solution, sandbox, limits)
        runs = Pace(limits, lambda: _already(reference))
    results = [
        _result(candidate, await check_all(task, candidate.source, sandbox, runs), task, sandbox_label)
        for candidate in candidates
    ]
    results.sort(key=lambda result: (result.rank is None, -result.weight_passed))
    return ScoreReport(task=task.id, results=tuple(results))


async def _already(reference: FullTime) -> FullTime:
    return reference


def reference_source(task: Task, reference: str) -> str:
    """The reference is a whole program, or what continues the prompt."""
    return reference if defines(reference, task.entry_point) else task.prompt + reference


async def _check_reference(task: Task, reference: str, sandbox: Sandbox, limits: Limits) -> FullTime:
    runs = FullTime(limits)
    for number, check in enumerate(await check_all(task, reference_source(task, reference), sandbox, runs)):
        if check.failure is not None:
            where = f"test_cases[{number}]" if number < len(task.test_cases) else "its tests"
            failure = check.failure
            message = (
                f"task {task.id} is broken: its reference_solution fails {where}: {failure.where} should give "
                f"{failure.expected}, not {failure.got}. Mend the task or leave reference_solution out."
            )
            raise InputError(message)
    return runs


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
