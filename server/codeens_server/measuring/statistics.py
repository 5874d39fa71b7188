"""From the rounds of a race to a ratio with an interval that does not claim what chance could have made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from math import atan, cos, exp, log, pi, sin, sqrt
from statistics import fmean, median, stdev
from typing import Literal, TypeAlias

from msgspec import Struct

from codeens_sandbox_backends.races import SideTimes
from codeens_server.domain.measurement import Interval

LOOKS = (3, 5, 8, 12, 20)
"""After so many rounds a race is looked at, and ended for who is decided. Fewer than 3 have no spread to speak of."""
ALPHAS = (0.004, 0.005, 0.006, 0.007, 0.007)
"""What each look may spend of the 3 % that all of them may be wrong by; the sum bounds it (Bonferroni), wherever a
race ends. As the looks share rounds it is 2.4 % together, where noise is normal (simulated): a claim to either side is
then chance about once in a hundred, and 95 % is kept when noise is not normal."""
TRIMMED_FROM = 12
"""Rounds from where on the lowest and the highest fifth are left out. Of fewer that would cost more than it gains."""
BIAS = 0.01
"""Log ratio that the layout of code and data can make without any difference in the code (Mytkowicz et al., ASPLOS
2009). A choice, held to by `bench/coverage.py`: functions raced against themselves."""
UNLIKE = 0.02
"""The same as a share of the log ratio: code that differs a lot is slowed unlike by what shares a core or its caches. A
choice, held to by the functions of known ratio."""
WIDEST = 3.0
"""From this factor between its ends on an interval says nothing that should be acted on."""
NARROW = 0.03
FAIRLY_NARROW = 0.048
NARROW_SHARE = 0.06
"""Half a width, as log ratio at first and from the last look but one on, and as share of the ratio's own log, at which
a race is decided."""
ENOUGH = 0.15
"""Half a width that is enough for who cannot win any more."""
CONFIRMED = 0.25
"""Share of the saving that must show when a program is loaded and run once; a choice."""
SURE = 0.01
OVERWHELMING = 0.001
"""One-sided probabilities of error: that a claim stands on nothing, that a first pass is said to cost more."""
FEWEST_RANKED = 7
"""The fewest rounds whose signed ranks can be as sure: one in 2 to the power of them is below `SURE`."""
ENOUGH_TO_TELL = 5
"""Rounds before anything is said of first passes."""
CONFIRMABLE_S: dict[Clock, float] = {"processor": 0.004, "waiting": 0.005, "wall": 0.005}
"""Who saves as many seconds in a pass must do so in the life of a fresh process. Less is within what that costs: such
lives differ by 0.7 ms (standard deviation) on a busy machine."""
CONTRADICTED_S = 0.001
"""Of less, whole lives say nothing; from here on they may show that a claim is wrong, where they cannot confirm it."""
CONFIRMABLE_COLD_S = 5e-5
"""The least that is to be seen in single passes of processes that have run one small input."""
REMEMBERED_S = 2e-5
"""The least that can be told of what a first pass takes longer."""
WAITS = 1.2
WAITS_S = 2e-4
"""By what factor and how much time must exceed processor time before a function is said to sleep or wait."""

FIRST_NOTE = "a first pass takes longer by what later ones save; the ratio is of first passes"
REMEMBERS_NOTE = "remembers results between calls; the ratio is of first calls"
UNCONFIRMED_NOTE = "the time it saves is not to be seen when it is loaded and run once"
FEW_NOTE = "too few rounds were run to see whether it remembers results"
LOAD_NOTE = "loading it takes what it saves"
WAITING_NOTE = "timed by wall, less the wait for a processor: it sleeps or waits"
WALL_NOTE = "timed by wall: processor time cannot be read in this sandbox"
BUSY_NOTE = "speed not measured: the machine is too busy"

Clock: TypeAlias = Literal["processor", "waiting", "wall"]


class PairedRound(Struct, frozen=True, kw_only=True):
    """The original and one candidate in one round: the unit of the interval."""

    original: SideTimes
    candidate: SideTimes


def speed_interval(
    pairs: Sequence[PairedRound], *, repeated: int, inputs: int, clock: Literal["processor", "wall"]
) -> Interval | None:
    """Return the original's time divided by the candidate's, with an interval of at least 95 %.

    The round in a fresh block is the unit: layout, address randomisation and hash seed differ between processes and
    not between samples of one, so that samples must not be counted as independent (Kalibera & Jones, ISMM 2013;
    Georges et al., OOPSLA 2007).

    Args:
        pairs: one for each round.
        repeated: how many passes a sample of the original made; above 1, single passes were timed too.
        inputs: how many inputs one pass has.
        clock: what the seconds are of.

    Returns:
        None where fewer than three rounds were run.
    """
    if len(pairs) < LOOKS[0]:
        return None
    timed = _Timed(pairs, repeated, _clock(pairs, clock))
    extras, note = timed.of_first_passes()
    low, centre, high = bounds(timed.log_ratios(extras))
    doubt = timed.doubt() if low > 0 else ""
    of_clock = {"processor": "", "waiting": WAITING_NOTE, "wall": WALL_NOTE}[timed.clock]
    return Interval(
        ratio=exp(centre),
        low=exp(low),
        high=exp(high),
        original_s=fmean(timed.a),
        candidate_s=fmean(b + extra for b, extra in zip(timed.b, extras, strict=True)),
        inputs=inputs,
        rounds=len(pairs),
        confirmed=not doubt,
        note="; ".join(filter(None, (note, doubt, of_clock))),
    )


def is_too_wide(speed: Interval) -> bool:
    """Return whether nothing should be concluded from an interval."""
    return speed.high > WIDEST * speed.low


def is_lost_to_noise(speed: Interval) -> bool:
    """Return whether more rounds may show what a claim would be refused for."""
    return is_too_wide(speed) or (speed.low > 1.0 and UNCONFIRMED_NOTE in speed.note)


def is_decided(speed: Interval, best_low: float) -> bool:
    """Return whether more rounds are of no use.

    Args:
        speed: what is known after the rounds so far.
        best_low: the highest lower end that any candidate of the race has.
    """
    is_late = speed.rounds >= LOOKS[-2]
    if is_lost_to_noise(speed):
        return False
    if not is_late and speed.low > 1.0 and not speed.confirmed:
        return False
    half = log(speed.high / speed.low) / 2
    if half <= ENOUGH and (speed.slower or speed.high < best_low):
        return True
    narrow = FAIRLY_NARROW if is_late else NARROW
    differs = speed.low > 1.0 or speed.slower
    return half <= (max(narrow, NARROW_SHARE * abs(log(speed.ratio))) if differs else narrow)


def _clock(pairs: Sequence[PairedRound], clock: Literal["processor", "wall"]) -> Clock:
    if clock == "wall":
        return "wall"
    for side in ([pair.original for pair in pairs], [pair.candidate for pair in pairs]):
        spent_s = min(min(times.passes_s) for times in side)
        busy_s = min(min(times.busy_passes_s) for times in side)
        if busy_s > WAITS * spent_s + WAITS_S:
            return "waiting"
    return "processor"


class _Timed:
    """The pairs by one clock."""

    def __init__(self, pairs: Sequence[PairedRound], repeated: int, clock: Clock) -> None:
        self._pairs = pairs
        self._repeated = repeated
        self.clock: Clock = clock
        self.a = self._of(lambda pair: median(self._passes(pair.original)))
        self.b = self._of(lambda pair: median(self._passes(pair.candidate)))

    def _of(self, seconds: Callable[[PairedRound], float]) -> list[float]:
        return [seconds(pair) for pair in self._pairs]

    def log_ratios(self, extras: Sequence[float]) -> list[float]:
        """Return one value of each round, with what is added to a candidate's passes.

        It is the median of its turns. Where a side has more samples than the other, because they are short, the first
        of them alone would be a matter of chance: there it is the ratio of the medians.
        """
        return [self._log_ratio(pair, extra) for pair, extra in zip(self._pairs, extras, strict=True)]

    def _log_ratio(self, pair: PairedRound, extra: float) -> float:
        originals, candidates = self._passes(pair.original), self._passes(pair.candidate)
        if len(originals) != len(candidates):
            return log(median(originals) / (median(candidates) + extra))
        return median(log(a / (b + extra)) for a, b in zip(originals, candidates, strict=True))

    def _passes(self, times: SideTimes) -> tuple[float, ...]:
        return times.busy_passes_s if self.clock == "waiting" else times.passes_s

    def _first_s(self, times: SideTimes) -> float:
        return times.busy_first_s if self.clock == "waiting" else times.first_s

    @property
    def _saved(self) -> list[float]:
        return [a - b for a, b in zip(self.a, self.b, strict=True)]

    def of_first_passes(self) -> tuple[list[float], str]:
        """Return what each round's first pass takes longer than later ones, and a note; nothing without a note.

        It must be sure beyond any doubt, for it moves the ratio: more than half of what a pass saves and takes.
        """
        nothing = [0.0] * len(self._pairs)
        own, saved = fmean(self.b), fmean(self._saved)
        if len(self._pairs) < ENOUGH_TO_TELL or saved <= 0:
            return nothing, ""
        hidden = [first - (b - a) for first, a, b in zip(self._of(self._first_longer), self.a, self.b, strict=True)]
        if _low(hidden, OVERWHELMING) > max(CONFIRMABLE_S[self.clock], own / 2, saved / 2):
            return [max(0.0, seconds) for seconds in hidden], FIRST_NOTE
        remembered = self._of(_remembered)
        if self._repeated > 1 and _low(remembered, OVERWHELMING) > max(REMEMBERED_S, own / 2):
            return [max(0.0, seconds) for seconds in remembered], REMEMBERS_NOTE
        return nothing, ""

    def _first_longer(self, pair: PairedRound) -> float:
        """Return what the first pass of a candidate takes longer than the original's, loading left out."""
        return self._unloaded_s(pair.candidate) - self._unloaded_s(pair.original)

    def _unloaded_s(self, times: SideTimes) -> float:
        return self._first_s(times) - times.load_s

    def doubt(self) -> str:
        """Return why a saving cannot be claimed; empty when it can."""
        if self._repeated > 1 and len(self._pairs) < ENOUGH_TO_TELL:
            return FEW_NOTE
        saved = fmean(self._saved)
        lived = self._of(lambda pair: self._first_s(pair.original) - self._first_s(pair.candidate))
        fresh = self._of(lambda pair: self._fresh_s(pair.original) - self._fresh_s(pair.candidate))
        is_fresh_known = all(self._fresh_s(pair.original) for pair in self._pairs)
        if saved >= CONFIRMABLE_S[self.clock] or (saved >= CONTRADICTED_S and not is_fresh_known):
            return "" if self._is_confirmed(lived) else UNCONFIRMED_NOTE
        loading = self._of(lambda pair: pair.candidate.load_s - pair.original.load_s)
        if _low(loading, SURE) > self._repeated * saved:
            return LOAD_NOTE
        if saved >= CONTRADICTED_S:
            return "" if self._is_confirmed(fresh) and not self._is_contradicted(lived) else UNCONFIRMED_NOTE
        if self._repeated > 1 and saved >= CONFIRMABLE_COLD_S:
            seen = self._of(lambda pair: pair.original.cold_s - pair.candidate.cold_s)
            return "" if self._is_confirmed(seen) else UNCONFIRMED_NOTE
        return ""

    def _fresh_s(self, times: SideTimes) -> float:
        return times.busy_fresh_s if self.clock == "waiting" else times.fresh_s

    def _is_confirmed(self, seen: Sequence[float]) -> bool:
        """Return whether surely enough of what is saved is seen."""
        return _is_positive(self._beyond(seen))

    def _is_contradicted(self, seen: Sequence[float]) -> bool:
        """Return whether surely not enough of what is saved is seen."""
        return _is_positive([-beyond for beyond in self._beyond(seen)])

    def _beyond(self, seen: Sequence[float]) -> list[float]:
        """Return what is seen beyond enough of it, in passes of the original: what slows a round slows both alike."""
        rounds = zip(seen, self._saved, self.a, strict=True)
        return [(there - CONFIRMED * saved) / pass_s for there, saved, pass_s in rounds]


