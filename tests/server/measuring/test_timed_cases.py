"""Which inputs are timed."""

from __future__ import annotations

from codeens_sandbox_backends.programs import CallInput, Outcome, Raised, Returned
from codeens_server.domain.evidence import Case
from codeens_server.domain.terms import CaseOrigin
from codeens_server.measuring.measure import smaller_part, timed_cases


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


def test_the_smaller_part_keeps_the_order_and_at_least_one() -> None:
    cases = [case("recorded", text) for text in ("xxxx", "x", "xxx", "xx", "xxxxx")]
    assert [one.id for one in smaller_part(cases, 0.4)] == ["recorded-x", "recorded-xx"]
    assert [one.id for one in smaller_part(cases, 0.01)] == ["recorded-x"]
    assert len(smaller_part(cases, 0.99)) == 4
    assert smaller_part(cases[:1], 0.5) == (cases[0],)


def test_one_long_input_leaves_room_for_all_the_small_ones() -> None:
    cases = [case("recorded", "x" * length) for length in (1, 2, 100_000, 3, 4, 5, 6)]
    assert len(smaller_part(cases, 0.5)) == 6
