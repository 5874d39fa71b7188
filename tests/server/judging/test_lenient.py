"""What a task file's values stand for."""

from __future__ import annotations

from typing import Any

import pytest

from codeens_sandbox_backends.worker.values.codec import encode
from codeens_server.tasks.lenient import matches, smallest_size, typed_as


@pytest.mark.parametrize(
    ("expected", "returned"),
    [
        ([1, [2, 3]], (1, (2, 3))),
        (2, 2.0),
        (2.0, 2),
        (0.3, 0.1 + 0.2),
        ({"1": [1]}, {1: (1,)}),
        ({"true": 1, "null": 2}, {True: 1, None: 2}),
        (None, None),
        (2**80, 2**80),
        ([float("nan")], [float("nan")]),
        ([], ()),
        (6.626e-34, 6.626e-34 * (1 + 1e-12)),
        (0.0, 1e-17),
        (0.0, 0),
        (10**20, 1e20),
        (2**300, 2.0**300),
        (1e22, 1e22 * (1 + 1e-15)),
        (3000000001.0, 3000000001.0000005),
        (1.333335333334e18, 1333335333334000000),
    ],
)
def test_what_json_cannot_say_is_not_demanded(expected: Any, returned: Any) -> None:
    assert matches(encode(expected), encode(returned))


@pytest.mark.parametrize(
    ("expected", "returned"),
    [
        (True, 1),
        (1, True),
        ("1", 1),
        (1, "1"),
        (None, False),
        ([1, 2], [2, 1]),
        ([1], [1, 1]),
        ([1, 2], {1, 3}),
        (10**15, 10**15 + 1),
        (1.0, 1.001),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1}, ["a", 1]),
        ("a", ["a"]),
        ([], {}),
        ([3, 1], {1, 3}),
        ([1, 3], frozenset({1, 3})),
        (6.626e-34, 0.0),
        (6.626e-34, 6.627e-34),
        (5e-10, 4e-10),
        (10**15 + 8, float(10**15 + 9)),
        (3000000001, 3000000001.5),
        (3000000001.0, 3000000002),
        (3000000001.0, 3000000002.0),
        (10**400, 1e300),
        (1e300, 10**400),
        (0, 1e-12),
        (10**23, 1e23),
    ],
)
def test_what_json_can_say_is_demanded(expected: Any, returned: Any) -> None:
    assert not matches(encode(expected), encode(returned))


def test_a_list_stands_for_a_set_where_the_reference_returns_one() -> None:
    expected = encode({"a": [3, 1], "b": [3, 1]})
    typed = typed_as(expected, encode({"a": {1, 3}, "b": [3, 1]}))
    assert matches(typed, encode({"a": frozenset({3, 1}), "b": (3, 1)}))
    assert matches(typed, encode({"a": {3, 1}, "b": [3, 1]}))
    assert not matches(typed, encode({"a": {3, 1}, "b": {3, 1}}))
    assert not matches(typed, encode({"a": {3, 2}, "b": [3, 1]}))


def test_a_set_of_pairs_is_matched_in_any_order() -> None:
    expected = [[2, "b"], [1, "a"]]
    value = {(1, "a"), (2, "b")}
    assert matches(typed_as(encode(expected), encode(value)), encode(value))


def test_beside_a_zero_counts_what_is_large_among_the_other_answers() -> None:
    unit = smallest_size([encode([0.0, 3e-19]), encode(5.0)])
    assert not matches(0.0, 3e-19, unit=unit)
    assert matches(0.0, 1e-30, unit=unit)


def test_a_malformed_answer_matches_nothing() -> None:
    assert not matches(["list", 1], ["list", ["bogus"]])
