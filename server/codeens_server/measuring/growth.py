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

SIZES = (11, 59, 317, 1777, 10_007)
"""About three quarters of a power of ten apart; primes, for work on a number may end early with a divisor."""
_FEWEST_SIZES = 4
_FITTED = 3
"""The largest sizes, where what a call costs by itself matters least."""
_LONGEST_CALL_S = 0.25
_PATIENCE = 3.0
"""As many times as long is gone on until there is anything to fit."""
_ROUNDS = 3
_ROUND_S = 0.008
"""An exponent needs no narrow times: it is fitted over sizes that are hundreds of times apart."""
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
    wrong: set[int] = set()
    timed: list[list[_Timed]] = [[] for _ in candidates]
    nothing: list[_Timed] = []
    live = list(range(len(candidates)))
    deadline = anyio.current_time() + seconds
    for sized in cases:
        late_s = anyio.current_time() - deadline
        longest = max(timed, key=len, default=nothing)
        if len(longest) >= _FEWEST_SIZES:
            late_s += _CALLS * _next_call_s(longest)
        if not live or late_s > (0.0 if len(longest) >= _FEWEST_SIZES else _PATIENCE * seconds):
            break
        result = await sandbox.run(_job(original, [candidates[index] for index in live], sized))
        for side, index in enumerate(tuple(live), start=1):
            one = _read(sized, result, side)
            if _is_wrong(sized.case, result, side):
                wrong.add(index)
            elif one is not None:
                timed[index].append(one)
            if index in wrong or one is None or max(*one.original, *one.candidate) > _LONGEST_CALL_S:
                live.remove(index)
    fitted = [index for index in range(len(candidates)) if index not in wrong and len(timed[index]) >= _FEWEST_SIZES]
    peaks = await _all_peaks(original, {index: candidates[index] for index in fitted}, timed, cases, sandbox)
    return [
        GrowthComparison(
            growth=_growth(timed[index], peaks[_ORIGINAL], peaks[index]) if index in fitted else None,
            mismatch=index in wrong,
        )
        for index in range(len(candidates))
    ]


def _next_call_s(timed: Sequence[_Timed]) -> float:
    """Return about what a call of the original takes on the next size, by how it has grown."""
    before, last = (median(one.original) for one in timed[-2:])
    return last * last / before


def _job(original: Program, candidates: Sequence[Program], sized: SizedCase) -> RaceJob:
    return RaceJob(
        original=original,
        candidates=tuple(candidates),
        inputs=(sized.case.input,),
        rounds=_ROUNDS,
        single_passes=False,
        round_s=_ROUND_S,
        budget_s=_BUDGET_OF_EACH_S * len(candidates),
    )


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
        original=_exponent([(one.size, seconds) for one in timed[-_FITTED:] for seconds in one.original]),
        candidate=_exponent([(one.size, seconds) for one in timed[-_FITTED:] for seconds in one.candidate]),
        original_memory=_memory_exponent(sizes, original_peaks[: len(sizes)]),
        candidate_memory=_memory_exponent(sizes, peaks),
        slower_below=_turn([one.ratio.slower for one in timed], sizes),
        faster_below=_turn([one.ratio.low > 1.0 for one in timed], sizes),
    )


def _is_wrong(case: Case, result: RaceResult, side: int) -> bool:
    """Return whether a candidate, and not the original, answered otherwise than it must."""
    return _are_right(case, result.outcomes[0]) and not _are_right(case, result.outcomes[side])


def _are_right(case: Case, outcomes: Sequence[Outcome]) -> bool:
    expected = case.expected
    return expected is not None and all(
        same_outcome(got, expected, uncompared=(EFFECTS, *case.uncompared)) for got in outcomes
    )


def _read(sized: SizedCase, result: RaceResult, side: int) -> _Timed | None:
    if result.failures[0] or result.failures[side]:
        return None
    sides = ((times[0], times[side]) for times in result.rounds)
    pairs = [PairedRound(original=a, candidate=b) for a, b in sides if a is not None and b is not None]
    repeated = result.plans[0].inner if result.plans else 1
    ratio = speed_interval(pairs, repeated=repeated, inputs=1, clock=result.clock)
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
    points = list(zip(sizes, peaks, strict=True))[-_FEWEST_SIZES:] if len(peaks) == len(sizes) else []
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
