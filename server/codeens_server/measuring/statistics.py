"""From the seconds of a race to a ratio with an interval that does not claim what chance could have made."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import atan, comb, cos, exp, log, pi, sin, sqrt, tan
from statistics import fmean, median, stdev

from codeens_sandbox_backends.base import RacePair, RaceResult

from codeens_server.domain import Interval

CONFIDENCE = 0.95
CLAIM_ERROR = 0.01
"""Largest share of false claims, to either side, that the ranks of the pairs may allow."""
BIAS = 0.01
"""Log ratio that can come from the order of the runs and the layout of the code alone."""
MIN_PAIRS = 3
MEMORY_FACTOR = 1.5
"""How far first calls must fall behind later ones before the code is said to remember results."""
MEMORY_NOTE = "remembers results between calls; the ratio is of first calls"


def speed_interval(race: RaceResult, inputs: int) -> Interval | None:
    """The original's time divided by the candidate's, with an interval of at least 95 %.

    The pair of fresh processes is the unit: layout, address randomisation and hash seed differ between processes and
    not between samples of one, so that samples must not be counted as independent (Kalibera & Jones, ISMM 2013;
    Georges et al., OOPSLA 2007). Returns None where fewer than three pairs were timed.
    """
    pairs = [pair for pair in race.pairs if _is_timed(pair)]
    if len(pairs) < MIN_PAIRS:
        return None
    low, centre, high = bounds([_centre(pair.a, pair.b) for pair in pairs])
    note = ""
    first = _first_calls(pairs)
    if first is not None and first[2] + log(MEMORY_FACTOR) < low:
        (low, centre, high), note = first, MEMORY_NOTE
    return Interval(
        ratio=exp(centre),
        low=exp(low),
        high=exp(high),
        original_s=median(value for pair in pairs for value in pair.a),
        candidate_s=median(value for pair in pairs for value in pair.b),
        inputs=inputs,
        pairs=len(pairs),
        note=note,
    )


def bounds(values: Sequence[float]) -> tuple[float, float, float]:
    """Lower end, mean and upper end for independent log ratios, three or more.

    Student's t interval, widened to the order statistics that bound the median without any assumption on the shape
    of the noise (with seven values: the smallest and the largest), and then by `BIAS` to both sides.
    """
    count = len(values)
    centre = fmean(values)
    half = student_t(CONFIDENCE, count - 1) * stdev(values) / sqrt(count)
    ordered = sorted(values)
    rank = _sign_rank(count)
    return min(centre - half, ordered[rank]) - BIAS, centre, max(centre + half, ordered[-1 - rank]) + BIAS


@cache
def _sign_rank(count: int) -> int:
    """How many values may be dropped at each end so that the rest still brackets the median (the sign test's interval)."""
    dropped, tail = 0, 0.5**count
    while tail + comb(count, dropped + 1) * 0.5**count <= CLAIM_ERROR:
        dropped += 1
        tail += comb(count, dropped) * 0.5**count
    return dropped


@cache
def student_t(confidence: float, freedom: int) -> float:
    """The two-sided quantile of Student's t: |t| stays below it with probability `confidence`.

    Bisects the closed form for whole degrees of freedom (Abramowitz & Stegun 26.7.3 and 26.7.4).
    """
    low, high = 0.0, pi / 2
    while high - low > 1e-14:
        middle = (low + high) / 2
        if _t_probability(middle, freedom) < confidence:
            low = middle
        else:
            high = middle
    return sqrt(freedom) * tan(low)


def _t_probability(angle: float, freedom: int) -> float:
    """Probability that |t| is below sqrt(freedom)·tan(angle)."""
    odd = freedom % 2
    term = cos(angle) if odd else 1.0
    total = term if freedom > 1 else 0.0
    for index in range(2 + odd, freedom - 1, 2):
        term *= cos(angle) ** 2 * (index - 1) / index
        total += term
    return (angle + sin(angle) * total) * 2 / pi if odd else sin(angle) * total


def _is_timed(pair: RacePair) -> bool:
    return bool(pair.a) and len(pair.a) == len(pair.b) and min(*pair.a, *pair.b) > 0


def _centre(a: Sequence[float], b: Sequence[float]) -> float:
    """The median log ratio of samples taken next to each other, so that slow moments of the machine cancel."""
    return median(log(before / after) for before, after in zip(a, b, strict=True))


def _first_calls(pairs: Sequence[RacePair]) -> tuple[float, float, float] | None:
    """Bounds of the ratio of first calls; None where single passes are too short to tell.

    A single pass also holds what it costs to reach the player and to touch fresh memory. The original's single pass
    shows how much that is, and it is taken off the candidate's.
    """
    values: list[float] = []
    for pair in pairs:
        if not pair.cold_a or not pair.cold_b:
            return None
        warm = median(pair.a)
        overhead = max(0.0, median(pair.cold_a) - warm)
        first = median(pair.cold_b) - overhead
        if first <= 0:
            return None
        values.append(log(warm / first))
    return bounds(values)
