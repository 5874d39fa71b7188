"""What passes on conditions, what they are called, and what no condition lets through."""

from __future__ import annotations

import math
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from msgspec.structs import replace

from codeens_sandbox_backends.jobs import CallsResult, Usage
from codeens_sandbox_backends.programs import CallInput, Outcome, Raised, Returned
from codeens_sandbox_backends.worker.values.codec import encode
from codeens_server.domain.evidence import Case
from codeens_server.domain.terms import CaseOrigin, ConditionKind
from codeens_server.evidence.function_domain import with_domain
from codeens_server.judging.replay import Replay, compare
from codeens_server.workspace.find import find_target

np: Any = import_module("numpy")
pd: Any = import_module("pandas")
_Row: TypeAlias = "tuple[tuple[Any, ...], Any, Any]"
"""Arguments, what the original does with them, what the candidate does. An exception is raised."""


def _outcome(result: Any, args: tuple[Any, ...]) -> Outcome:
    encoded = tuple(map(encode, args))
    if isinstance(result, Exception):
        return Raised(type=type(result).__name__, message=str(result), args=encoded)
    return Returned(value=encode(result), args=encoded)


def _judged(*rows: _Row, origin: CaseOrigin = "recorded", refused: tuple[ConditionKind, ...] = ()) -> Replay:
    cases = tuple(
        Case(id=str(at), origin=origin, input=CallInput(args=tuple(map(encode, args))), expected=_outcome(right, args))
        for at, (args, right, _) in enumerate(rows)
    )
    return _replayed(cases, rows, refused)


def _replayed(
    cases: tuple[Case, ...],
    rows: tuple[_Row, ...],
    refused: tuple[ConditionKind, ...] = (),
    effects: dict[str, Any] | None = None,
) -> Replay:
    """Judge what came of the rows; the last call also has effects, where they are given."""
    outcomes = [_outcome(got, args) for args, _, got in rows]
    if effects and isinstance(last := outcomes[-1], (Returned, Raised)):
        outcomes[-1] = replace(last, effects=effects)
    return compare(
        "f", cases, CallsResult(outcomes=tuple(outcomes), loaded=True, usage=Usage(wall_s=0.0)), refused=refused
    )


def _said(replay: Replay) -> list[str]:
    return [condition.text for condition in replay.conditions]


# Plain values -------------------------------------------------------------------------------------------------------


def test_a_sum_in_another_order_passes_with_the_size_of_its_rounding() -> None:
    values = [0.1] * 10
    replay = _judged(((values,), sum(values), math.fsum(values)), (([1.0],), 1.0, 1.0))

    assert replay.status == "conditional"
    assert _said(replay) == ["floats differ by at most 2e-16 relative (1 of 2 inputs)"]
    assert replay.passed == 1


@pytest.mark.parametrize(
    ("right", "got"),
    [
        (6, 6.0),
        (6.0, 6),
        (1, True),
        (3, 4),
        (1e16, 1e16 + 64),
        (3.313e-19, 0.0),
        (1.0, math.nan),
        (1.0, math.inf),
        ([1], (1,)),
        ("a", "b"),
        (10**18, float(10**18)),
    ],
)
def test_another_value_is_no_condition(right: Any, got: Any) -> None:
    assert _judged(((5e14,), right, got)).status == "failed"


def test_what_cancels_is_held_to_the_size_of_the_numbers_given() -> None:
    rows = [(([float(n)],), float(n), float(n)) for n in range(1, 10)]
    replay = _judged(*rows, (([1e10 / 3, 0.1, -1e10 / 3],), 0.09999990463256836, 0.1))

    assert _said(replay) == ["floats differ by at most 3e-17 of the largest number given (1 of 10 inputs)"]


def test_a_function_with_small_results_is_not_held_to_the_size_of_its_arguments() -> None:
    rows = [((n * 1e10,), 1 / (n * 1e10), 0.0) for n in range(1, 10)]

    assert _judged(*rows).status == "failed"


