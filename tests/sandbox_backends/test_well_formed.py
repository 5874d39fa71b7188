"""What the judge takes for an encoded value: exactly what the encoder could have written."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codeens_sandbox_backends.values.check import well_formed
from codeens_sandbox_backends.worker.values.codec import encode
from codeens_sandbox_backends.worker.values.coding import json_text
from tests.sandbox_backends.values import CHARACTERS, SCALARS

Json: st.SearchStrategy[Any] = st.recursive(
    SCALARS.filter(lambda value: type(value) not in (bytes, complex))
    | st.sampled_from(["list", "dict", "int", "iter"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(CHARACTERS, max_size=3), inner, max_size=3),
    max_leaves=15,
)


@given(Json)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_json_is_either_an_encoded_plain_value_or_found_not_to_be(encoded: Any) -> None:
    if well_formed(encoded):
        json_text(encoded)


CAN_BE: list[Any] = [
    {1, 2, -1, -2, (-1,), (-2,)},
    {1.5, "1.5", b"1.5", Fraction(1, 3), Decimal("0.1"), 0.1},
    {float("nan"), float("-inf"), Decimal("Infinity")},
    {(), frozenset(), (1, "a"), (1, b"a")},
    {None: 1, "None": 2, True: 3, 2: 4},
    {2**70: 1, 2**70 + 1: 2, 1e300: 3},
    [{(frozenset({1}), 2): [1]}],
    {range(1), range(2), Decimal("1e999999")},
]


@pytest.mark.parametrize("value", CAN_BE)
def test_sets_and_dicts_that_python_can_have_are_well_formed(value: object) -> None:
    assert well_formed(encode(value))


def test_two_objects_that_are_written_alike_can_be_in_one_set() -> None:
    assert well_formed(["set", ["float", "nan"], ["float", "nan"], ["object", "m:C"], ["object", "m:C"]])


NOT_ENCODED: list[Any] = [
    ["set", 1, 1],
    ["set", 1, True],
    ["set", 1, 1.0],
    ["set", ["int", "20000000000000"], 9007199254740992.0],
    ["set", 0.5, ["Fraction", 1, 2]],
    ["set", 0.5, ["Decimal", "0.50"]],
    ["set", ["tuple", 1], ["tuple", True]],
    ["set", ["frozenset", 1, 2], ["frozenset", 2, 1]],
    ["set", ["list", 1]],
    ["set", ["tuple", ["list"]]],
    ["set", ["set"]],
    ["frozenset", ["dict"]],
    ["frozenset", ["bytearray", "YQ=="]],
    ["frozenset", ["deque", None]],
    ["dict", ["a", 1], ["a", 2]],
    ["dict", [["list"], 1]],
    ["dict", [1, "a"], [True, "b"]],
    ["list", ["Counter", [["tuple", ["set"]], 1]]],
    [],
    [1],
    ["nope"],
    [["list"]],
    {"a": 1},
    1 << 53,
    float("inf"),
    ["int", 5],
    ["int", "0x1"],
    ["int"],
    ["float", "1.0"],
    ["dict", 5],
    ["dict", ["a"]],
    ["dict", ["a", 1, 2]],
    ["object", "m:C", [1, 2]],
    ["object"],
    ["list", ["dict", ["a", {}]]],
    ["bytes", "!"],
    ["ndarray", "<f8", [True], ""],
    ["deque", -1],
    ["enum", "m:C"],
    ["more"],
    ["iter", "generator", ["more"], 1],
    ["int", "5"],
    ["int", "0020000000000000"],
    ["str", "61"],
    ["bytes", "YQ"],
    ["bytes", "YR=="],
    ["Decimal", "1e5"],
    ["Decimal", "007"],
    ["Fraction", 1, 0],
    ["Fraction", 2, 4],
    ["Fraction", ["int", "20000000000000"], 2],
    ["range", 1, 2, 0],
    ["range", 1, 2, "3"],
    ["date", "2024-02-30"],
    ["date", "20240229"],
    ["datetime", "2024-02-29"],
    ["zoned", 0, None, ["time", "01:00:00"]],
    ["zoned", 1, None, ["date", "2024-02-29"]],
    ["timedelta", 0, 86400, 0],
    ["uuid", "7"],
    ["path", "a//b"],
    ["deque", 1, 1, 2],
    ["complex", 1, 2],
    ["ndarray", "<f8", [2], "C", "AAAAAAAA8D8="],
    ["ndarray", "|O8", [1], "C", "AAAAAAAA8D8="],
    ["ndarray", "<f8", [1], "K", "AAAAAAAA8D8="],
    ["ndarray", "<f8", [4294967296, 4294967296, 0, 1], "C", "AAAAAAAA8D8="],
    ["pandas", "Series", None, None],
    ["pandas", "eval", "1"],
    ["enum", "nowhere", "RED"],
    ["object", "m:C", ["b", 1], ["a", 2]],
    ["object", "m:C", ["a", 1], ["a", 2]],
]


@pytest.mark.parametrize(("tag", "inner", "last"), [("Fraction", "int", 1), ("timezone", "timedelta", None)])
def test_no_depth_ends_the_judge(tag: str, inner: str, last: int | None) -> None:
    deep: Any = 1
    for _ in range(50_000):
        deep = ["list", deep]
    assert well_formed(deep)
    assert not well_formed([tag, [inner, deep], last])


@pytest.mark.parametrize("encoded", NOT_ENCODED, ids=repr)
def test_json_that_is_no_encoded_value_is_found_out(encoded: object) -> None:
    assert not well_formed(encoded)
