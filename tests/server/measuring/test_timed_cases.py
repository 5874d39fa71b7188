"""Which inputs are timed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsJob, CallsResult, Usage
from codeens_sandbox_backends.programs import CallInput, Outcome, Program, Raised, Returned, TimedOut
from codeens_server.domain.evidence import Case
from codeens_server.domain.terms import CaseOrigin
from codeens_server.measuring.timed_cases import LONGEST_PASS_S, costly_cases, timed_cases


def case(origin: CaseOrigin, text: str, expected: Outcome | None = None) -> Case:
    return Case(
        id=f"{origin}-{text}", origin=origin, input=CallInput(args=(text,)), expected=expected or Returned(value=text)
    )


def test_the_origins_take_turns_and_the_largest_of_each_come_first() -> None:
    generated = [case("generated", "x" * size) for size in range(10)]
    recorded = [case("recorded", "yy"), case("recorded", "yyyy")]
    chosen = timed_cases([*generated, *recorded], most=5)
    assert [one.id for one in chosen] == [
        "generated-xxxxxxx",
        "generated-xxxxxxxx",
        "generated-xxxxxxxxx",
        "recorded-yy",
        "recorded-yyyy",
    ]


def test_each_input_is_timed_once_and_only_where_the_original_returns() -> None:
    cases = [
        case("doctest", "a"),
        case("recorded", "a"),
        case("recorded", "b", Raised(type="ValueError")),
        case("recorded", "c"),
    ]
    assert [one.id for one in timed_cases(cases)] == ["doctest-a", "recorded-c"]
    assert timed_cases([]) == ()


class Original:
    """Takes so long for an input as a function says, and the share of a processor that the machine leaves it."""

    def __init__(self, seconds: Callable[[int], float], share: float = 1.0) -> None:
        self._seconds = seconds
        self._share = share

    async def run(self, job: CallsJob) -> CallsResult:
        worked_s = [self._seconds(call.args[0]) for call in job.inputs]
        outcomes = tuple(
            Returned(value=1) if seconds < 1.0 else TimedOut(limit="call", seconds=1.0) for seconds in worked_s
        )
        took_s = tuple(seconds / self._share for seconds in worked_s)
        return CallsResult(
            outcomes=outcomes, loaded=True, usage=Usage(wall_s=sum(took_s), cpu_s=sum(worked_s)), took_s=took_s
        )


async def chosen(numbers: list[int], original: Original) -> list[int]:
    cases = [
        Case(id=str(number), origin="generated", input=CallInput(args=(number,)), expected=Returned(value=1))
        for number in numbers
    ]
    program: Any = None
    found = await costly_cases(cases, cast("Program", program), cast("Sandbox", original))
    return [case.input.args[0] for case in found]


def divisors_tried(number: int) -> float:
    return 1e-6 * max(number, 1)


@pytest.mark.anyio
async def test_numbers_that_the_original_works_long_on_are_timed_beside_those_that_are_long() -> None:
    numbers = [*range(-(10**9), 0, 10**7), 7, 97, 4001, 9973]
    found = await chosen(numbers, Original(divisors_tried))
    assert len(found) == 50
    assert {97, 4001, 9973} <= set(found)
    assert set(numbers[:25]) <= set(found)


@pytest.mark.anyio
@pytest.mark.parametrize("share", [1.0, 0.1])
async def test_a_pass_takes_no_longer_than_is_wanted_however_busy_the_machine_is(share: float) -> None:
    numbers = [20_000, 30_000, 40_000, 50_000, 1_000_000, 3]
    found = await chosen(numbers, Original(divisors_tried, share))
    assert found == [20_000, 30_000, 40_000, 3]
    assert sum(map(divisors_tried, found)) <= LONGEST_PASS_S


@pytest.mark.anyio
async def test_an_input_that_takes_longer_than_a_pass_is_timed_where_all_others_are_no_work() -> None:
    assert await chosen([3, 400_000, 5, 300_000], Original(divisors_tried)) == [3, 5, 300_000]


@pytest.mark.anyio
async def test_where_no_input_is_quick_enough_the_smallest_is_timed() -> None:
    assert await chosen([9_000_000, 2_000_000], Original(divisors_tried)) == [2_000_000]
