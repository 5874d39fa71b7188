"""Inputs that are one step from known ones."""

from __future__ import annotations

import re

import pytest

from codeens_sandbox_backends.programs import CallInput, Encoded
from codeens_sandbox_backends.worker.values.codec import decode, encode
from codeens_server.evidence.strategies.neighbours import Constants, always_raising, deep, neighbours


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


def test_places_of_a_record_keep_their_types() -> None:
    call = CallInput(args=(["list", ["tuple", "a", 1], ["tuple", 2, 3]],))
    records = [item for near in neighbours([call], Constants((), [call]), 200) for item in near.args[0][1:]]
    assert ["tuple", 3, 2] in records
    assert ["tuple", 1, "a"] not in records


def test_texts_begin_twice_with_what_the_code_looks_for_and_hold_what_patterns_fill_in() -> None:
    assert {"././a", " ./a", "\\1{0}%s", "\u2122"} <= {text for text in beside("a", "./") if isinstance(text, str)}


def test_bytes_begin_with_a_mark_or_are_no_text() -> None:
    assert {decode(data)[:3] for data in beside(encode(b"ab"))} >= {b"\xef\xbb\xbf", b"\xff\x81"}


def test_who_tries_again_gives_up_where_a_function_raises_each_time() -> None:
    function = ["callback", ["list", 1, 2], ["list"], ["list"]]
    raising = ["raising", "builtins:OSError", ["list"], ["list"], ["list"]]
    assert [call.args for call in always_raising(CallInput(args=(3, function)), "builtins:OSError")] == [(3, raising)]
    awaited = CallInput(args=(["awaited", function],))
    assert [call.args for call in always_raising(awaited, "builtins:OSError")] == [(["awaited", raising],)]
    with pytest.raises(OSError, match="as it does for some"):
        decode(raising)(3)
