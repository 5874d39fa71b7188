"""From the seconds of a race to a ratio with an interval that does not claim what chance could have made."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import cos, exp, log, pi, sin, sqrt, tan
from statistics import fmean, median, stdev
from typing import Literal

from codeens_sandbox_backends.base import RacePair, RaceResult
from codeens_server.domain import Interval

CONFIDENCE = 0.98
"""Two-sided: a claim to either side is chance once in a hundred, and 95 % is kept when noise is not normal."""
BIAS = 0.01
"""Log ratio that the order of the runs and the layout of code and data can make without any difference in the code."""
MIN_PAIRS = 3
REMEMBERED = 0.5
"""Share of a later pass that a first one must take longer before the code is said to remember results."""
SPREADS = 2.0
"""Median absolute deviations that a median of seven differences is off by chance in less than 1 % of all cases."""
REMEMBERS_NOTE = "remembers results between calls; the ratio is of first calls"


def speed_interval(race: RaceResult, inputs: int) -> Interval | None:
    """The original's time divided by the candidate's, with an interval of at least 95 %.

    The pair of fresh processes is the unit: layout, address randomisation and hash seed differ between processes and
    not between samples of one, so that samples must not be counted as independent (Kalibera & Jones, ISMM 2013;
    Georges et al., OOPSLA 2007). Returns None where fewer than three pairs were timed.
    """
    pairs = [pair for pair in race.pairs if _is_timed(pair)]
    if len(pairs) < MIN_PAIRS:
        return None
    original_s = median(value for pair in pairs for value in pair.a)
    candidate_s = median(value for pair in pairs for value in pair.b)
    low, centre, high = _bounds([median(log(a / b) for a, b in zip(pair.a, pair.b, strict=True)) for pair in pairs])
    note = ""
    kept, doubt = _remembered(pairs, race.inner)
    if kept > max(doubt, REMEMBERED * candidate_s):
        low, centre, high = _first_ratio(pairs, kept, doubt)
        candidate_s, note = candidate_s + kept, REMEMBERS_NOTE
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
    """Lower end, mean and upper end for independent log ratios, three or more.

    Student's t interval, widened by what no number of pairs averages out (Mytkowicz et al., ASPLOS 2009).
    """
    centre = fmean(values)
    half = student_t(CONFIDENCE, len(values) - 1) * stdev(values) / sqrt(len(values)) + BIAS
    return centre - half, centre, centre + half


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


def _remembered(pairs: Sequence[RacePair], inner: int) -> tuple[float, float]:
    """Seconds that the candidate's pass over new inputs takes longer than one over known inputs, and their doubt.

    Cold and repeated single passes cost the same to start. They differ by what was remembered, and by what the
    interpreter warms up, which the original shows. One of the `inner` passes of a sample is a first one already.
    """
    own, other = _extras(pairs, "b"), _extras(pairs, "a")
    warming = max(0.0, median(other))
    doubt = SPREADS * max(_deviation(own), _deviation(other))
    return (median(own) - warming) * (1 - 1 / inner), doubt


def _extras(pairs: Sequence[RacePair], side: Literal["a", "b"]) -> list[float]:
    """Per pair what a first pass takes longer; the shortest samples are compared, for a disturbance only ever adds."""
    samples = [(pair.cold_a, pair.again_a) if side == "a" else (pair.cold_b, pair.again_b) for pair in pairs]
    return [min(cold) - min(again) if cold and again else 0.0 for cold, again in samples]


def _deviation(values: Sequence[float]) -> float:
    """The median absolute deviation."""
    centre = median(values)
    return median(abs(value - centre) for value in values)


def _first_ratio(pairs: Sequence[RacePair], kept: float, doubt: float) -> tuple[float, float, float]:
    """Bounds of the log ratio when the candidate remembers nothing: each of its passes takes `kept` longer."""
    longest, likely, shortest = (
        _bounds([log(median(pair.a) / (median(pair.b) + extra)) for pair in pairs])
        for extra in (kept + doubt, kept, kept - doubt)
    )
    return longest[0], likely[1], shortest[2]
