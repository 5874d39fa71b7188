"""The behaviour map: who did the same on all inputs, and for two groups the smallest input on which they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, islice

import anyio
from hypothesis.strategies import SearchStrategy
from msgspec.structs import replace

from codeens_sandbox_backends.base import CallInput, Outcome, Program, Sandbox
from codeens_sandbox_backends.values.compare import outcome_key
from codeens_sandbox_backends.values.render import render_call, render_outcome_pair
from codeens_server.domain import Case, Cluster, DistinguishingInput, Target
from codeens_server.judging.agreement import behaviour_groups
from codeens_server.judging.judge import shown_name
from codeens_server.judging.shrinking import Seen, shrink

ORIGINAL = "original"
"""The id under which the original stands among the candidates."""

_MOST_PAIRS = 10


def behaviour_clusters(
    outcomes: Mapping[str, tuple[Outcome, ...]], cases: Sequence[Case], weights: Mapping[str, int]
) -> tuple[Cluster, ...]:
    """Group those that were run on all cases, the group with the most answers first.

    Ids whose outcomes are not one per case were not run, and are in no cluster.
    """
    if not cases:
        return ()
    run = {name: vector for name, vector in outcomes.items() if len(vector) == len(cases)}
    weighed = [(sum(weights.get(name, 1) for name in group), group) for group in behaviour_groups(run)]
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

    Each pair starts from its smallest case of the evidence and gets an equal part of the `budget_s` seconds to be made
    smaller; at their end the smallest so far is what is given.

    Raises:
        SandboxError: the sandbox failed.
    """
    pairs = list(islice(combinations(clusters, 2), _MOST_PAIRS))
    found: dict[int, list[DistinguishingInput]] = {cluster.index: [] for cluster in clusters}
    deadline = anyio.current_time() + budget_s
    for done, (left, right) in enumerate(pairs):
        a, b = _speaker(left, programs), _speaker(right, programs)
        seen = smallest_known(cases, outcomes[a], outcomes[b])
        share = (deadline - anyio.current_time()) / (len(pairs) - done)
        if share > 0 and a in programs and b in programs:
            seen = await shrink(seen, programs[a], programs[b], strategy=strategy, sandbox=sandbox, budget_s=share)
        found[left.index].append(_difference(right, seen, target))
        found[right.index].append(_difference(left, Seen(seen.input, seen.there, seen.here), target))
    return tuple(replace(cluster, differences=tuple(found[cluster.index])) for cluster in clusters)


def _speaker(cluster: Cluster, programs: Mapping[str, Program]) -> str:
    return next((member for member in cluster.members if member in programs), cluster.members[0])


def smallest_known(cases: Sequence[Case], here: Sequence[Outcome], there: Sequence[Outcome]) -> Seen:
    """The smallest case on which two members of different clusters differ; one with two answers goes first."""
    differing = [
        Seen(case.input, ours, theirs)
        for case, ours, theirs in zip(cases, here, there, strict=True)
        if outcome_key(ours) != outcome_key(theirs)
    ]
    return min(differing, key=lambda seen: (not seen.is_telling, seen.size))


def _difference(other: Cluster, seen: Seen, target: Target) -> DistinguishingInput:
    here, there = render_outcome_pair(seen.here, seen.there)
    return DistinguishingInput(
        other=other.index,
        input=seen.input,
        call=render_call(shown_name(target), seen.input),
        here=here,
        there=there,
    )
