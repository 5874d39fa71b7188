"""Says of one candidate whether it may stand in for the original, and on what ground."""

from __future__ import annotations

import anyio.to_thread
from msgspec import Struct

from codeens_sandbox_backends.base import Outcome, Program, Sandbox
from codeens_server.domain import Candidate, CaseOrigin, Evidence, EvidenceGrade, Isolation, Target, Verdict
from codeens_server.judging.replay import Replay, proves_something, replay
from codeens_server.judging.static_checks import refusal
from codeens_server.judging.suite import SuiteVerdict, required, run_suite
from codeens_server.workspace.edit import ConflictError, program_for

_WRITTEN_BY_PEOPLE: frozenset[CaseOrigin] = frozenset({"doctest", "test_case", "pinned"})
"""Cases whose outcome somebody asked for; the outcome of all others is what the original did."""


class Judged(Struct, frozen=True, kw_only=True):
    """What came of holding one candidate to the evidence."""

    verdict: Verdict
    outcomes: tuple[Outcome, ...] = ()
    """One per case of the evidence, in its order; empty for a candidate that was refused without being run."""


async def judge(
    candidate: Candidate, *, target: Target, evidence: Evidence, sandbox: Sandbox, sandbox_label: str
) -> Judged:
    """Hold one candidate to the evidence: without running it, call by call, and by the user's tests, in this order.

    A gate that is not passed ends it. The outcomes of all cases are given whatever the verdict is.

    Raises:
        SandboxError: the sandbox failed; nothing is known of the candidate.
        ChangedError: the target's file is not at hand any more as it was.
    """
    why = await anyio.to_thread.run_sync(refusal, target, candidate.replacement)
    if why is not None:
        return _refused(why)
    try:
        program = await anyio.to_thread.run_sync(program_for, target, candidate.replacement)
    except ConflictError as conflict:
        return _refused(str(conflict))
    replayed = await replay(shown_name(target), program, evidence.cases, sandbox)
    if replayed.status != "passed":
        verdict = _failed_replay(replayed, evidence, sandbox_label)
    else:
        verdict = await _with_tests(replayed, program, target, evidence, sandbox, sandbox_label)
    return Judged(verdict=verdict, outcomes=replayed.outcomes)


def shown_name(target: Target) -> str:
    """Return the name by which calls of the target are shown."""
    return target.qualname.rpartition("<locals>.")[2]


def _refused(why: str) -> Judged:
    return Judged(verdict=Verdict(status="refused", reason=why))


def _failed_replay(replayed: Replay, evidence: Evidence, sandbox_label: str) -> Verdict:
    return Verdict(
        status=replayed.status,
        passed=replayed.passed,
        total=replayed.total,
        evidence=_grade(replayed, SuiteVerdict(), evidence),
        isolation="separate",
        sandbox=sandbox_label,
        reason=replayed.reason,
        failure=replayed.failure,
    )


async def _with_tests(
    replayed: Replay, program: Program, target: Target, evidence: Evidence, sandbox: Sandbox, sandbox_label: str
) -> Verdict:
    suite = await run_suite(target.root, program, evidence.tests, evidence.mode, sandbox)
    grade = _grade(replayed, suite, evidence)
    unproven = "" if grade != "none" else "it runs, and nothing is known of what it should do"
    return Verdict(
        status=suite.status,
        passed=replayed.passed + suite.passed,
        total=replayed.total + suite.total,
        tests_passed=suite.passed,
        tests_total=suite.total,
        evidence=grade,
        isolation=_isolation(replayed, suite, evidence),
        sandbox=sandbox_label,
        reason=suite.reason if suite.status != "passed" else unproven,
        failure=suite.failure,
    )


def _grade(replayed: Replay, suite: SuiteVerdict, evidence: Evidence) -> EvidenceGrade:
    asked_for = any(
        case.origin in _WRITTEN_BY_PEOPLE and case.expected is not None and proves_something(case.expected)
        for case in evidence.cases
    )
    if suite.total or asked_for:
        return "tests"
    return "differential" if replayed.total else "none"


def _isolation(replayed: Replay, suite: SuiteVerdict, evidence: Evidence) -> Isolation:
    """Return `shared` where the user's tests decide: they run in the process that the candidate runs in."""
    if not replayed.total and not suite.total:
        return "none"
    repaired = evidence.mode != "improve" and any(
        test.outcome != "passed" for test in required(evidence.tests, evidence.mode)
    )
    if suite.status != "passed" or repaired or (suite.total and not replayed.total):
        return "shared"
    return "separate"
