"""Encoded values compared and shown, hostile ones included."""

from __future__ import annotations

from typing import Any

import pytest

from codeens_sandbox_backends.programs import CallInput, Died, Outcome, Raised, Returned, TimedOut, Unencodable
from codeens_sandbox_backends.values.compare import canonical, same
from codeens_sandbox_backends.values.outcomes import outcome_key, same_outcome
from codeens_sandbox_backends.values.render import render, render_call, render_outcome, render_outcome_pair
from codeens_sandbox_backends.worker.values.codec import encode


def nested(depth: int, leaf: Any = 1) -> Any:
    encoded: Any = leaf
    for _ in range(depth):
        encoded = ["list", encoded]
    return encoded


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ({"a": 1, "b": [2]}, {"b": [2], "a": 1}),
        (float("nan"), float("nan")),
        ({1, 2, 3}, {3, 2, 1}),
        ([{"k": {1.5, 2.5}}], [{"k": {2.5, 1.5}}]),
        ("\ud800", "\ud800"),
    ],
)
def test_equal_values_are_the_same_and_have_the_same_canonical_text(a: Any, b: Any) -> None:
    assert same(encode(a), encode(b))
    assert canonical(encode(a)) == canonical(encode(b))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1, 1.0),
        (1, True),
        ([1], (1,)),
        ({1}, frozenset({1})),
        (0.0, -0.0),
        ("1", 1),
        (None, False),
        ([1, 2], [2, 1]),
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {"a": 1, "b": 2}),
        (0.1 + 0.2, 0.3),
        ([[1], [2]], [[1, 2]]),
        (b"a", bytearray(b"a")),
        (2**60, 2**60 + 1),
    ],
)
def test_different_values_are_not_the_same(a: Any, b: Any) -> None:
    assert not same(encode(a), encode(b))
    assert canonical(encode(a)) != canonical(encode(b))


def test_the_order_of_an_ordered_dict_counts() -> None:
    assert not same(["OrderedDict", ["a", 1], ["b", 2]], ["OrderedDict", ["b", 2], ["a", 1]])
    assert same(["Counter", ["a", 1], ["b", 2]], ["Counter", ["b", 2], ["a", 1]])


def test_values_under_keys_that_can_not_be_told_apart_are_all_compared() -> None:
    one, other = float("nan"), float("nan")

    assert same(encode({one: 1, other: 2}), encode({other: 2, one: 1}))
    assert not same(encode({one: 1, other: 2}), encode({one: 9, other: 2}))


def test_how_an_array_lies_in_memory_does_not_count() -> None:
    data = "AQAAAAIAAAADAAAABAAAAA=="

    assert same(["ndarray", "<i4", [2, 2], "C", data], ["ndarray", "<i4", [2, 2], "F", data])
    assert not same(["ndarray", "<i4", [2, 2], "C", data], ["ndarray", "<i4", [4], "C", data])


def test_a_tolerance_lets_floats_differ_a_little_and_nothing_else() -> None:
    ours, theirs = encode([{"x": 0.1 + 0.2}, {1.0}]), encode([{"x": 0.3}, {1.0 + 1e-12}])

    assert same(ours, theirs, tolerance=1e-9)
    assert not same(encode([1]), encode([1.0]), tolerance=1e-9)
    assert not same(encode([1.0]), encode([1.1]), tolerance=1e-9)


@pytest.mark.parametrize(
    "encoded",
    [
        [],
        ["bogus", 1],
        ["dict", ["only a key"]],
        ["dict", 3],
        ["int"],
        ["float", 1],
        ["range", 1],
        ["object", "m:C", [1, 2]],
        [["list"]],
        {"a": 1},
        ["timedelta", 10**30, 0, 0],
        2**60,
        float("nan"),
        ["ndarray", "f8", ["x"], "C", ""],
        ["namedtuple"],
    ],
)
def test_a_malformed_value_is_shown_as_such_and_equals_nothing(encoded: Any) -> None:
    assert render(encoded) == "<unreadable value>"
    assert not same(encoded, encoded)
    assert not same(["list", encoded], ["list", 1])
    assert canonical(encoded) != canonical(1)


def test_depth_and_size_do_not_matter() -> None:
    deep = nested(50_000)

    assert same(deep, nested(50_000))
    assert not same(deep, nested(50_000, leaf=2))
    assert canonical(deep) == canonical(nested(50_000))
    assert len(canonical(["list", *range(100_000)])) < 2000
    assert render(["int", "f" * 1_000_000]) == "0x" + "f" * 197 + "…"
    assert len(render(deep, 50)) == 50
    assert len(render(["list", *range(100_000)], 50)) == 50
    assert not same(["list", *range(100_000)], ["list", 1])


