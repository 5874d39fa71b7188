"""From the seconds of timed pairs to a ratio with an interval that does not claim what chance could have made."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, inf, log, sqrt
from statistics import fmean, median, stdev
from typing import Literal

from codeens_sandbox_backends.base import TimingPair, TimingResult
from codeens_server.domain import Interval

T_QUANTILES = {
    2: 6.964556734283252,
    3: 4.540702858568077,
    4: 3.746947387979179,
    5: 3.364929998907178,
    6: 3.142668403290964,
}
"""Student's t for a two-sided interval of 98 %, by degrees of freedom (Abramowitz & Stegun, table 26.10; more digits by
formulas 26.7.3 and 26.7.4). A claim to either side is chance once in a hundred, and 95 % is kept when noise is not
normal."""
BIAS = 0.01
"""Log ratio that the order of runs and the layout of code and data can make without any difference in the code
(Mytkowicz et al., ASPLOS 2009). A choice, held to by `bench/aa.py`: functions timed against themselves."""
MIN_PAIRS = 3
"""Fewer have no spread to speak of: at two pairs the quantile of t is 31.8."""
REMEMBERED = 0.5
"""Share of a later pass that a first one must take longer before the code is said to remember results."""
SPREADS = 2.0
"""Median absolute deviations by which a median of seven differences is off by chance in less than 1 % of all cases."""
REMEMBERS_NOTE = "remembers results between calls; the ratio is of first calls"
HIDDEN_NOTE = "works when the clock does not run; the ratio is of whole passes"
UNCONFIRMED_NOTE = "the time it saves is not to be seen when it is loaded and run once"
CONFIRMABLE_S = 0.005
"""Who saves as many seconds in a pass must do so where nothing can be hidden: loaded and run once. Less is within what
a pass costs to send."""
SURE = 2.326
"""z for a one-sided 99 % bound."""
CONFIRMED = 0.75
"""Share of the saving that need not show when a program is loaded and run once; a choice."""
LOAD_NOTE = "loading it takes what it saves"
SLOWED = 1.1
"""From here on the original is said to have run slower beside the candidate than alone."""
SLOWED_NOTE = "the original ran slower beside it than alone"


def speed_interval(timed: TimingResult, inputs: int) -> Interval | None:
    """Return the original's time divided by the candidate's, with an interval of at least 95 %.

    The pair of fresh processes is the unit: layout, address randomisation and hash seed differ between processes and
    not between samples of one, so that samples must not be counted as independent (Kalibera & Jones, ISMM 2013;
    Georges et al., OOPSLA 2007).

    Args:
        timed: seconds of the original (`a`) and the candidate (`b`), pair by pair.
        inputs: how many inputs one pass has.

    Returns:
        None where fewer than three pairs were timed.
    """
    pairs = [pair for pair in timed.pairs if _is_timed(pair)]
    if len(pairs) < MIN_PAIRS:
        return None
    original_s, candidate_s = _median_of(pairs, "a"), _median_of(pairs, "b")
    low, centre, high = _bounds([median(log(a / b) for a, b in zip(pair.a, pair.b, strict=True)) for pair in pairs])
    extra, doubt, note = _unseen(pairs, timed.inner, candidate_s)
    if note:
        low, centre, high = _ratio_with(pairs, extra, doubt)
        candidate_s += extra
    if low > 0:
        low, spoilt = _spoilt(timed, pairs, low)
        note = note or spoilt
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


def _unseen(pairs: Sequence[TimingPair], inner: int, candidate_s: float) -> tuple[float, float, str]:
    """Return seconds of a pass that its samples do not show, their doubt, and a note: empty when there is none."""
    extra, doubt, note = 0.0, 0.0, ""
    for (seconds, unsure), what in (
        (_remembered(pairs, inner), REMEMBERS_NOTE),
        (_hidden(pairs), HIDDEN_NOTE),
    ):
        if seconds > max(unsure, REMEMBERED * candidate_s):
            extra, doubt, note = extra + seconds, doubt + unsure, what
    return extra, doubt, note


def _spoilt(timed: TimingResult, pairs: Sequence[TimingPair], low: float) -> tuple[float, str]:
    """Return the lower bound of the log ratio, and the reason, if any, why there is no claim any more."""
    saved = _median_of(pairs, "a") - _median_of(pairs, "b")
    if saved > CONFIRMABLE_S and _seen_for_sure(timed.pairs) <= (1 - CONFIRMED) * saved:
        return 0.0, UNCONFIRMED_NOTE
    loading = [pair.load_b - pair.load_a for pair in pairs]
    longer, doubt = median(loading), SPREADS * _deviation(loading)
    if longer > doubt and longer + doubt >= timed.inner * saved:
        return 0.0, LOAD_NOTE
    slowed = min(value for pair in pairs for value in pair.a) / timed.alone_s if timed.alone_s else 1.0
    return (low - log(slowed), SLOWED_NOTE) if slowed > SLOWED else (low, "")


def _median_of(pairs: Sequence[TimingPair], side: Literal["a", "b"]) -> float:
    return median(value for pair in pairs for value in (pair.a if side == "a" else pair.b))


def _bounds(values: Sequence[float]) -> tuple[float, float, float]:
    """Return lower end, mean and upper end for independent log ratios, three or more.

    It is Student's t interval, widened by what no number of pairs averages out (Mytkowicz et al., ASPLOS 2009).
    """
    centre = fmean(values)
    half = t_quantile(len(values) - 1) * stdev(values) / sqrt(len(values)) + BIAS
    return centre - half, centre, centre + half


def t_quantile(freedom: int) -> float:
    """Return the quantile of Student's t for `freedom` degrees of freedom, 2 or more.

    A timing has seven pairs at the most. For more, the quantile for seven is given: too wide, and never too narrow.
    """
    return T_QUANTILES[min(freedom, max(T_QUANTILES))]


def _is_timed(pair: TimingPair) -> bool:
    return bool(pair.a) and len(pair.a) == len(pair.b) and min(*pair.a, *pair.b) > 0


def _remembered(pairs: Sequence[TimingPair], inner: int) -> tuple[float, float]:
    """Return seconds that a pass over new inputs takes longer than one over known inputs, and their doubt.

    Cold and repeated single passes cost the same to start. They differ by what was remembered, and by what the
    interpreter warms up, which the original shows. One of the `inner` passes of a sample is a first one already.
    """
    own, other = _extras(pairs, "b"), _extras(pairs, "a")
    warming = max(0.0, median(other))
    doubt = SPREADS * max(_deviation(own), _deviation(other))
    return (median(own) - warming) * (1 - 1 / inner), doubt


def _extras(pairs: Sequence[TimingPair], side: Literal["a", "b"]) -> list[float]:
    """Return per pair what a first pass takes longer; by the shortest samples, for a disturbance only ever adds."""
    samples = [(pair.cold_a, pair.again_a) if side == "a" else (pair.cold_b, pair.again_b) for pair in pairs]
    return [min(cold) - min(again) if cold and again else 0.0 for cold, again in samples]


def _deviation(values: Sequence[float]) -> float:
    """Return the median absolute deviation."""
    centre = median(values)
    return median(abs(value - centre) for value in values)


def _hidden(pairs: Sequence[TimingPair]) -> tuple[float, float]:
    """Return seconds by which a candidate's whole pass takes longer than its samples say, and their doubt.

    A whole pass is a sample, and what both programs need to get inputs and to give outputs. What it takes beyond that
    was done before the clock ran, after it was stopped, or by what stays in the process between samples.
    """
    hidden = [
        (pair.whole_b - pair.whole_a) - (median(pair.single_b or pair.b) - median(pair.single_a or pair.a))
        for pair in pairs
        if pair.whole_a and pair.whole_b
    ]
    return (median(hidden), SPREADS * _deviation(hidden)) if hidden else (0.0, 0.0)


def _seen_for_sure(pairs: Sequence[TimingPair]) -> float:
    """Return the least seconds that loading and running once saves for sure; infinite if unknown.

    The one-sided bound of 99 % for a shift between two samples that need not be normal, for stalls of a busy machine
    are not (Hodges & Lehmann 1963; the quantile of the Mann-Whitney statistic by its normal approximation).
    """
    whole = [pair for pair in pairs if pair.whole_a and pair.whole_b]
    if len(whole) < MIN_PAIRS:
        return inf
    saved = sorted(a.load_a + a.whole_a - b.load_b - b.whole_b for a in whole for b in whole)
    count = len(whole)
    return saved[max(0, int(count**2 / 2 - SURE * sqrt(count**2 * (2 * count + 1) / 12)))]


def _ratio_with(pairs: Sequence[TimingPair], extra: float, doubt: float) -> tuple[float, float, float]:
    """Return bounds of the log ratio when each of the candidate's passes takes `extra` longer."""
    longest, likely, shortest = (
        _bounds([log(median(pair.a) / (median(pair.b) + seconds)) for pair in pairs])
        for seconds in (extra + doubt, extra, extra - doubt)
    )
    return longest[0], likely[1], shortest[2]