def _remembered(pair: PairedRound) -> float:
    """Return what a pass of a candidate over new inputs takes longer than one over known inputs.

    What the interpreter warms up, the original shows too.
    """
    warming = max(0.0, pair.original.cold_s - pair.original.again_s)
    return pair.candidate.cold_s - pair.candidate.again_s - warming


def bounds(values: Sequence[float]) -> tuple[float, float, float]:
    """Return lower end, mean and upper end for independent log ratios, three or more.

    It is Student's t interval at the level of the next look, widened by what no number of rounds averages out. Of many
    rounds it is that of the trimmed mean (K. Yuen, *The two-sample trimmed t for unequal population variances*,
    Biometrika 1974), since a few of them are far off on any machine that is shared.
    """
    count = len(values)
    alpha = next((alpha for look, alpha in zip(LOOKS, ALPHAS, strict=True) if look >= count), ALPHAS[-1])
    off = count // 5 if count >= TRIMMED_FROM else 0
    ranked = sorted(values)
    kept = ranked[off : count - off]
    winsorized = [kept[0]] * off + kept + [kept[-1]] * off
    error = stdev(winsorized) * sqrt((count - 1) / (len(kept) * (len(kept) - 1)))
    centre = fmean(kept)
    half = t_quantile(alpha / 2, len(kept) - 1) * error + BIAS + UNLIKE * abs(centre)
    return centre - half, centre, centre + half


