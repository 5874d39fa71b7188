"""Values of numpy and pandas, where they are installed."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codeens_sandbox_backends.values.check import well_formed
from codeens_sandbox_backends.worker.values.codec import decode, encode
from codeens_sandbox_backends.worker.values.coding import Shared
from codeens_sandbox_backends.worker.values.grammar import EncodeError

numpy: Any = pytest.importorskip("numpy")
pandas: Any = pytest.importorskip("pandas")
extra: Any = pytest.importorskip("hypothesis.extra.numpy")


def through(value: Any) -> Any:
    """The value on the other side, which must have the same encoding and type."""
    encoded = json.loads(json.dumps(encode(value, classes=True)))
    assert well_formed(encoded)
    again = decode(encoded)
    assert type(again) is type(value)
    assert encode(again) == encoded
    return again


def has_exact_size(dtype: Any) -> bool:
    return dtype.kind not in "fc" or dtype.itemsize <= {"f": 8, "c": 16}[dtype.kind]


def arrays_of(dtype: Any) -> Any:
    return extra.arrays(dtype, extra.array_shapes(min_dims=0, min_side=0))


DTYPES: Any = st.one_of(
    extra.boolean_dtypes(),
    extra.integer_dtypes(endianness="?"),
    extra.floating_dtypes(endianness="?"),
    extra.complex_number_dtypes(),
    extra.datetime64_dtypes(),
    extra.timedelta64_dtypes(),
    extra.unicode_string_dtypes(),
    extra.byte_string_dtypes(),
).filter(has_exact_size)


@given(DTYPES.flatmap(arrays_of), st.booleans())
@settings(max_examples=75, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_an_array_comes_back_with_type_shape_order_and_items(array: Any, transposed: bool) -> None:
    array = array.T if transposed else array
    again = through(array)
    assert (again.dtype, again.shape) == (array.dtype, array.shape)
    assert numpy.array_equal(again, array, equal_nan=array.dtype.kind in "fcmM")
    assert again.flags.f_contiguous == (array.flags.f_contiguous or (not array.flags.c_contiguous and again.ndim < 2))
    assert again.flags.writeable


@given(DTYPES.flatmap(extra.from_dtype))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_scalar_of_numpy_comes_back(value: Any) -> None:
    assert repr(through(value)) == repr(value)


def test_every_nan_of_an_array_is_written_alike_and_zeros_keep_their_sign() -> None:
    nans = numpy.array([0x7FF8000000000000, 0xFFF8000000000000, 0x7FF8000000000001], dtype="u8").view("f8")
    assert encode(nans) == encode(numpy.full(3, numpy.nan))
    assert encode(numpy.array([0.0])) != encode(numpy.array([-0.0]))


NO_ARRAYS: list[Any] = [
    numpy.array([object()]),
    numpy.zeros(2, [("a", "i4")]),
    numpy.longdouble(1),
    numpy.zeros(2, "g"),
    numpy.ma.array([1]),
    numpy.dtype("i4"),
    pandas.Series([1]).astype("Sparse[int]"),
    pandas.period_range("2020", periods=2, freq="D"),
    pandas.interval_range(0, 2),
    pandas.DataFrame({"a": [{"b": object()}]}),
]


@pytest.mark.parametrize("value", NO_ARRAYS, ids=lambda value: type(value).__name__)
def test_what_has_no_exact_encoding_is_refused_by_name(value: Any) -> None:
    with pytest.raises(EncodeError) as refused:
        encode([value])
    assert refused.value.type_name


def test_a_table_with_attributes_is_refused() -> None:
    table = pandas.DataFrame({"a": [1]})
    table.attrs["unit"] = "m"
    with pytest.raises(EncodeError, match="attributes"):
        encode(table)


TABLE = pandas.DataFrame({"a": [1, 2], "b": ["x", None], "c": [1.5, numpy.nan], "d": [True, False]})
SERIES: list[Any] = [
    TABLE["a"],
    TABLE["b"],
    pandas.Series([1, None], dtype="Int64", name=("a", 1)),
    pandas.Series([1.5, None], dtype="Float32"),
    pandas.Series([True, None], dtype="boolean"),
    pandas.Series(["a", None], dtype="string"),
    pandas.Series(["b", "a", None], dtype="category"),
    pandas.Series(pandas.Categorical(["b", "a"], categories=["b", "a"], ordered=True)),
    pandas.Series(["a", 1, [2], None, pandas.NaT, pandas.NA, numpy.float32(1)], dtype=object),
    pandas.Series([dt.datetime(2020, 1, 1, tzinfo=dt.UTC), None]),
    pandas.Series(numpy.array(["2020-01-01", "NaT"], "M8[us]")),
    pandas.Series([], dtype=float),
    pandas.Series([1, 2], index=pandas.CategoricalIndex(["a", "b"])),
]
TABLES: list[Any] = [
    TABLE,
    TABLE.set_index(["a", "b"]),
    TABLE.groupby("a").sum(numeric_only=True),
    pandas.DataFrame([[1, 2]], columns=["a", "a"]),
    pandas.DataFrame(),
    pandas.DataFrame(index=[1, 2]),
]
INDEXES: list[Any] = [
    TABLE.index,
    TABLE.columns,
    pandas.Index([1, 2], name="i"),
    pandas.Index([("a", 1), "b"], tupleize_cols=False),
    pandas.RangeIndex(5, 0, -2, name="r"),
    pandas.date_range("2020", periods=3),
    pandas.date_range("2020-03-28", periods=3, tz="Europe/Berlin"),
    pandas.DatetimeIndex(["2020-01-01", "2020-01-05", None]),
    pandas.to_timedelta([1, 2], "s"),
    pandas.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["x", None]),
]


@pytest.mark.parametrize("value", SERIES, ids=lambda value: str(value.dtype))
def test_a_column_comes_back(value: Any) -> None:
    pandas.testing.assert_series_equal(through(value), value, check_freq=True)


@pytest.mark.parametrize("value", TABLES, ids=lambda value: str(value.shape))
def test_a_table_comes_back(value: Any) -> None:
    pandas.testing.assert_frame_equal(through(value), value)


@pytest.mark.parametrize("value", INDEXES, ids=lambda value: type(value).__name__)
def test_an_index_comes_back(value: Any) -> None:
    again = through(value)
    pandas.testing.assert_index_equal(again, value, exact=True)
    assert getattr(again, "freq", None) == getattr(value, "freq", None)


@pytest.mark.parametrize(
    "value",
    [
        pandas.NaT,
        pandas.NA,
        pandas.Timestamp("2020-01-01 00:00:00.123456789"),
        pandas.Timestamp("2020-10-25 00:30", tz="UTC").tz_convert("Europe/Berlin"),
        pandas.Timedelta("1s"),
    ],
    ids=repr,
)
def test_a_scalar_of_pandas_comes_back(value: Any) -> None:
    assert repr(through(value)) == repr(value)


def test_tables_share_what_can_be_changed_and_nothing_else() -> None:
    frame = pandas.DataFrame({"x": [1.0, 2.0]}, index=["a", "b"])

    apart, again = Shared(), Shared()
    encode(frame, shared=apart)
    encode(frame, shared=again)

    assert encode(frame["x"], shared=apart) == encode(frame["x"])
    assert encode(frame.index, shared=apart) == encode(frame.index)
    assert encode(frame, shared=again)[0] == "ref"


def test_a_column_of_objects_stays_one() -> None:
    assert through(pandas.Series(["x", "y"], dtype=object)).dtype == object
    assert through(pandas.DataFrame({"x": ["a"]}, dtype=object))["x"].dtype == object
    assert through(pandas.Index(["a"], dtype=object)).dtype == object
