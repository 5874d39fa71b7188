"""Inputs that are one step from known ones."""

from __future__ import annotations

import re

from codeens_sandbox_backends.programs import CallInput, Encoded
from codeens_server.evidence.strategies.neighbours import Constants, deep, neighbours


def beside(value: Encoded, *literals: object) -> list[Encoded]:
    """What stands in the place of the only argument."""
    return [call.args[0] for call in neighbours([CallInput(args=(value,))], Constants(literals), 200)]


def test_lines_end_in_other_ways_and_hold_what_the_code_looks_for() -> None:
    texts = [text for text in beside("name", ":") if isinstance(text, str)]
    assert any(text.splitlines().count("name:name") > 1 and "\n" not in text for text in texts)


def test_characters_of_all_classes_stand_beside_each_other() -> None:
    texts = [text for text in beside("name") if isinstance(text, str)]
    assert any(re.search("\u0664[A-Z]", text) and re.search("[A-Z]\u00e9", text) for text in texts)


def test_days_around_odd_years_keep_their_time_and_zone() -> None:
    assert ["date", "2000-02-29"] in beside(["date", "2024-05-06"])
    assert ["datetime", "2100-03-01T07:08:09"] in beside(["datetime", "2024-05-06T07:08:09"])


def test_the_deepest_inputs_come_before_what_would_remember_part_of_their_way() -> None:
    sizes = [call.args[0] for call in deep(CallInput(args=(3,))) if isinstance(call.args[0], int)]
    plain = [size for size in sizes if size < 1000]
    assert plain == sorted(plain, reverse=True)
    assert plain[0] == 900


def test_records_have_the_same_key_and_another_value() -> None:
    assert ["list", ["tuple", 1, "a"], ["tuple", 1, "A"]] in beside(["list", ["tuple", 1, "a"]])
    record = ["dict", ["id", 1], ["name", "a"]]
    assert ["list", record, ["dict", ["id", 1], ["name", "A"]]] in beside(["list", record])


def test_words_of_the_same_letters_in_other_numbers_stand_beside_each_other() -> None:
    call = CallInput(args=("once", "twice"))
    pairs = [near.args for near in neighbours([call], Constants(()), 200)]
    assert any(set(a) == set(b) and len(a) == len(b) and sorted(a) != sorted(b) for a, b in pairs)
    lists = [near.args for near in neighbours([CallInput(args=(["list", 1, 2], ["list", 3]))], Constants(()), 200)]
    assert (["list", 1, 1, 2], ["list", 2, 2, 1]) in lists