def _low(values: Sequence[float], error: float) -> float:
    """Return the one-sided lower bound of a mean."""
    return fmean(values) - t_quantile(error, len(values) - 1) * stdev(values) / sqrt(len(values))


def _is_positive(values: Sequence[float]) -> bool:
    """Return whether the values surely lie around more than nothing.

    Few are looked at by their mean, more by their signed ranks (Wilcoxon, 1945), which a round that is far off, as some
    are on a busy machine, does not hide.
    """
    if len(values) < FEWEST_RANKED:
        return _low(values, SURE) > 0
    ranked = sorted(values, key=abs)
    against = sum(rank for rank, value in enumerate(ranked, start=1) if value <= 0)
    return sum(_rank_sums(len(values))[: against + 1]) <= SURE * 2 ** len(values)


@cache
def _rank_sums(count: int) -> tuple[int, ...]:
    """Return by how many choices of the ranks 1 to `count` each sum comes about."""
    ways = [1]
    for rank in range(1, count + 1):
        longer = ways + [0] * rank
        ways = [way + (longer[total - rank] if total >= rank else 0) for total, way in enumerate(longer)]
    return tuple(ways)


@cache
def t_quantile(tail: float, freedom: int) -> float:
    """Return where Student's t for `freedom` degrees of freedom has the share `tail` above it.

    By bisection of the distribution function (Abramowitz & Stegun, formulas 26.7.3 and 26.7.4).
    """
    low, high = 0.0, 1e4
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if (1 - _within(middle, freedom)) / 2 > tail else (low, middle)
    return high


def _within(quantile: float, freedom: int) -> float:
    """Return the probability that Student's t is between -quantile and quantile."""
    angle = atan(quantile / sqrt(freedom))
    odd = freedom % 2
    term, total = 1.0 if not odd else cos(angle), 0.0
    for step in range(1 + odd, freedom, 2):
        total += term
        term *= cos(angle) ** 2 * step / (step + 1)
    if odd:
        return 2 / pi * (angle + sin(angle) * total)
    return sin(angle) * total
