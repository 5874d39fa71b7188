"""From the seconds of a race to a ratio with an interval that does not claim what chance could have made."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import cos, exp, log, pi, sin, sqrt, tan
from statistics import fmean, median, stdev

from codeens_sandbox_backends.base import RacePair, RaceResult
from codeens_server.domain import Interval

CONFIDENCE = 0.98
"""Two-sided: a claim to either side is chance once in a hundred, and 95 % is kept when noise is not normal."""
BIAS = 0.01
"""Log ratio that the order of the runs and the layout of code and data can make without any difference in the code."""
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
    low, centre, high = _bounds([_centre(pair.a, pair.b) for pair in pairs])
    original_s = median(value for pair in pairs for value in pair.a)
    candidate_s = median(value for pair in pairs for value in pair.b)
    note = ""
    first = _first_calls(pairs, original_s)
    if first is not None and first[2] + log(MEMORY_FACTOR) < low:
        low, centre, high = first
        candidate_s, note = original_s / exp(centre), MEMORY_NOTE
    return Interval(
        ratio=exp(centre),
        low=exp(low),
        high=exp(high),
        original_s=original_s,
        candidate_s=candidate_s,
        inputs=inputs,
        pairs=len(pairs),
        note=note,
    )


def _bounds(values: Sequence[float]) -> tuple[float, float, float]:
    """Lower end, mean and upper end of log ratios, widened by what no number of pairs averages out."""
    centre, half = _mean_and_half(values)
    return centre - half - BIAS, centre, centre + half + BIAS


def _mean_and_half(values: Sequence[float]) -> tuple[float, float]:
    """Mean of independent values and half the width of its t interval."""
    return fmean(values), student_t(CONFIDENCE, len(values) - 1) * stdev(values) / sqrt(len(values))


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


def _first_calls(pairs: Sequence[RacePair], original_s: float) -> tuple[float, float, float] | None:
    """Bounds of the log ratio of first calls; None where single passes are too short to tell.

    A single pass also holds what it costs to reach the player and to touch fresh memory. The original's single pass
    shows how much that is, and it is taken off the candidate's.
    """
    if not all(pair.cold_a and pair.cold_b for pair in pairs):
        return None
    overheads = [max(0.0, median(pair.cold_a) - median(pair.a)) for pair in pairs]
    firsts = [median(pair.cold_b) - overhead for pair, overhead in zip(pairs, overheads, strict=True)]
    first, half = _mean_and_half(firsts)
    if half >= first:
        return None
    return log(original_s / (first + half)) - BIAS, log(original_s / first), log(original_s / (first - half)) + BIAS
