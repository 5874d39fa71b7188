"""The inputs of a pass by where they come from, and how fast a candidate is on each kind of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from math import exp, log
from statistics import median

from msgspec import Struct

from codeens_sandbox_backends.races import RacePlan
from codeens_server.domain.evidence import VARIED, Case
from codeens_server.domain.measurement import PartSpeed
from codeens_server.domain.terms import CaseOrigin
from codeens_server.measuring.statistics import LOOKS, PairedRound, bounds

BENCHMARK = "benchmark inputs"
LIKE_BENCHMARK = "inputs like them"
LIKE_KNOWN = "inputs like known calls"
_KINDS: dict[CaseOrigin, str] = {
    "benchmark": BENCHMARK,
    "doctest": "docstring examples",
    "recorded": "recorded calls",
    "given": "given inputs",
    "pinned": "pinned inputs",
    "test_case": "test cases",
    "generated": "drawn inputs",
}
_LEAST_SAMPLE_S = 2e-4
"""Of one part in a sample; below, what taking a sample costs is too large a share of it."""


class PassPart(Struct, frozen=True):
    """Inputs of one kind that stand beside each other in a pass."""

    kind: str
    first: int
    count: int


def in_parts(cases: Sequence[Case]) -> tuple[Case, ...]:
    """Return the cases with those of a kind beside each other, in their order."""
    kinds = list(dict.fromkeys(map(_kind, cases)))
    return tuple(sorted(cases, key=lambda case: kinds.index(_kind(case))))


def parts_of(cases: Sequence[Case]) -> tuple[PassPart, ...]:
    """Return the parts of a pass over cases that `in_parts` has put in order."""
    has_benchmark = any(case.origin == "benchmark" for case in cases)
    found: list[PassPart] = []
    first = 0
    for kind, group in groupby(cases, key=_kind):
        count = len(list(group))
        told = LIKE_BENCHMARK if has_benchmark and kind != BENCHMARK else kind
        found.append(PassPart(told, first, count))
        first += count
    return tuple(found)


def _kind(case: Case) -> str:
    return LIKE_KNOWN if case.label == VARIED else _KINDS[case.origin]


def part_speeds(
    pairs: Sequence[PairedRound], parts: Sequence[PassPart], plans: tuple[RacePlan, RacePlan]
) -> tuple[PartSpeed, ...]:
    """Return how fast a candidate is on each part, each with an interval; none for parts too short to be told.

    Args:
        pairs: one for each round.
        parts: of a pass, as they were timed.
        plans: how the original and the candidate were sampled.
    """
    if len(parts) < 2 or len(pairs) < LOOKS[0]:
        return ()
    found: list[PartSpeed] = []
    for at, part in enumerate(parts):
        sides = [[pair.original.parts_s[at] for pair in pairs], [pair.candidate.parts_s[at] for pair in pairs]]
        sampled_s = (plan.inner * min(map(median, side)) for plan, side in zip(plans, sides, strict=True))
        if min(sampled_s) < _LEAST_SAMPLE_S:
            continue
        low, centre, high = bounds([_log_ratio(*turns) for turns in zip(*sides, strict=True)])
        found.append(PartSpeed(of=part.kind, inputs=part.count, ratio=exp(centre), low=exp(low), high=exp(high)))
    return tuple(found)


def _log_ratio(original: Sequence[float], candidate: Sequence[float]) -> float:
    return median(log(a / b) for a, b in zip(original, candidate, strict=False))
