"""What is done once all candidates are known: the behaviour map, agreement, the ranking, the document."""

from __future__ import annotations

from collections.abc import Mapping

import anyio
import anyio.to_thread
from msgspec.structs import replace

from codeens_sandbox_backends.base import Outcome, Program
from codeens_sandbox_backends.errors import SandboxError
from codeens_sandbox_backends.executor import Executor
from codeens_server.domain import Candidate, Cluster, Evidence, Replacement, Run, Target, Verdict
from codeens_server.evidence.strategies.inputs import strategy_for
from codeens_server.generation.reply.assemble import digest
from codeens_server.judging.clusters import agree, behaviour_clusters, find_differences
from codeens_server.ranking.rank import Entry, rank
from codeens_server.ranking.scorers import load_scorers
from codeens_server.run.plan import Plan
from codeens_server.run.state import ORIGINAL, RunState
from codeens_server.workspace.edit import ConflictError, program_for
from codeens_server.workspace.text import snapshot

DIFFERENCES_BUDGET_S = 20.0
"""Seconds given to the search for the smallest inputs on which clusters differ."""


def original_replacement(target: Target) -> Replacement:
    """The original as if it were a candidate."""
    return Replacement(function=target.source)


async def conclude(
    plan: Plan, evidence: Evidence, state: RunState, executor: Executor, *, wall_s: float, stopped: str
) -> Run:
    """Make the document of a run from what is known, also when it was stopped early."""
    outcomes = _all_outcomes(evidence, state)
    clusters = await anyio.to_thread.run_sync(behaviour_clusters, outcomes, evidence.cases, state.weights())
    if not stopped and len(clusters) > 1:
        clusters = await _with_differences(plan, evidence, state, executor, clusters, outcomes)
    where = {member: cluster.index for cluster in clusters for member in cluster.members}
    shares = _agreement(evidence, state, outcomes)
    entries = [_entry(state, candidate, where, shares, stopped) for candidate in state.candidates.values()]
    scorers = await anyio.to_thread.run_sync(load_scorers, plan.settings)
    original = _original(plan.target, evidence, state, executor.label, where.get(ORIGINAL))
    ranking = await anyio.to_thread.run_sync(
        lambda: rank(
            original,
            entries,
            target=plan.target,
            goal=plan.request.goal,
            settings=plan.settings,
            scorers=scorers,
            stopped=stopped,
        )
    )
    state.failures.extend(ranking.notes)
    return Run(
        run_id=plan.run_id,
        target=plan.target,
        mode=evidence.mode,
        goal=plan.request.goal,
        evidence=evidence,
        original=ranking.original,
        results=ranking.results,
        clusters=clusters,
        best=ranking.best,
        headline=ranking.headline,
        summary=state.summary(wall_s=wall_s, stopped=stopped),
    )


def _all_outcomes(evidence: Evidence, state: RunState) -> dict[str, tuple[Outcome, ...]]:
    """Outcome vectors of the candidates, and of the original where all of its outcomes are known."""
    known = tuple(case.expected for case in evidence.cases if case.expected is not None)
    is_known = evidence.mode == "improve" and len(known) == len(evidence.cases) and known
    return ({ORIGINAL: known} if is_known else {}) | state.outcomes


async def _with_differences(
    plan: Plan,
    evidence: Evidence,
    state: RunState,
    executor: Executor,
    clusters: tuple[Cluster, ...],
    outcomes: Mapping[str, tuple[Outcome, ...]],
) -> tuple[Cluster, ...]:
    programs = await anyio.to_thread.run_sync(_programs, plan.target, state, clusters)
    source = await anyio.to_thread.run_sync(snapshot, plan.target)
    examples = [case.input for case in evidence.cases]
    strategy = strategy_for(plan.target, examples, source.text)
    try:
        return await find_differences(
            clusters,
            programs=programs,
            target=plan.target,
            strategy=strategy,
            cases=evidence.cases,
            sandbox=executor,
            outcomes=outcomes,
            budget_s=DIFFERENCES_BUDGET_S,
        )
    except SandboxError as error:
        state.failures.append(f"behaviour map: smallest inputs not searched: {error}")
        return clusters


def _programs(target: Target, state: RunState, clusters: tuple[Cluster, ...]) -> dict[str, Program]:
    programs: dict[str, Program] = {}
    for member in (member for cluster in clusters for member in cluster.members):
        replacement = None if member == ORIGINAL else state.candidates[member].replacement
        try:
            programs[member] = program_for(target, replacement)
        except ConflictError:
            continue
    return programs


def _agreement(evidence: Evidence, state: RunState, outcomes: Mapping[str, tuple[Outcome, ...]]) -> dict[str, float]:
    """Shares of agreement between those that passed, of each that agrees with another answer.

    Empty where it is known for all inputs what should come out.
    """
    unknown = [index for index, case in enumerate(evidence.cases) if case.expected is None]
    if not unknown:
        return {}
    passed = {candidate.id for candidate in state.passed()}
    vectors = {
        key: tuple(vector[index] for index in unknown)
        for key, vector in outcomes.items()
        if len(vector) == len(evidence.cases) and key in passed
    }
    weights = state.weights()
    answers = sum(weights[key] for key in vectors)
    return {key: share for key, share in agree(vectors, weights).items() if round(share * answers) > 1}


def _entry(
    state: RunState, candidate: Candidate, where: Mapping[str, int], shares: Mapping[str, float], stopped: str
) -> Entry:
    verdict = state.verdicts.get(candidate.id)
    if verdict is None:
        why = state.not_run.get(candidate.id) or f"the run was stopped ({stopped or 'unfinished'})"
        return Entry(candidate=candidate, verdict=Verdict(status="error", reason=why), not_run=why)
    if candidate.id in shares and verdict.status == "passed" and verdict.evidence == "none":
        verdict = replace(
            verdict, evidence="agreement", reason=f"{shares[candidate.id]:.0%} of the answers do the same"
        )
    return Entry(
        candidate=candidate,
        verdict=verdict,
        measurement=state.measurements.get(candidate.id),
        cluster=where.get(candidate.id),
    )


def _original(target: Target, evidence: Evidence, state: RunState, label: str, cluster: int | None) -> Entry:
    replacement = original_replacement(target)
    candidate = Candidate(
        id=ORIGINAL,
        model=ORIGINAL,
        variant="as it stands",
        source=target.source,
        replacement=replacement,
        digest=digest(replacement),
        cost_usd=0.0,
    )
    return Entry(
        candidate=candidate,
        verdict=_original_verdict(evidence, label),
        measurement=state.baseline.measurement if state.baseline else None,
        cluster=cluster,
    )


def _original_verdict(evidence: Evidence, label: str) -> Verdict:
    tests_passed = sum(test.outcome == "passed" for test in evidence.tests)
    known = sum(case.expected is not None for case in evidence.cases)
    if evidence.mode == "improve":
        return Verdict(
            status="passed",
            passed=known + tests_passed,
            total=known + len(evidence.tests),
            tests_passed=tests_passed,
            tests_total=len(evidence.tests),
            evidence="tests" if evidence.tests else "differential" if known else "none",
            isolation="separate",
            sandbox=label,
        )
    reason = "it has no body" if evidence.mode == "implement" else "it is what is to be repaired"
    return Verdict(
        status="failed",
        passed=tests_passed,
        total=len(evidence.tests),
        tests_passed=tests_passed,
        tests_total=len(evidence.tests),
        evidence="tests" if evidence.tests else "none",
        isolation="shared" if evidence.tests else "none",
        sandbox=label,
        reason=reason,
    )
