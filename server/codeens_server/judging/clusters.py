"""The behaviour map: who did the same on all inputs, and for two groups the smallest input on which they differ.

Where nobody knows what should come out, the share of a group's answers is its agreement. This is the choice by executed
outputs of MBR-Exec (Shi et al. 2022, arXiv:2204.11454) with whole outcome vectors. It is a vote, not a proof. A person
who knows better pins an input: every candidate is then held to what the chosen program does on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from itertools import combinations, islice

import anyio
from hypothesis.strategies import SearchStrategy
from msgspec.structs import replace

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsJob
from codeens_sandbox_backends.programs import CallInput, Outcome, Program, Returned
from codeens_sandbox_backends.values.compare import canonical_call
from codeens_sandbox_backends.values.outcomes import outcome_key
from codeens_sandbox_backends.values.render import render_call, render_outcome, render_outcome_pair
from codeens_server.domain.document import Cluster, DistinguishingInput
from codeens_server.domain.evidence import Case
from codeens_server.domain.target import Target
from codeens_server.domain.terms import ORIGINAL
from codeens_server.errors import InputError
from codeens_server.judging.judge import shown_name
from codeens_server.judging.replay import proves_something
from codeens_server.judging.shrinking import Observation, shrink, smallest_difference

_MOST_PAIRS = 10


def behaviour_clusters(
    outcomes: Mapping[str, tuple[Outcome, ...]], cases: Sequence[Case], weights: Mapping[str, int]
) -> tuple[Cluster, ...]:
    """Group candidates that did the same on all cases.

    Args:
        outcomes: what each candidate did, by its id; `outcomes[id][i]` belongs to `cases[i]`. An id that has not one
            outcome per case was not run, and is in no cluster.
        cases: the inputs, in order.
        weights: how many answers stand behind an id; 1 where it is silent.

    Returns:
        The cluster with the most answers first; of equal ones that of the original first.
    """
    if not cases:
        return ()
    run = {name: vector for name, vector in outcomes.items() if len(vector) == len(cases)}
    groups = behaviour_groups(run, [case.uncompared for case in cases])
    weighed = [(sum(weights.get(name, 1) for name in group), group) for group in groups]
    weighed.sort(key=lambda entry: (-entry[0], ORIGINAL not in entry[1]))
    return tuple(
        Cluster(index=index, members=tuple(group), weight=weight) for index, (weight, group) in enumerate(weighed)
    )


async def find_differences(
    clusters: Sequence[Cluster],
    *,
    programs: Mapping[str, Program],
    target: Target,
    strategy: SearchStrategy[CallInput] | None,
    cases: Sequence[Case],
    sandbox: Sandbox,
    outcomes: Mapping[str, tuple[Outcome, ...]],
    budget_s: float,
) -> tuple[Cluster, ...]:
    """Give each pair of clusters, the biggest first and ten pairs at the most, the smallest input they differ on.

    Args:
        clusters: from `behaviour_clusters`, of the same outcomes and cases.
        programs: what can be run again, by id; a pair without programs keeps its smallest case.
        target: the function, for the text of calls.
        strategy: inputs of the function's own types; None searches only below the cases.
        cases: the inputs that `outcomes` belong to.
        sandbox: where both programs are run on smaller inputs.
        outcomes: `outcomes[id][i]` belongs to `cases[i]`.
        budget_s: seconds for all pairs; each gets an equal part, and at its end the smallest so far counts.

    Raises:
        SandboxError: the sandbox failed.
    """
    pairs = list(islice(combinations(clusters, 2), _MOST_PAIRS))
    found: dict[int, list[DistinguishingInput]] = {cluster.index: [] for cluster in clusters}
    deadline = anyio.current_time() + budget_s
    for done, (left, right) in enumerate(pairs):
        a, b = _representative(left, programs), _representative(right, programs)
        seen = smallest_difference(map(Observation, (case.input for case in cases), outcomes[a], outcomes[b]))
        if seen is None:
            # Members of two clusters differ on a case by what a cluster is.
            continue
        share = (deadline - anyio.current_time()) / (len(pairs) - done)
        if share > 0 and a in programs and b in programs:
            seen = await shrink(seen, programs[a], programs[b], strategy=strategy, sandbox=sandbox, budget_s=share)
        found[left.index].append(_difference(right, seen, target))
        found[right.index].append(_difference(left, Observation(seen.input, seen.there, seen.here), target))
    return tuple(replace(cluster, differences=tuple(found[cluster.index])) for cluster in clusters)


def _representative(cluster: Cluster, programs: Mapping[str, Program]) -> str:
    return next((member for member in cluster.members if member in programs), cluster.members[0])


def _difference(other: Cluster, seen: Observation, target: Target) -> DistinguishingInput:
    here, there = render_outcome_pair(seen.here, seen.there)
    return DistinguishingInput(
        other=other.index,
        input=seen.input,
        call=render_call(shown_name(target), seen.input),
        here=here,
        there=there,
    )


def behaviour_groups(
    outcomes: Mapping[str, tuple[Outcome, ...]], uncompared: Sequence[Sequence[str]] = ()
) -> list[list[str]]:
    """Return ids that did the same on every input, in the order in which they were first seen.

    `uncompared[i]` is what does not count on input `i`; where there is none, all counts.
    """
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, vector in outcomes.items():
        without = uncompared or [()] * len(vector)
        groups.setdefault(tuple(map(outcome_key, vector, without)), []).append(name)
    return list(groups.values())


def agree(entries: Mapping[str, tuple[Outcome, ...]], weights: Mapping[str, int]) -> dict[str, float]:
    """Return how many of all answers did exactly what each one did.

    Args:
        entries: what each did, by its id; all vectors belong to the same inputs, in the same order.
        weights: how many answers stand behind an id; 1 where it is silent.

    Returns:
        A share, 0 to 1, for each id. What returned on no input at all agrees with nobody: crashing alike is no sign of
        being right.
    """
    total = sum(weights.get(name, 1) for name in entries)
    shares: dict[str, float] = {}
    for group in behaviour_groups(entries):
        returned = any(isinstance(outcome, Returned) for outcome in entries[group[0]])
        share = sum(weights.get(name, 1) for name in group) / total if returned else 0.0
        shares |= dict.fromkeys(group, share)
    return shares


def pinned_case(call: CallInput, expected: Outcome) -> Case:
    """Return a case that demands `expected`. The same input always gets the same id.

    Raises:
        InputError: `expected` is nothing to hold a candidate to: no answer, a dead process, no exact encoding.
    """
    if not proves_something(expected):
        message = f"this input cannot be kept: {render_outcome(expected)}. Keep one that returns or raises."
        raise InputError(message)
    digest = hashlib.sha256(canonical_call(call).encode("utf-8")).hexdigest()
    return Case(id=f"kept-{digest[:12]}", origin="pinned", input=call, expected=expected, label="kept by hand")


async def keep(difference: DistinguishingInput, chosen: Program, *, sandbox: Sandbox) -> Case:
    """Pin an input: return the case that demands what the `chosen` program does on it.

    The program is run once more, since a difference has only the text of what it did.

    Raises:
        InputError: it does nothing there that a candidate can be held to.
        SandboxError: the sandbox failed.
    """
    result = await sandbox.run(CallsJob(program=chosen, inputs=(difference.input,), effects=True))
    return pinned_case(difference.input, result.outcomes[0])
