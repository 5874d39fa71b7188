"""Arrays and tables grown from seen ones."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from codeens_sandbox_backends.programs import CallInput
from codeens_sandbox_backends.values.check import well_formed
from codeens_sandbox_backends.worker.values.codec import decode, encode
from codeens_server.evidence.strategies.draw import draw
from codeens_server.evidence.strategies.inputs import strategy_for
from codeens_server.evidence.strategies.tables import aligned, grown, is_table, length_of, resized
from codeens_server.workspace.find import find_target

np: Any = import_module("numpy")
pd: Any = import_module("pandas")
_SEEN = [
    np.arange(6.0),
    np.arange(6, dtype="uint8"),
    np.eye(3),
    np.ones((2, 3), dtype="float32"),
    np.array(["a", "bc"]),
    np.array([True, False]),
    np.array(["2024-01-01", "2024-02-01"], dtype="M8[D]"),
    np.array([1 + 2j]),
    pd.Series([1.5, 2.5], index=["a", "b"], name="p"),
    pd.Series([1, None], dtype="Int64"),
    pd.Series(["a", "b", "a"], dtype="category"),
    pd.Series(["x", "y"], dtype=object),
    pd.Series([1.0, 2.0], index=pd.date_range("2024-01-01", periods=2, freq="D")),
    pd.Series([1.0, 2.0], index=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["l", "n"])),
    pd.Series(pd.date_range("2024-01-01", periods=2, tz="Europe/Paris")),
    pd.DataFrame({"customer": ["a", "b", "a"], "price": [1.0, 2.0, 3.0], "count": [1, 5, 2]}),
    pd.Series([1, 2], index=pd.CategoricalIndex(["a", "b"])),
]


def _drawn(value: Any, count: int = 40) -> list[Any]:
    strategy = grown([encode(value)]).map(lambda tree: CallInput(args=(tree,)))
    return [call.args[0] for call in draw(strategy, count, seed="s")]


@pytest.mark.parametrize("value", _SEEN, ids=lambda value: str(getattr(value, "dtype", type(value).__name__)))
def test_what_is_grown_is_of_the_same_type_and_form(value: Any) -> None:
    trees = _drawn(value)
    made = [decode(tree) for tree in trees]

    assert all(map(well_formed, trees))
    assert {type(each) for each in made} == {type(value)}
    assert [length_of(tree) for tree in trees] == [len(each) for each in made]
    assert {str(getattr(each, "dtype", list(each))) for each in made} == {str(getattr(value, "dtype", list(value)))}
    assert all(each.shape[1:] == value.shape[1:] or each.shape[0] == each.shape[-1] for each in made)


def test_few_rows_many_rows_none_missing_and_repeated_ones_are_among_them() -> None:
    frames = [decode(tree) for tree in _drawn(_SEEN[-2], 100)]
    lengths = {len(frame) for frame in frames}

    assert {0, 1, 2} <= lengths
    assert max(lengths) >= 1000
    assert any(frame["price"].isna().any() for frame in frames)
    assert any(len(frame) > 20 and frame["price"].nunique() <= 3 for frame in frames)


def test_an_empty_table_alone_is_used_as_it_is() -> None:
    assert {str(tree) for tree in _drawn(pd.DataFrame({"x": []}), 5)} == {str(encode(pd.DataFrame({"x": []})))}


def test_arrays_that_are_equally_long_in_known_calls_stay_so() -> None:
    seen = [{"xs": encode(np.arange(3.0)), "ws": encode(np.ones(3)), "k": 2}]
    values = {"xs": encode(np.arange(9.0)), "ws": encode(np.ones(4)), "k": 500}

    done = aligned(values, seen, 1)

    assert length_of(done["ws"]) == 9
    assert 1 <= done["k"] <= 9
    assert aligned(values, seen, 8) == values


def test_lengths_that_differ_in_known_calls_are_left() -> None:
    seen = [{"xs": encode(np.arange(3.0)), "ws": encode(np.ones(2))}]
    values = {"xs": encode(np.arange(9.0)), "ws": encode(np.ones(4))}

    assert aligned(values, seen, 1) == values


def test_a_table_can_be_made_longer_and_shorter() -> None:
    tree = encode(np.arange(3.0))

    assert decode(resized(tree, 5)).tolist() == [0.0, 1.0, 2.0, 0.0, 1.0]
    assert decode(resized(tree, 2)).tolist() == [0.0, 1.0]


def test_scalars_and_lists_are_no_tables() -> None:
    assert not any(map(is_table, [1, None, "x", ["list", 1], encode(np.array(1.0)), encode(pd.Index([1]))]))


def test_calls_with_tables_are_made_from_a_recorded_one(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("def f(frame, width):\n    return frame\n", encoding="utf-8")
    target = find_target(f"{tmp_path / 'm.py'}::f", cwd=tmp_path)
    strategy = strategy_for(target, [CallInput(args=(encode(np.arange(6.0)), 3))], "")
    assert strategy is not None

    calls = draw(strategy, 60, seed="s")
    fits = [0 < call.args[1] <= length_of(call.args[0]) for call in calls]

    assert len(calls) == 60
    assert sum(fits) > 30
    assert not all(fits)