@pytest.mark.parametrize(
    ("encoded", "shown"),
    [
        (encode([1, 2.5, "a", None, True]), "[1, 2.5, 'a', None, True]"),
        (encode({"a": (1,)}), "{'a': (1,)}"),
        (encode(set()), "set()"),
        (encode(frozenset({1})), "frozenset({1})"),
        (encode(2**70), str(2**70)),
        (encode(b"ab"), "b'ab'"),
        (encode(bytearray(b"ab")), "bytearray(b'ab')"),
        (encode(float("inf")), "inf"),
        (encode(range(3)), "range(0, 3, 1)"),
        (["object", "pkg.shapes:Outer.Point", ["x", 1], ["y", ["list"]]], "Point(x=1, y=[])"),
        (["namedtuple", "m:Pair", 1, 2], "Pair(1, 2)"),
        (["iter", "generator", 1, 2], "<generator of [1, 2]>"),
        (["iter", "generator", 1, ["more"]], "<generator of [1, …]>"),
        (["deque", 3, 1], "deque([1], maxlen=3)"),
        (["defaultdict", "int", ["a", 1]], "defaultdict(int, {'a': 1})"),
        (["Counter", ["a", 1]], "Counter({'a': 1})"),
        (["enum", "m:Color", "RED"], "Color.RED"),
        (["exception", "builtins:ValueError", "x"], "ValueError('x')"),
        (["Decimal", "1.50"], "Decimal('1.50')"),
        (["date", "2020-01-31"], "date.fromisoformat('2020-01-31')"),
        (["ndarray", "<f8", [0, 3], "C", ""], "array([], 0x3)"),
        (["flags", "m:Mode", 3], "Mode(3)"),
        (["pandas", "Index", None, ["list", 1]], "Index([1])"),
        (["path", ["str", "61edb3bf"]], "Path('a\\udcff')"),
        (
            ["zoned", 1, ["zoneinfo", "Europe/Berlin"], ["time", "02:30:00"]],
            "time.fromisoformat('02:30:00').replace(fold=1, tzinfo=ZoneInfo('Europe/Berlin'))",
        ),
        (["object", "m:Evil\n\x1b[2J", ["a\n", 1]], "Evil\\n\\x1b[2J(a\\n=1)"),
        (["str", "eda080"], "'\\ud800'"),
        (["str", "zz"], "<unreadable value>"),
    ],
)
def test_values_are_shown_as_python_writes_them(encoded: Any, shown: str) -> None:
    assert render(encoded) == shown


def test_a_call_is_shown_as_one_would_write_it() -> None:
    call = CallInput(args=(encode([3, 1]), "a"), kwargs={"key": encode((1,))})

    assert render_call("top", call) == "top([3, 1], 'a', key=(1,))"


def test_outcomes_that_prove_nothing_are_never_the_same() -> None:
    blind: list[Outcome] = [
        TimedOut(limit="call", seconds=5),
        Died(reason="exit"),
        Unencodable(type="m:Lock", where="value"),
    ]

    assert not any(same_outcome(outcome, outcome) for outcome in blind)


def test_an_exception_is_the_same_when_its_type_is() -> None:
    assert same_outcome(Raised(type="ValueError", message="a"), Raised(type="ValueError", message="b"))
    assert not same_outcome(Raised(type="ValueError"), Raised(type="KeyError"))
    assert not same_outcome(Raised(type="ValueError"), Returned(value=None))


def test_arguments_after_the_call_count_and_are_shown_where_only_they_differ() -> None:
    kept = Returned(value=None, args=(encode([2, 1]),))
    sorted_in_place = Returned(value=None, args=(encode([1, 2]),))

    assert not same_outcome(kept, sorted_in_place)
    assert outcome_key(kept) != outcome_key(sorted_in_place)
    assert render_outcome_pair(kept, sorted_in_place) == ("None, leaving ([2, 1])", "None, leaving ([1, 2])")


def test_outcomes_that_differ_are_shown_apart() -> None:
    many = ["list", *range(500)]
    other = ["list", *range(499), 7]
    result, argument = Returned(value=many, args=(1,)), Returned(value=1, args=(many,))
    assert render_outcome_pair(result, Returned(value=other, args=(1,))) == ("at place 499: 499", "at place 499: 7")
    here, there = render_outcome_pair(argument, Returned(value=1, args=(other,)))
    assert here.endswith("in the arguments at place 0, 499: 499")
    assert there.endswith("in the arguments at place 0, 499: 7")
    errors = render_outcome_pair(Raised(type="a:Error", message="no"), Raised(type="b:Error", message="no"))
    assert errors == ("raises Error: no (a:Error)", "raises Error: no (b:Error)")


def test_outcomes_are_told_in_words() -> None:
    assert render_outcome(Raised(type="pkg.errors:Bad", message="no\nway")) == "raises Bad: no\\nway"
    assert render_outcome(TimedOut(limit="call", seconds=5)) == "no answer within 5 s (call limit)"
    assert render_outcome(Died(reason="signal", detail="SIGSEGV")) == "the process ended (signal): SIGSEGV"
