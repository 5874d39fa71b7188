"""Says of one candidate whether it may stand in for the original, and on what ground."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TypeAlias, get_args

import anyio.to_thread
from msgspec import Struct
from msgspec.structs import replace

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsResult, Usage
from codeens_sandbox_backends.programs import Outcome, Program
from codeens_sandbox_backends.values.render import render_call
from codeens_server.domain.evidence import Case, Evidence
from codeens_server.domain.target import Candidate, Replacement, Target
from codeens_server.domain.terms import CaseOrigin, ConditionKind, EvidenceGrade, Isolation
from codeens_server.domain.verdict import Verdict
from codeens_server.judging.compared import what_is_compared, what_is_not
from codeens_server.judging.conditions import conditions_text
from codeens_server.judging.confirming import SuiteRuns
from codeens_server.judging.failing import WhereHelpersRaise
from codeens_server.judging.handlers import caught_unseen, said_of
from codeens_server.judging.loading import done_by_loading
from codeens_server.judging.replay import Replay, compare, failure_of, proves_something, replay
from codeens_server.judging.static_checks import refusal
from codeens_server.judging.suite import SuiteVerdict, required, run_suite
from codeens_server.workspace.edit import ConflictError, program_for
from codeens_server.workspace.text import snapshot

_WRITTEN_BY_PEOPLE: frozenset[CaseOrigin] = frozenset({"doctest", "test_case", "pinned"})
"""Cases whose outcome somebody asked for; the outcome of all others is what the original did."""

_CALLED_AGAIN = 100
"""Inputs at the most."""
Agreement: TypeAlias = Callable[[Sequence[Case], Sequence[Outcome]], bool]
"""Whether outcomes are such as a candidate passes with."""


class Judged(Struct, frozen=True, kw_only=True):
    """What came of holding one candidate to the evidence."""

    verdict: Verdict
    outcomes: tuple[Outcome, ...] = ()
    """One per case of the evidence, in its order; empty for a candidate that was refused without being run."""


async def judge(
    candidate: Candidate,
    *,
    target: Target,
    evidence: Evidence,
    sandbox: Sandbox,
    sandbox_label: str,
    refused: Collection[ConditionKind] = (),
) -> Judged:
    """Hold one candidate to the evidence: without running it, call by call, and by the user's tests, in this order.

    A gate that is not passed ends it. The outcomes of all cases are given whatever the verdict is.

    Args:
        candidate: what is judged.
        target: the function it replaces.
        evidence: what it is held to.
        sandbox: where it runs.
        sandbox_label: what people are told of that.
        refused: kinds of conditions on which it does not pass.

    Raises:
        SandboxError: the sandbox failed; nothing is known of the candidate.
        ChangedError: the target's file is not at hand any more as it was.
    """
    why = await anyio.to_thread.run_sync(refusal, target, candidate.replacement)
    if why is not None:
        return _refused(why)
    try:
        program = await anyio.to_thread.run_sync(
            partial(program_for, target, candidate.replacement, holder=evidence.holder)
        )
    except ConflictError as conflict:
        return _refused(str(conflict))
    original = await anyio.to_thread.run_sync(program_for, target, None)
    replayed = await replay(
        shown_name(target),
        program,
        evidence.cases,
        sandbox,
        refused=refused,
        beside=original,
        usual=evidence.limits,
    )
    if replayed.status == "refused":
        return _refused(replayed.reason)
    if not replayed.passes:
        verdict = _failed_replay(replayed, evidence, sandbox_label)
    elif why := await done_by_loading(program, candidate.replacement, target=target, sandbox=sandbox):
        verdict = replace(_failed_replay(replayed, evidence, sandbox_label), status="failed", reason=why)
    else:
        verdict = await _with_tests(replayed, program, target, evidence, sandbox, sandbox_label)
        if verdict.passes:
            verdict = await _with_unseen(verdict, program, candidate.replacement, target, evidence, sandbox)
    return Judged(verdict=verdict, outcomes=replayed.outcomes)


async def judge_further(
    judged: Judged,
    program: Program,
    cases: tuple[Case, ...],
    *,
    target: Target,
    evidence: Evidence,
    sandbox: Sandbox,
    refused: Collection[ConditionKind] = (),
) -> Judged:
    """Hold a candidate that passed to cases found for it alone, too. One that does not pass them is in no group.

    Raises:
        SandboxError: the sandbox failed; nothing more is known of the candidate.
    """
    name, verdict = shown_name(target), judged.verdict
    original = await anyio.to_thread.run_sync(program_for, target, None)
    replayed = await replay(name, program, cases, sandbox, refused=refused, beside=original, usual=evidence.limits)
    if not replayed.passes:
        return Judged(verdict=_failed_replay(replayed, evidence, verdict.sandbox))
    # Conditions are about all inputs together, and known ones say what results are like.
    known = CallsResult(outcomes=(*judged.outcomes, *replayed.outcomes), loaded=True, usage=Usage(wall_s=0.0))
    both = await anyio.to_thread.run_sync(
        lambda: compare(name, (*evidence.cases, *cases), known, refused=refused),
    )
    if not both.passes:
        return Judged(verdict=_failed_replay(both, evidence, verdict.sandbox))
    return Judged(
        verdict=replace(
            verdict,
            status=both.status,
            passed=both.passed + verdict.tests_passed,
            total=both.total + verdict.tests_total,
            reason=conditions_text(both.conditions) or verdict.reason,
            conditions=both.conditions,
        ),
        outcomes=judged.outcomes,
    )


async def judge_again(
    judged: Judged,
    program: Program,
    *,
    target: Target,
    evidence: Evidence,
    sandbox: Sandbox,
    seed: str,
    refused: Collection[ConditionKind] = (),
) -> Judged:
    """Call a candidate that passed with many inputs twice, in another order, in a process of its own.

    It does not pass if it then does what the original does not, called in the same way: it counts calls, or remembers.

    Raises:
        SandboxError: the sandbox failed; nothing more is known of the candidate.
    """
    known = [case for case in evidence.cases if case.expected is not None]
    chance = random.Random(seed)  # noqa: S311 - nobody shall be kept from guessing but candidates, which do not see it
    chance.shuffle(known)
    cases = [*known[:_CALLED_AGAIN], *known[:_CALLED_AGAIN]]
    chance.shuffle(cases)
    name, original = shown_name(target), await anyio.to_thread.run_sync(program_for, target, None)
    replayed = await replay(
        name, program, tuple(cases), sandbox, refused=refused, beside=original, usual=evidence.limits, in_turn=True
    )
    if replayed.passes or not (await replay(name, original, tuple(cases), sandbox, in_turn=True)).passes:
        return judged
    verdict = _failed_replay(replayed, evidence, judged.verdict.sandbox)
    reason = f"called again, in another order, it {replayed.reason}"
    return Judged(verdict=replace(verdict, reason=reason), outcomes=judged.outcomes)


def agreeing(verdict: Verdict, evidence: Evidence, outcomes: tuple[Outcome, ...]) -> Agreement:
    """Return what says whether a candidate still does what it passed with, on further cases.

    Args:
        verdict: on the candidate; on other conditions than its own it does not pass.
        evidence: what it was held to.
        outcomes: what it did on the cases of the evidence.
    """
    others = frozenset(get_args(ConditionKind)) - {condition.kind for condition in verdict.conditions}

    def agrees(cases: Sequence[Case], further: Sequence[Outcome]) -> bool:
        if len(cases) != len(further):
            return False
        both = CallsResult(outcomes=(*outcomes, *further), loaded=True, usage=Usage(wall_s=0.0))
        return compare("", (*evidence.cases, *cases), both, refused=others).passes

    return agrees


def shown_name(target: Target) -> str:
    """Return the name by which calls of the target are shown."""
    return target.qualname.rpartition("<locals>.")[2]


def _refused(why: str) -> Judged:
    return Judged(verdict=Verdict(status="refused", reason=why))


async def _with_unseen(
    verdict: Verdict,
    program: Program,
    replacement: Replacement,
    target: Target,
    evidence: Evidence,
    sandbox: Sandbox,
) -> Verdict:
    """Return the verdict once exceptions that one of both alone catches were raised where that can be done."""
    texts = (replacement.function, *replacement.helpers)
    unseen = await anyio.to_thread.run_sync(caught_unseen, target.source, texts, evidence.cases)
    if evidence.mode != "improve" or not unseen:
        return verdict
    original = await anyio.to_thread.run_sync(partial(program_for, target, None, holder=evidence.holder))
    text = await anyio.to_thread.run_sync(snapshot, target)
    beside = WhereHelpersRaise(target, text.text, original, program, evidence.cases, sandbox)
    hidden = await beside.differing(unseen)
    if hidden is None:
        return replace(verdict, uncompared=(*verdict.uncompared, *said_of(beside.unmet)))
    return replace(
        verdict,
        status="failed",
        reason=f"differs where {hidden.functions} raises {hidden.kind}",
        failure=failure_of(render_call(shown_name(target), hidden.call), hidden.ours, hidden.theirs),
        conditions=(),
    )


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
    original = await anyio.to_thread.run_sync(program_for, target, None)
    suite = await run_suite(
        target.root,
        SuiteRuns(candidate=program, original=original),
        evidence.tests,
        evidence.mode,
        sandbox,
        evidence.limits,
    )
    grade = _grade(replayed, suite, evidence)
    unproven = "" if grade != "none" else "it runs, and nothing is known of what it should do"
    return Verdict(
        status=suite.status if suite.status != "passed" else replayed.status,
        passed=replayed.passed + suite.passed,
        total=replayed.total + suite.total,
        tests_passed=suite.passed,
        tests_total=suite.total,
        evidence=grade,
        isolation=_isolation(replayed, suite, evidence),
        sandbox=sandbox_label,
        reason=suite.reason if suite.status != "passed" else unproven or conditions_text(replayed.conditions),
        failure=suite.failure,
        compared=what_is_compared(evidence),
        uncompared=what_is_not(evidence),
        conditions=replayed.conditions if suite.status == "passed" else (),
        set_aside=suite.set_aside,
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