def test_a_changed_argument_is_never_a_condition() -> None:
    case = Case(
        id="0",
        origin="recorded",
        input=CallInput(args=(["list", 0.1],)),
        expected=Returned(value=0.30000000000000004, args=(["list", 0.1],)),
    )
    got = Returned(value=0.3, args=(["list", 0.10000000000000002],))
    result = CallsResult(outcomes=(got,), loaded=True, usage=Usage(wall_s=0.0))

    assert compare("f", (case,), result).status == "failed"


def test_a_pinned_input_knows_no_conditions() -> None:
    assert _judged((([0.1],), 0.30000000000000004, 0.3), origin="pinned").status == "failed"


def test_a_refused_kind_fails() -> None:
    row = (([0.1],), 0.30000000000000004, 0.3)

    assert _judged(row).status == "conditional"
    assert _judged(row, refused=("rounding",)).status == "failed"


def test_one_wrong_input_beside_conditions_rejects() -> None:
    replay = _judged((([0.1],), 0.30000000000000004, 0.3), (([1],), 1, 2))

    assert replay.status == "failed"
    assert replay.conditions == ()


def test_the_order_of_equal_keys_is_a_condition_of_its_own() -> None:
    right = [("b", 1), ("a", 1), ("c", 2)]

    assert _said(_judged(((1,), right, [("a", 1), ("b", 1), ("c", 2)]))) == ["order of equal keys (1 of 1 input)"]
    assert _judged(((1,), right, [("c", 2), ("b", 1), ("a", 1)])).status == "failed"
    assert _judged(((1,), right, [("a", 1), ("b", 2), ("c", 2)])).status == "failed"


def test_equal_keys_must_be_the_same_part_of_a_row_on_every_input() -> None:
    by_second = ([("b", 1), ("a", 1)], [("a", 1), ("b", 1)])
    by_first = ([("a", 2), ("a", 1)], [("a", 1), ("a", 2)])

    assert _judged(((1,), *by_second), ((2,), *by_first)).status == "failed"


# Arrays and tables --------------------------------------------------------------------------------------------------

_FRAME = pd.DataFrame({"x": [1, 2, 3], "y": [0.5, 0.25, 0.125]})
_SERIES = pd.Series([1.0, 2.0], index=["a", "b"])
_INDEXED = pd.Series([1.0, 2.0], index=pd.Index(["a", "b"], name="customer"))


@pytest.mark.parametrize(
    ("right", "got", "said"),
    [
        (_SERIES, _INDEXED, "index name 'customer' instead of None"),
        (_SERIES, _SERIES.rename("price"), "name 'price' instead of None"),
        (_SERIES, _SERIES.astype("float32"), "dtype float32 instead of float64"),
        (pd.Series([1.0, 2.0]), pd.Series([1, 2]), "dtype int64 instead of float64"),
        (pd.Series(["a"]), pd.Series(["a"], dtype=object), "dtype object instead of str"),
        (pd.Series(["a"]), pd.Series(["a"], dtype="category"), "dtype category instead of str"),
        (pd.Series([1, 2]), pd.Series([1, 2], dtype="Int64"), "dtype Int64 instead of int64"),
        (_FRAME, _FRAME.astype({"x": "int32"}), "column 'x': dtype int32 instead of int64"),
        (pd.Series([1, 2]), pd.Series([1, 2], index=pd.Index([0, 1])), "index of kind Index instead of RangeIndex"),
        (np.array([1.0]), np.array([1]), "dtype int64 instead of float64"),
        (np.array(["ab"]), np.array(["ab"], dtype="U9"), "dtype U9 instead of U2"),
        (1.5, np.float64(1.5), "type numpy.float64 instead of float"),
        (pd.Series([0.1 + 0.2]), pd.Series([0.3]), "floats differ by at most 2e-16 relative"),
        (np.float32([0.1]), np.nextafter(np.float32([0.1]), np.float32(1)), "floats differ by at most 8e-8 relative"),
        (np.array([0.0]), np.array([-0.0]), "sign of zero"),
    ],
)
def test_what_libraries_tell_apart_is_named(right: Any, got: Any, said: str) -> None:
    replay = _judged(((1,), right, got))

    assert _said(replay) == [f"{said} (1 of 1 input)"]


