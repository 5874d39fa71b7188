"""How time and memory of programs grow with the size of the input, and on which sizes one is slower."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log, sqrt
from statistics import fmean, median

import anyio
from msgspec import Struct

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsJob
from codeens_sandbox_backends.programs import Outcome, Program, Returned
from codeens_sandbox_backends.races import RaceJob, RaceResult
from codeens_sandbox_backends.values.outcomes import EFFECTS, same_outcome
from codeens_server.domain.evidence import Case
from codeens_server.domain.measurement import Exponent, Growth, Interval
from codeens_server.measuring.statistics import SURE, PairedRound, speed_interval, t_quantile

SIZES = (11, 43, 163, 641, 2539, 10_007)
"""Each about four times the one before; primes, for work on a number may end early with a divisor."""
FITTED = 3
"""The largest sizes, where what a call costs by itself matters least. Fewer are too few; there are no more only where
calls take so long that it does not matter at all."""
_LONGEST_CALL_S = 0.1
_SHORT_CALL_S = 0.02
"""Up to which a size is timed in one job with smaller ones, before these have said how long it takes."""
_PATIENCE = 3.0
"""As many times as long is gone on until there is anything to fit."""
_ROUNDS = 3
_SAMPLE_S = 0.001
_ROUND_S = 0.004
"""Of samples. An exponent needs no narrow times: it is fitted over sizes that are hundreds of times apart."""
_CALLS = 30
"""Of the original in the race of one size, about, where a call is longer than a sample."""
_BUDGET_OF_EACH_S = 3.0
_ORIGINAL = -1


class SizedCase(Struct, frozen=True, kw_only=True):
    """A case, and how many items its largest argument has."""

    size: int
    case: Case


class _Timed(Struct, frozen=True, kw_only=True):
    """What one size came to."""

    size: int
    original: tuple[float, ...]
    """Of each round."""
    candidate: tuple[float, ...]
    ratio: Interval


class GrowthComparison(Struct, frozen=True, kw_only=True):
    """How a candidate grows beside the original; None where fewer than four sizes were timed."""

    growth: Growth | None = None
    mismatch: bool = False
    """The candidate answered otherwise than it must."""


async def compare_growth(
    original: Program, candidates: Sequence[Program], cases: Sequence[SizedCase], *, seconds: float, sandbox: Sandbox
) -> list[GrowthComparison]:
    """Time programs on inputs of growing size, all of them together.

    Args:
        original: what the others are held against.
        candidates: the others.
        cases: one of each size, the smallest first; what must come out is known.
        seconds: after which no larger size is tried.
        sandbox: where all run.

    Raises:
        SandboxError: the sandbox failed.
    """
    timing = _Timing(original, candidates, sandbox)
    await timing.run(cases, seconds)
    timed, wrong = timing.timed, timing.wrong
    fitted = [index for index in range(len(candidates)) if index not in wrong and len(timed[index]) >= FITTED]
    peaks = await _all_peaks(original, {index: candidates[index] for index in fitted}, timed, cases, sandbox)
    return [
        GrowthComparison(
            growth=_growth(timed[index], peaks[_ORIGINAL], peaks[index]) if index in fitted else None,
            mismatch=index in wrong,
        )
        for index in range(len(candidates))
    ]


class _Timing:
    """Times programs on one size after another; several in one job where no call can be long, for a job takes time."""

    def __init__(self, original: Program, candidates: Sequence[Program], sandbox: Sandbox) -> None:
        self._original = original
        self._candidates = candidates
        self._sandbox = sandbox
        self._live = list(range(len(candidates)))
        self.timed: list[list[_Timed]] = [[] for _ in candidates]
        self.wrong: set[int] = set()

    async def run(self, cases: Sequence[SizedCase], seconds: float) -> None:
        """Time the cases, the smallest first, until the time is over or nobody is left."""
        deadline = anyio.current_time() + seconds
        left = list(cases)
        while left and self._live and not self._is_late(anyio.current_time() - deadline, seconds):
            together = left[: self._at_once(len(left))]
            result = await self._sandbox.run(self._job(together))
            if any(result.failures) and len(together) > 1:
                # Who failed on the largest of them may do well on the others.
                together = together[:1]
                result = await self._sandbox.run(self._job(together))
            self._take(together, result)
            del left[: len(together)]

    def _is_late(self, late_s: float, seconds: float) -> bool:
        longest = max(self.timed, key=len)
        if len(longest) < FITTED:
            return late_s > _PATIENCE * seconds
        return late_s + _CALLS * _later_call_s([median(one.original) for one in longest], 1) > 0.0

    def _at_once(self, left: int) -> int:
        """Return how many of the sizes that are left are timed in one job."""
        calls = [list(map(_slower_s, self.timed[index])) for index in self._live]
        if not calls[0]:
            return min(FITTED, left)
        count = 1
        while count < left and max(_later_call_s(of_side, count + 1) for of_side in calls) <= _SHORT_CALL_S:
            count += 1
        return count

    def _job(self, together: Sequence[SizedCase]) -> RaceJob:
        return RaceJob(
            original=self._original,
            candidates=tuple(self._candidates[index] for index in self._live),
            inputs=tuple(sized.case.input for sized in together),
            parts=tuple(range(len(together))),
            apart=True,
            rounds=_ROUNDS,
            single_passes=False,
            min_sample_s=_SAMPLE_S,
            round_s=_ROUND_S,
            budget_s=_BUDGET_OF_EACH_S * len(self._live) * len(together),
        )

    def _take(self, together: Sequence[SizedCase], result: RaceResult) -> None:
        """Take in what was found; who answered wrongly, or took too long, is not timed on larger sizes."""
        for side, index in enumerate(tuple(self._live), start=1):
            for place, sized in enumerate(together):
                one = _read(sized, result, side, place)
                if _is_wrong(sized.case, result, side, place):
                    self.wrong.add(index)
                elif one is not None:
                    self.timed[index].append(one)
                if index in self.wrong or one is None or _slower_s(one) > _LONGEST_CALL_S:
                    self._live.remove(index)
                    break


def _slower_s(timed: _Timed) -> float:
    return max(*timed.original, *timed.candidate)


def _later_call_s(calls_s: Sequence[float], sizes: int) -> float:
    """Return about what a call takes so many sizes on, by how it has grown."""
    *_, before, last = calls_s
    return last * (last / before) ** sizes


async def _all_peaks(
    original: Program,
    candidates: Mapping[int, Program],
    timed: Sequence[Sequence[_Timed]],
    cases: Sequence[SizedCase],
    sandbox: Sandbox,
) -> dict[int, tuple[int, ...]]:
    """Return the peaks of each program over the sizes that were timed."""
    peaks: dict[int, tuple[int, ...]] = {}

    async def watch(index: int, program: Program, sizes: int) -> None:
        peaks[index] = await _peaks(program, cases[:sizes], sandbox)

    async with anyio.create_task_group() as group:
        if candidates:
            group.start_soon(watch, _ORIGINAL, original, max(map(len, timed)))
        for index, program in candidates.items():
            group.start_soon(watch, index, program, len(timed[index]))
    return peaks


def _growth(timed: Sequence[_Timed], original_peaks: Sequence[int], peaks: Sequence[int]) -> Growth:
    sizes = [one.size for one in timed]
    return Growth(
        sizes=tuple(sizes),
        ratios=tuple(one.ratio.ratio for one in timed),
        original=_exponent([(one.size, seconds) for one in timed[-FITTED:] for seconds in one.original]),
        candidate=_exponent([(one.size, seconds) for one in timed[-FITTED:] for seconds in one.candidate]),
        original_memory=_memory_exponent(sizes, original_peaks[: len(sizes)]),
        candidate_memory=_memory_exponent(sizes, peaks),
        slower_below=_turn([one.ratio.slower for one in timed], sizes),
        faster_below=_turn([one.ratio.low > 1.0 for one in timed], sizes),
    )


def _is_wrong(case: Case, result: RaceResult, side: int, place: int) -> bool:
    """Return whether a candidate, and not the original, answered otherwise than it must."""
    original, candidate = (result.outcomes[number][place : place + 1] for number in (0, side))
    return _are_right(case, original) and not _are_right(case, candidate)


def _are_right(case: Case, outcomes: Sequence[Outcome]) -> bool:
    expected = case.expected
    return expected is not None and all(
        same_outcome(got, expected, uncompared=(EFFECTS, *case.uncompared)) for got in outcomes
    )


def _read(sized: SizedCase, result: RaceResult, side: int, place: int) -> _Timed | None:
    if result.failures[0] or result.failures[side] or not result.parts:
        return None
    part = result.parts[place]
    sides = ((times[0], times[side]) for times in part.rounds)
    pairs = [PairedRound(original=a, candidate=b) for a, b in sides if a is not None and b is not None]
    ratio = speed_interval(pairs, repeated=part.plans[0].inner, inputs=1, clock=result.clock)
    if ratio is None:
        return None
    return _Timed(
        size=sized.size,
        original=tuple(median(pair.original.passes_s) for pair in pairs),
        candidate=tuple(median(pair.candidate.passes_s) for pair in pairs),
        ratio=ratio,
    )


def _exponent(points: Sequence[tuple[int, float]]) -> Exponent:
    """Return the slope of log value over log size by least squares, with a t interval of its standard error.

    What is no power of the size has larger residuals, and so a wider interval.
    """
    xs, ys = [log(size) for size, _ in points], [log(value) for _, value in points]
    x_mean, y_mean = fmean(xs), fmean(ys)
    spread = sum((x - x_mean) ** 2 for x in xs)
    slope = sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True)) / spread
    residuals = [y - y_mean - slope * (x - x_mean) for x, y in zip(xs, ys, strict=True)]
    freedom = len(points) - 2
    half = t_quantile(SURE, freedom) * sqrt(sum(value**2 for value in residuals) / freedom / spread)
    return Exponent(low=slope - half, high=slope + half)


def _memory_exponent(sizes: Sequence[int], peaks: Sequence[int]) -> Exponent | None:
    points = list(zip(sizes, peaks, strict=True))[-FITTED:] if len(peaks) == len(sizes) else []
    return _exponent(points) if points and min(peak for _, peak in points) > 0 else None


def _turn(is_so: Sequence[bool], sizes: Sequence[int]) -> int | None:
    """Return the size below which something holds and from which on it does not; None where it does not begin so."""
    count = next((place for place, holds in enumerate(is_so) if not holds), len(is_so))
    return sizes[count] if 0 < count < len(sizes) else None


async def _peaks(program: Program, cases: Sequence[SizedCase], sandbox: Sandbox) -> tuple[int, ...]:
    """Return the peak of allocations for each size; none where a call did not return."""
    inputs = tuple(sized.case.input for sized in cases)
    result = await sandbox.run(CallsJob(program=program, inputs=inputs, memory=True))
    return result.peak_bytes if all(isinstance(outcome, Returned) for outcome in result.outcomes) else ()
