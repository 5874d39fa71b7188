"""Who did the same, and the smallest input on which two differ."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from codeens_sandbox_backends.programs import CallInput, Died, Outcome, Raised, Returned, TimedOut
from codeens_sandbox_backends.worker.values.codec import encode
from codeens_server.domain.document import Cluster
from codeens_server.domain.evidence import Case
from codeens_server.domain.target import Target
from codeens_server.errors import InputError
from codeens_server.judging.clusters import agree, behaviour_clusters, find_differences, keep, pinned_case
from codeens_server.workspace.find import find_target
from tests.server.judging.in_process import InProcess, outcome_of, program


def distinct(items: list[Any]) -> list[Any]:
    return list(dict.fromkeys(items))


def sorted_distinct(items: list[Any]) -> list[Any]:
    return sorted(set(items))


def distinct_by_loop(items: list[Any]) -> list[Any]:
    found: list[Any] = []
    for item in items:
        if item not in found:
            found.append(item)
    return found


def as_they_come(value: Any) -> list[str]:
    return [str(item) for item in value]


def in_order(value: Any) -> list[str]:
    return sorted(str(item) for item in value)


def cases_of(*inputs: Any) -> list[Case]:
    return [
        Case(id=f"c{number}", origin="generated", input=CallInput(args=(encode(value),)))
        for number, value in enumerate(inputs)
    ]


def ran(function: Callable[..., Any], cases: list[Case]) -> tuple[Outcome, ...]:
    return tuple(outcome_of(function, case.input) for case in cases)


@pytest.fixture
def target(tmp_path: Path) -> Target:
    (tmp_path / "m.py").write_text("def distinct(items):\n    return items\n", encoding="utf-8")
    return find_target(f"{tmp_path / 'm.py'}::distinct", cwd=tmp_path)


LONG = [9, 40, 3, 12, 40, 8, 8, 77, 61, 5, 23, 90]
FUNCTIONS = {"original": distinct, "a": distinct_by_loop, "b": sorted_distinct}


async def mapped(
    target: Target, cases: list[Case], sandbox: InProcess, strategy: Any = None, budget_s: float = 30
) -> tuple[Cluster, ...]:
    outcomes = {name: ran(function, cases) for name, function in sandbox.functions.items()}
    return await find_differences(
        behaviour_clusters(outcomes, cases, {"a": 3}),
        programs={name: program(name) for name in sandbox.functions},
        target=target,
        strategy=strategy,
        cases=cases,
        sandbox=sandbox.as_sandbox(),
        outcomes=outcomes,
        budget_s=budget_s,
    )


def test_those_that_did_the_same_stand_together_the_most_answers_first() -> None:
    cases = cases_of([1, 2], LONG)
    outcomes = {name: ran(function, cases) for name, function in FUNCTIONS.items()} | {"refused": ()}

    clusters = behaviour_clusters(outcomes, cases, {"a": 3, "b": 9})

    assert [(c.index, c.members, c.weight) for c in clusters] == [(0, ("b",), 9), (1, ("original", "a"), 4)]


@pytest.mark.anyio
async def test_the_difference_is_shrunk_to_what_a_person_can_read(target: Target) -> None:
    sandbox = InProcess(**FUNCTIONS)

    first, second = await mapped(target, cases_of([1, 2], LONG), sandbox)

    (difference,) = first.differences
    assert first.members == ("original", "a")
    assert difference.other == second.index
    assert difference.call == "distinct([1, 0])"
    assert (difference.here, difference.there) == ("[1, 0]", "[0, 1]")
    (mirrored,) = second.differences
    assert (mirrored.other, mirrored.here, mirrored.there) == (first.index, "[0, 1]", "[1, 0]")
    assert sandbox.jobs <= 30


@pytest.mark.anyio
async def test_the_functions_own_inputs_are_searched_where_they_are_known(target: Target) -> None:
    words = st.lists(st.text("ab", max_size=3), max_size=4).map(lambda value: CallInput(args=(encode(value),)))

    first, _ = await mapped(target, cases_of(["zebra", "quagga", "zebra"]), InProcess(**FUNCTIONS), words)

    assert len(first.differences[0].call) <= len("distinct(['a', ''])")


@pytest.mark.anyio
async def test_without_time_the_smallest_known_input_is_given(target: Target) -> None:
    sandbox = InProcess(**FUNCTIONS)

    first, _ = await mapped(target, cases_of(LONG, [5, 2, 9], [7, 6, 5, 4]), sandbox, budget_s=0)

    assert first.differences[0].call == "distinct([5, 2, 9])"
    assert sandbox.jobs == 0


@pytest.mark.anyio
async def test_a_strategy_that_fails_does_not_end_the_search(target: Target) -> None:
    nothing = st.integers().filter(lambda _: False).map(lambda value: CallInput(args=(value,)))

    first, _ = await mapped(target, cases_of(LONG), InProcess(**FUNCTIONS), nothing)

    assert first.differences[0].call == "distinct([1, 0])"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("value", "longest"),
    [
        ({"b": [3, 1], "a": 2, "c": "text"}, "distinct({'b': [], 'a': 0})"),
        ("a longer text, with zebras", "distinct('ba')"),
        ((4, [30, 20], 12), "distinct((1, [], 0))"),
        ([-8, -9, -8], "distinct([0, -1])"),
        ([2.75, 1.5], "distinct([2.0, 0.0])"),
        (["zebra crossing", "quagga"], "distinct(['a', ''])"),
    ],
)
async def test_every_kind_of_input_gets_smaller(target: Target, value: Any, longest: str) -> None:
    first, _ = await mapped(target, cases_of(value), InProcess(a=as_they_come, b=in_order))

    assert len(first.differences[0].call) <= len(longest)


@pytest.mark.anyio
async def test_what_hangs_or_dies_is_known_and_never_searched_for(target: Target) -> None:
    cases = cases_of([3, 2, 1])
    outcomes: dict[str, tuple[Outcome, ...]] = {"original": ran(distinct, cases), "dead": (Died(reason="exit"),)}
    sandbox = InProcess(original=distinct, dead=distinct)

    first, _ = await find_differences(
        behaviour_clusters(outcomes, cases, {}),
        programs={name: program(name) for name in outcomes},
        target=target,
        strategy=None,
        cases=cases,
        sandbox=sandbox.as_sandbox(),
        outcomes=outcomes,
        budget_s=30,
    )

    assert first.differences[0].call == "distinct([3, 2, 1])"
    assert first.differences[0].there == "the process ended (exit)"


def test_agreement_is_the_share_of_answers_that_did_the_same() -> None:
    cases = cases_of([1, 2], LONG)
    outcomes = {name: ran(function, cases) for name, function in FUNCTIONS.items()}

    assert agree(outcomes, {"b": 2}) == {"original": 0.5, "a": 0.5, "b": 0.5}


def test_those_that_never_return_agree_with_nobody() -> None:
    crash, right = (Raised(type="NameError"),), (Returned(value=1),)

    assert agree({"a": crash, "b": crash, "c": right}, {}) == {"a": 0.0, "b": 0.0, "c": pytest.approx(1 / 3)}


@pytest.mark.anyio
async def test_a_difference_can_be_kept_as_a_case(target: Target) -> None:
    sandbox = InProcess(**FUNCTIONS)
    first, _ = await mapped(target, cases_of(LONG), sandbox)

    case = await keep(first.differences[0], program("b"), sandbox=sandbox.as_sandbox())

    assert (case.origin, case.input) == ("pinned", first.differences[0].input)
    assert case.expected == outcome_of(sorted_distinct, case.input)
    assert case.id == pinned_case(case.input, Raised(type="ValueError")).id


@pytest.mark.parametrize("outcome", [TimedOut(limit="call", seconds=1), Died(reason="exit")])
def test_what_proves_nothing_cannot_be_kept(outcome: Outcome) -> None:
    with pytest.raises(InputError, match="cannot be kept"):
        pinned_case(CallInput(args=(1,)), outcome)