@pytest.mark.parametrize(
    ("right", "got"),
    [
        (_SERIES, _SERIES[::-1]),
        (_SERIES, pd.Series([1.0, 2.5], index=["a", "b"])),
        (_SERIES, pd.Series([1.0, 2.0], index=["a", "c"])),
        (_SERIES, _SERIES.to_frame()),
        (_SERIES, _SERIES.iloc[:1]),
        (_FRAME, _FRAME[["y", "x"]]),
        (_FRAME, _FRAME.rename(columns={"x": "z"})),
        (_FRAME, _FRAME.iloc[::-1].reset_index(drop=True)),
        (pd.Series([1.5, 2.0]), pd.Series([1, 2])),
        (pd.Series([True, False]), pd.Series([1, 0])),
        (pd.Series(["1"]), pd.Series([1])),
        (np.array([1.0, np.nan]), np.array([1.0, 0.0])),
        (np.array([[1.0, 2.0]]), np.array([1.0, 2.0])),
        (np.array([1.0]), [1.0]),
        (pd.Series(pd.to_datetime(["2024-01-01"])), pd.Series(pd.to_datetime(["2024-01-02"]))),
        (
            pd.Series(pd.to_datetime(["2024-01-01"])),
            pd.Series(pd.to_datetime(["2024-01-01"])).dt.tz_localize("Europe/Paris"),
        ),
    ],
)
def test_other_values_in_arrays_and_tables_fail(right: Any, got: Any) -> None:
    assert _judged(((1,), right, got)).status == "failed"


def test_rows_that_a_sort_left_equal_may_change_places() -> None:
    right = pd.Series({"a": 3.0, "b": 2.0, "c": 2.0})
    got = pd.Series({"a": 3.0, "c": 2.0, "b": 2.0})

    assert _said(_judged(((1,), right, got))) == ["order of equal keys (1 of 1 input)"]
    assert _judged(((1,), right, pd.Series({"b": 2.0, "a": 3.0, "c": 2.0}))).status == "failed"


def test_two_long_arrays_are_shown_where_they_differ() -> None:
    right, got = np.arange(100.0), np.arange(100.0)
    got[70] = 1.0
    failure = _judged(((1,), right, got)).failure

    assert failure is not None
    assert failure.expected == "array([70.0, 71.0, 72.0, 73.0, 74.0, 75.0, …], from row 70 of 100)"
    assert failure.got == "array([1.0, 71.0, 72.0, 73.0, 74.0, 75.0, …], from row 70 of 100)"


def test_a_table_is_shown_by_its_head() -> None:
    failure = _judged(((_FRAME,), _FRAME, _FRAME.iloc[:0])).failure

    assert failure is not None
    assert failure.where == "f(DataFrame({'x': [1, 2, 3], 'y': [0.5, 0.25, 0.125]}))"
    assert failure.got == "DataFrame({'x': [], 'y': []})"


def test_an_empty_index_has_no_type_that_matters() -> None:
    right = pd.Series([], dtype=float)
    got = pd.Series([], dtype=float, index=pd.Index([], dtype=object, name="customer"))

    assert {condition.kind for condition in _judged(((1,), right, got)).conditions} == {"names", "types"}


# The domain ---------------------------------------------------------------------------------------------------------

