"""Exponents of growth, from seconds that follow a formula."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from codeens_sandbox_backends.jobs import CallsJob, CallsResult, Usage
from codeens_sandbox_backends.programs import CallInput, Outcome, Program, Returned
from codeens_sandbox_backends.races import PartRounds, RaceJob, RacePlan, RaceResult, SideTimes
from codeens_server.domain.evidence import Case
from codeens_server.measuring.growth import SIZES, GrowthComparison, SizedCase, compare_growth
from codeens_server.ranking.wording import growth

pytestmark = pytest.mark.anyio
ORIGINAL, OTHER = Program(module="m", qualname="f"), Program(module="m", qualname="g")


class Formulas:
    """Takes the seconds that a formula says of each size, somewhat more from pair to pair."""

    def __init__(self, original: Callable[[int], float], other: Callable[[int], float], answer: int = 0) -> None:
        self._seconds = (original, other)
        self._answer = answer
        self.jobs: list[tuple[int, ...]] = []
        """The sizes that were timed together."""

    async def run(self, job: Any) -> Any:
        if isinstance(job, CallsJob):
            peaks = tuple(100 * call.args[0] for call in job.inputs)
            return CallsResult(
                outcomes=tuple(returned(0) for _ in peaks), loaded=True, usage=Usage(wall_s=1.0), peak_bytes=peaks
            )
        assert isinstance(job, RaceJob)
        self.jobs.append(tuple(call.args[0] for call in job.inputs))
        return RaceResult(
            rounds=(),
            plans=(),
            parts=tuple(map(self._rounds, self.jobs[-1])),
            outcomes=((returned(0),) * len(job.inputs), (returned(self._answer),) * len(job.inputs)),
            failures=(None, None),
            clock="processor",
        )

    def _rounds(self, size: int) -> PartRounds:
        a, b = (seconds(size) for seconds in self._seconds)
        rounds = tuple((side(a * more), side(b * more)) for more in (1.0, 1.01, 1.02))
        return PartRounds(rounds=rounds, plans=(RacePlan(groups=((0, 1),), inner=1),) * 2)

    async def aclose(self) -> None:
        """Nothing to end."""

    @property
    def isolation(self) -> Any:
        return None


def side(seconds: float) -> SideTimes:
    """A side that needs so long for a pass, and nothing else takes any time."""
    return SideTimes(passes_s=(seconds,), busy_passes_s=(seconds,), first_s=seconds, busy_first_s=seconds, load_s=0.0)


def returned(value: int) -> Outcome:
    return Returned(value=value)


async def compared(formulas: Formulas) -> GrowthComparison:
    cases = [
        SizedCase(size=size, case=Case(id="g", origin="generated", input=CallInput(args=(size,)), expected=returned(0)))
        for size in SIZES
    ]
    (found,) = await compare_growth(ORIGINAL, (OTHER,), cases, seconds=60.0, sandbox=formulas)
    return found


async def test_exponents_and_the_size_from_which_a_candidate_pays_off_are_said() -> None:
    found = (await compared(Formulas(lambda n: 1e-9 * n * n, lambda n: 6e-8 * n))).growth
    assert found is not None
    assert found.original.low <= 2.0 <= found.original.high
    assert found.candidate.low <= 1.0 <= found.candidate.high
    assert found.candidate_memory is not None
    assert found.candidate_memory.low <= 1.0 <= found.candidate_memory.high
    assert (found.slower_below, found.faster_below) == (163, None)
    assert growth(found).startswith("time grows as n^1.0")
    assert "the original's as n^2.0" in growth(found)
    assert growth(found).endswith("slower below n = 163")


async def test_what_grows_faster_is_said_too() -> None:
    found = (await compared(Formulas(lambda n: 1e-7 * n, lambda n: 1e-9 * n * n))).growth
    assert found is not None
    assert found.faster_below == 163
    assert "faster only below n = 163" in growth(found)


async def test_programs_that_grow_alike_are_not_told_apart() -> None:
    found = (await compared(Formulas(lambda n: 2e-7 * n, lambda n: 1e-7 * n))).growth
    assert found is not None
    assert found.ratios == pytest.approx((2.0,) * len(SIZES))
    assert growth(found) == ""


async def test_larger_sizes_are_left_out_where_a_call_takes_long() -> None:
    found = (await compared(Formulas(lambda n: 1e-7 * n * n, lambda n: 1e-6 * n))).growth
    assert found is not None
    assert found.sizes == SIZES[:5]


async def test_sizes_are_timed_together_while_no_call_can_be_long() -> None:
    short, longer = (
        Formulas(lambda n: 1e-9 * n, lambda n: 1e-9 * n),
        Formulas(lambda n: 1e-9 * n, lambda n: 1e-9 * n * n),
    )
    assert await compared(short)
    assert await compared(longer)
    assert short.jobs == [SIZES[:3], SIZES[3:]]
    assert longer.jobs == [SIZES[:3], SIZES[3:5], SIZES[5:]]


async def test_too_few_sizes_say_nothing() -> None:
    assert await compared(Formulas(lambda n: 1e-2 * n, lambda n: 1e-2 * n)) == GrowthComparison()


async def test_three_sizes_are_enough_where_calls_are_long() -> None:
    found = (await compared(Formulas(lambda n: 1e-6 * n * n * n, lambda n: 1e-5 * n))).growth
    assert found is not None
    assert found.sizes == SIZES[:3]
    assert found.original.low <= 3.0 <= found.original.high


async def test_a_wrong_answer_to_a_large_input_is_found() -> None:
    assert (await compared(Formulas(lambda n: 1e-7 * n, lambda n: 1e-8 * n, answer=1))).mismatch
