"""Inputs of which two arguments are others at once."""

from __future__ import annotations

from codeens_sandbox_backends.programs import CallInput
from codeens_server.evidence.strategies.together import together


def test_years_of_centuries_stand_beside_each_number_of_the_code() -> None:
    pairs = {call.args for call in together([CallInput(args=(2023, 7))], [1, 12, 2], ["def days(year, month): ..."])}
    assert {(1900, 2), (2100, 2), (2000, 2)} <= pairs
    assert {(12, 2), (2, 12)} <= pairs


def test_numbers_are_no_years_where_the_code_does_not_speak_of_any() -> None:
    assert {call.args for call in together([CallInput(args=(5, 7))], [3], ["def add(a, b): ..."])} == {
        (one, two) for one in (3, 0) for two in (3, 0)
    }


def test_days_around_a_century_stand_beside_steps_onto_it() -> None:
    moved = [call.args for call in together([CallInput(args=(["date", "2024-05-06"], 0))], [], [""])]
    assert {1, -1, 4, 12} <= {step for day, step in moved if day == ["date", "2100-01-31"]}
    times = together([CallInput(args=(["datetime", "2024-05-06T07:08:09"], ["date", "2024-05-06"]))], [], [""])
    assert (["datetime", "2100-03-01T07:08:09"], ["date", "2096-02-29"]) in [call.args for call in times]


def test_days_are_also_three_numbers() -> None:
    made = {call.args for call in together([CallInput(args=(1, 2, 3))], [], ["def is_valid(day, month, year): ..."])}
    assert {(29, 2, 1900), (1900, 2, 29), (2000, 2, 29)} <= made


def test_what_has_one_argument_to_change_is_left_to_those_who_change_one() -> None:
    assert together([CallInput(args=(3,)), CallInput(args=(3, ["list"]))], [1, 2], [""]) == []