_MODULE = '''
def mean(values, width):
    return [sum(values[i : i + width]) / width for i in range(len(values) - width + 1)]


def share(part: int, whole: int) -> float:
    if whole == 0:
        raise ZeroDivisionError("nothing to share")
    return part / whole


def told(part: int, whole: int) -> float:
    """The share; a ZeroDivisionError where whole is 0."""
    return part / whole


def per(part: int, whole: int) -> int:
    return part // whole


def halved(part: int) -> int:
    return per(part, 2)


def asserted(number: int) -> int:
    assert number >= 0
    return number


def dot(xs, ys):
    return sum(x * y for x, y in zip(xs, ys))


def join(orders, names):
    found = []
    for order in orders:
        for name in names:
            if name["id"] == order["customer"]:
                found.append(name["id"])
    return found
'''


def _held(tmp_path: Path, function: str, *rows: _Row, known: int = 1, effects: dict[str, Any] | None = None) -> Replay:
    """Judge by rows of which the first ones are calls that tests make."""
    path = tmp_path / "m.py"
    path.write_text(_MODULE, encoding="utf-8")
    target = find_target(f"{path}::{function}", cwd=tmp_path)
    cases = [
        Case(
            id=str(at),
            origin="recorded" if at < known else "generated",
            input=CallInput(args=tuple(map(encode, args))),
            expected=_outcome(right, args),
        )
        for at, (args, right, _) in enumerate(rows)
    ]
    return _replayed(with_domain(target, _MODULE, cases), rows, effects=effects)


_KNOWN_MEAN = (([1, 2, 3], 2), [1.5, 2.5], [1.5, 2.5])
_ZERO = ZeroDivisionError("division by zero")


def test_what_the_original_does_not_take_is_told_apart(tmp_path: Path) -> None:
    replay = _held(tmp_path, "mean", _KNOWN_MEAN, (([1, 2], 0), _ZERO, ValueError()), (([1], 0), _ZERO, []))

    assert _said(replay) == ["differs only where the original raises (2 of 3 inputs: width 0)"]


def test_beyond_values_on_which_it_raises_is_outside(tmp_path: Path) -> None:
    rows: list[_Row] = [_KNOWN_MEAN, (([1, 2], 0), _ZERO, _ZERO), (([1, 2], -1), [-0.0], [7.0])]

    assert _said(_held(tmp_path, "mean", *rows)) == ["differs only with width below 0 (1 of 3 inputs)"]
    assert _held(tmp_path, "mean", rows[0], rows[2]).status == "failed"


def test_what_callers_write_out_is_known_to_be_taken(tmp_path: Path) -> None:
    rows: list[_Row] = [((1, 0), _ZERO, _ZERO), ((1, -1), -1, 5), ((1, 1), 1, 1)]

    assert _said(_held(tmp_path, "per", *rows, known=0)) == ["differs only with whole below 0 (1 of 3 inputs)"]
    assert _held(tmp_path, "share", *rows, known=0).status == "failed"


def test_a_value_below_zero_is_inside_where_zero_is_taken(tmp_path: Path) -> None:
    rows: list[_Row] = [((5,), 5, 5), ((0,), 0, 0), ((-1,), 1, 2)]

    assert _held(tmp_path, "asserted", *rows).status == "failed"


def test_a_longer_count_may_be_refused_but_not_answered_otherwise(tmp_path: Path) -> None:
    refused = _held(tmp_path, "mean", _KNOWN_MEAN, (([1, 2], 3), [], ValueError("window")))
    other = _held(tmp_path, "mean", _KNOWN_MEAN, (([1, 2], 3), [], [0.0]))

    assert _said(refused) == ["raises with width above the length of values (1 of 2 inputs)"]
    assert other.status == "failed"


def test_a_count_below_one_is_outside_beside_an_array_alone(tmp_path: Path) -> None:
    array, nothing = np.array([1.0, 2.0]), np.array([0.0, 0.0])
    known = ((array, 2), np.array([1.5]), np.array([1.5]))
    refused = _held(tmp_path, "mean", known, ((array, 0), nothing, ValueError("window")))
    other = _held(tmp_path, "mean", known, ((array, 0), nothing, nothing + 1))
    beside_a_list = _held(tmp_path, "mean", _KNOWN_MEAN, (([1, 2], 0), [0], ValueError("window")))

    assert _said(refused) == ["raises with width below 1 (1 of 2 inputs)"]
    assert other.status == "failed"
    assert beside_a_list.status == "error"


