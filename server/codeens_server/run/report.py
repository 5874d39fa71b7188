"""What is done once all candidates are known: the behaviour map, agreement, the ranking, the document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import anyio.to_thread
from msgspec.structs import replace

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.programs import Outcome, Program, Returned
from codeens_sandbox_backends.values.outcomes import outcome_key
from codeens_server.config.settings import Settings
from codeens_server.domain.document import Cluster, Machine, RunDocument
from codeens_server.domain.evidence import Evidence
from codeens_server.domain.target import Candidate, Replacement, Target
from codeens_server.domain.terms import ORIGINAL, Equality
from codeens_server.domain.verdict import Verdict
from codeens_server.evidence.strategies.inputs import strategy_for
from codeens_server.generation.reply.assemble import digest
from codeens_server.judging.clusters import agree, behaviour_clusters, find_differences
from codeens_server.judging.replay import proves_something
from codeens_server.ranking.agreement import NOTHING, best
from codeens_server.ranking.rank import Entry, Ranking, rank
from codeens_server.ranking.scorers import load_scorers
from codeens_server.run.state import RunState
from codeens_server.workspace.edit import ConflictError, program_for
from codeens_server.workspace.text import snapshot

DIFFERENCES_BUDGET_S = 20.0
"""Seconds given to the search for the smallest inputs on which clusters differ."""
Outcomes: TypeAlias = Mapping[str, tuple[Outcome, ...]]
"""By candidate, or the original, one for each case."""


def original_replacement(target: Target) -> Replacement:
    """Return the original as if it were a candidate."""
    return Replacement(function=target.source)


def all_outcomes(state: RunState, evidence: Evidence) -> Outcomes:
    """Return what the candidates did, and the original where all of its outcomes are known."""
    known = tuple(case.expected for case in evidence.cases if case.expected is not None)
    is_known = evidence.mode == "improve" and len(known) == len(evidence.cases) and known
    tried = {key: state.outcomes[key] for key in state.candidates if key in state.outcomes}
    return ({ORIGINAL: known} if is_known else {}) | tried


async def behaviour_map(state: RunState, evidence: Evidence, outcomes: Outcomes) -> tuple[Cluster, ...]:
    """Return the groups of those that did the same on all inputs."""
    return await anyio.to_thread.run_sync(behaviour_clusters, outcomes, evidence.cases, state.weights())


async def with_differences(
    state: RunState, evidence: Evidence, clusters: tuple[Cluster, ...], outcomes: Outcomes, *, sandbox: Sandbox
) -> tuple[Cluster, ...]:
    """Return the clusters with the smallest inputs that tell them apart.

    Raises:
        SandboxError: the sandbox failed.
    """
    target = state.target
    programs = await anyio.to_thread.run_sync(_programs, target, state, clusters)
    source = await anyio.to_thread.run_sync(snapshot, target)
    strategy = strategy_for(target, [case.input for case in evidence.cases], source.text)
    return await find_differences(
        clusters,
        programs=programs,
        target=target,
        strategy=strategy,
        cases=evidence.cases,
        sandbox=sandbox,
        outcomes=outcomes,
        budget_s=DIFFERENCES_BUDGET_S,
    )


async def ranked(
    state: RunState,
    evidence: Evidence,
    clusters: tuple[Cluster, ...],
    outcomes: Outcomes,
    *,
    settings: Settings,
    label: str,
) -> Ranking:
    """Return the candidates in order, also of a run that was stopped early; `label` names the sandbox.

    Raises:
        ConfigError: the weights or scorers that the settings name cannot be used.
    """
    where = {member: cluster.index for cluster in clusters for member in cluster.members}
    vectors, weights = _unknown(evidence, state, outcomes), state.weights()
    shares, agreed = _same_as_others(vectors, weights), _by_input(vectors, weights)
    entries = [
        replace(_entry(state, candidate, where, shares), agreement=agreed.get(candidate.id))
        for candidate in state.candidates.values()
    ]
    original = _original(state, evidence, label, where.get(ORIGINAL))
    scorers = await anyio.to_thread.run_sync(load_scorers, settings)
    return await anyio.to_thread.run_sync(
        lambda: rank(
            original,
            entries,
            target=state.target,
            goal=state.goal,
            settings=settings,
            scorers=scorers,
            stopped=state.stopped,
        )
    )


def document(
    state: RunState,
    evidence: Evidence,
    clusters: tuple[Cluster, ...],
    ranking: Ranking,
    *,
    equality: Equality,
    wall_s: float,
    machine: Machine,
) -> RunDocument:
    """Return the document of a run."""
    return RunDocument(
        run_id=state.run_id,
        target=state.target,
        mode=evidence.mode,
        goal=state.goal,
        equality=equality,
        evidence=evidence,
        original=ranking.original,
        results=ranking.results,
        clusters=clusters,
        best=ranking.best,
        headline=ranking.headline,
        summary=state.summary(wall_s=wall_s),
        machine=machine,
    )


def _programs(target: Target, state: RunState, clusters: tuple[Cluster, ...]) -> dict[str, Program]:
    programs: dict[str, Program] = {}
    for member in (member for cluster in clusters for member in cluster.members):
        replacement = None if member == ORIGINAL else state.candidates[member].replacement
        try:
            programs[member] = program_for(target, replacement)
        except ConflictError:
            continue
    return programs


def _unknown(evidence: Evidence, state: RunState, outcomes: Outcomes) -> dict[str, tuple[Outcome, ...]]:
    """Return what those that passed did on the inputs of which nobody knows what should come out."""
    unknown = [index for index, case in enumerate(evidence.cases) if case.expected is None]
    passed = {candidate.id for candidate in state.passing()}
    return {
        key: tuple(vector[index] for index in unknown)
        for key, vector in outcomes.items()
        if unknown and len(vector) == len(evidence.cases) and key in passed
    }


def _same_as_others(vectors: Outcomes, weights: Mapping[str, int]) -> dict[str, float]:
    """Return shares of the answers that did exactly the same, of each that is not alone."""
    answers = sum(weights[key] for key in vectors)
    return {key: share for key, share in agree(vectors, weights).items() if round(share * answers) > 1}


def _by_input(vectors: Outcomes, weights: Mapping[str, int]) -> dict[str, float]:
    """Return what speaks for each; without generated tests, how much it agrees with all answers, input by input.

    Crashing alike is no sign of being right.
    """
    numbers: dict[str, int] = {}

    def label(outcome: Outcome) -> int:
        if not proves_something(outcome):
            return NOTHING
        return numbers.setdefault(outcome_key(outcome), len(numbers))

    returned = {key for key, vector in vectors.items() if any(isinstance(outcome, Returned) for outcome in vector)}
    rows = [[label(outcome) for outcome in vector] for vector in vectors.values()]
    found = best(rows, [weights[key] if key in returned else 0 for key in vectors], [0] * len(rows))
    return dict(zip(vectors, found, strict=True))


def _entry(state: RunState, candidate: Candidate, where: Mapping[str, int], shares: Mapping[str, float]) -> Entry:
    verdict = state.verdicts.get(candidate.id)
    if verdict is None:
        why = state.not_run.get(candidate.id) or f"the run was stopped ({state.stopped or 'unfinished'})"
        return Entry(candidate=candidate, verdict=Verdict(status="error", reason=why), not_run=why)
    if candidate.id in shares and verdict.passes and verdict.evidence == "none":
        verdict = replace(
            verdict, evidence="agreement", reason=f"{shares[candidate.id]:.0%} of the answers do the same"
        )
    return Entry(
        candidate=candidate,
        verdict=verdict,
        measurement=state.measurements.get(candidate.id),
        cluster=where.get(candidate.id),
    )


def _original(state: RunState, evidence: Evidence, label: str, cluster: int | None) -> Entry:
    replacement = original_replacement(state.target)
    candidate = Candidate(
        id=ORIGINAL,
        model=ORIGINAL,
        variant="as it stands",
        source=state.target.source,
        replacement=replacement,
        digest=digest(replacement),
        cost_usd=0.0,
    )
    return Entry(
        candidate=candidate,
        verdict=_original_verdict(evidence, label),
        measurement=state.original,
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