def test_an_exception_that_the_function_raises_itself_is_behaviour(tmp_path: Path) -> None:
    known = ((1, 2), 0.5, 0.5)
    row = ((1, 0), ZeroDivisionError(), 0.0)

    assert _held(tmp_path, "share", known, row).status == "failed"
    assert _held(tmp_path, "told", known, row).status == "failed"


def test_an_exception_that_a_test_sees_is_behaviour(tmp_path: Path) -> None:
    rows: list[_Row] = [_KNOWN_MEAN, (([1], 0), _ZERO, _ZERO), (([2], 0), _ZERO, [])]

    assert _held(tmp_path, "mean", *rows, known=2).status == "failed"
    assert _held(tmp_path, "mean", *rows, known=1).status == "conditional"


def test_an_assert_says_what_a_function_does_not_take(tmp_path: Path) -> None:
    replay = _held(tmp_path, "asserted", ((5,), 5, 5), ((-1,), AssertionError(), -1))

    assert _said(replay) == ["differs only where the original raises (1 of 2 inputs: number below 0)"]


def test_a_record_without_a_key_that_all_others_have_is_outside(tmp_path: Path) -> None:
    known = (([{"customer": 1}], [{"id": 1}]), [1], [1])
    refused = _held(tmp_path, "join", known, (([{}], []), [], KeyError("customer")))
    other = _held(tmp_path, "join", known, (([{}], []), [], [1]))
    inside = _held(tmp_path, "join", known, (([], []), [], KeyError("customer")))

    assert _said(refused) == ["raises with a record of orders without 'customer' (1 of 2 inputs)"]
    assert other.status == "failed"
    assert inside.status == "error"


def test_values_missing_in_no_known_call_are_told_apart(tmp_path: Path) -> None:
    known = ((np.array([1.0, 3.0]), 2), np.array([2.0]), np.array([2.0]))
    row = ((np.array([1.0, np.nan]), 1), np.array([1.0, np.nan]), np.array([np.nan, np.nan]))

    assert _said(_held(tmp_path, "mean", known, row)) == ["differs with missing values in values (1 of 2 inputs)"]
    assert _held(tmp_path, "mean", known, row, known=2).status == "failed"


def test_lengths_that_differ_in_no_known_call_are_told_apart(tmp_path: Path) -> None:
    one, two = np.array([1.0]), np.array([1.0, 2.0])
    known = ((two, two), 5.0, 5.0)
    rows = [((two, one), 1.0, 3.0), ((two, two[:0]), 0.0, ValueError("broadcast"))]

    assert _said(_held(tmp_path, "dot", known, *rows)) == [
        "differs with xs and ys of different lengths (1 of 3 inputs)",
        "raises with xs and ys of different lengths (1 of 3 inputs)",
    ]
    assert _held(tmp_path, "dot", known, *rows, known=2).status == "failed"


def test_a_warning_is_an_effect_but_where_nobody_calls_it(tmp_path: Path) -> None:
    rows: list[_Row] = [_KNOWN_MEAN, (([1, 2], 0), _ZERO, [math.nan])]
    warned = {"warnings": ["list", "divides by zero"]}

    assert _held(tmp_path, "mean", *rows, effects=warned).status == "conditional"
    assert _held(tmp_path, "mean", *rows, known=2, effects=warned).status == "failed"
    assert _held(tmp_path, "mean", *rows, effects={"stdout": "a"}).status == "failed"


def test_without_a_known_call_nothing_that_returns_is_outside(tmp_path: Path) -> None:
    row = ((np.array([1.0, np.nan]), 1), np.array([1.0, np.nan]), np.array([np.nan, np.nan]))

    assert _held(tmp_path, "mean", row, known=0).status == "failed"
