"""Kinds of pandas: tables, columns, indexes and scalars.

    ["pandas", "Series", name, index, values]
    ["pandas", "DataFrame", columns, index, ["list", *values of each column]]
    ["pandas", "RangeIndex", name, start, stop, step]     ["pandas", "Index", name, values]
    ["pandas", "DatetimeIndex", name, frequency, values]  ["pandas", "TimedeltaIndex", name, frequency, values]
    ["pandas", "CategoricalIndex", name, values]          ["pandas", "MultiIndex", ["list", *names], ["list", *values]]
    ["pandas", "Timestamp", datetime64, fold, zone]       ["pandas", "Timedelta", timedelta64]
    ["pandas", "NaT"]  ["pandas", "NA"]

Values are an ndarray where their type is numpy's; a list where they are objects; else one of

    ["pandas", "masked", dtype, ["list", *items]]           ["pandas", "zoned", ndarray in UTC, zone]
    ["pandas", "texts", storage, missing, ["list", *items]] ["pandas", "categories", ordered, index, codes]
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, Callable, Dict, List, Optional, Tuple

from .arrays import is_scalar
from .coding import Decoder, Encoder
from .grammar import EncodeError, row
from .objects import reference, type_name
from .plain import encode_zone

_WRAPPED = ("NumpyExtensionArray", "PandasArray")
_MASKED = {f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)} | {"Float32", "Float64", "boolean"}


def _encoded(kind: str, *parts: Any) -> List[Any]:
    return ["pandas", kind, *parts]


def _plain(value: Any) -> Any:
    """Return the value, which must not carry what no encoded value holds."""
    if value.attrs or not value.flags.allows_duplicate_labels:
        raise EncodeError(f"pandas:{type(value).__name__}", "has attributes or flags of its own")
    return value


def _series(encoder: Encoder, value: Any) -> Any:
    name, index = encoder.each(value, [_plain(value).name, value.index])
    return _encoded("Series", name, index, _values(encoder, value.array))


def _frame(encoder: Encoder, value: Any) -> Any:
    columns, index = encoder.each(value, [_plain(value).columns, value.index])
    arrays = [value.iloc[:, place].array for place in range(value.shape[1])]
    return _encoded("DataFrame", columns, index, ["list", *(_values(encoder, array) for array in arrays)])


def _range(encoder: Encoder, value: Any) -> Any:
    return _encoded("RangeIndex", *encoder.each(value, [value.name, value.start, value.stop, value.step]))


def _index(encoder: Encoder, value: Any) -> Any:
    return _encoded(type(value).__name__, *encoder.each(value, [value.name]), _values(encoder, value.array))


def _regular(encoder: Encoder, value: Any) -> Any:
    name, frequency = encoder.each(value, [value.name, value.freqstr])
    return _encoded(type(value).__name__, name, frequency, _values(encoder, value.array))


def _levels(encoder: Encoder, value: Any) -> Any:
    names = encoder.encode([*value.names])
    arrays = [value.get_level_values(level).array for level in range(value.nlevels)]
    return _encoded("MultiIndex", names, ["list", *(_values(encoder, array) for array in arrays)])


def _values(encoder: Encoder, array: Any) -> Any:
    pandas, dtype = sys.modules["pandas"], array.dtype
    if isinstance(dtype, sys.modules["numpy"].dtype) or type(array).__name__ in _WRAPPED:
        return encoder.encode(list(array)) if dtype.kind == "O" else encoder.apart(array.to_numpy())
    if str(dtype) in _MASKED and type(array).__module__.startswith("pandas."):
        return _encoded("masked", str(dtype), _items(encoder, array))
    if isinstance(dtype, pandas.DatetimeTZDtype):
        moments = pandas.DatetimeIndex(array).tz_convert(None).to_numpy()
        return _encoded("zoned", encoder.apart(moments), encode_zone(encoder, dtype.tz))
    if isinstance(dtype, pandas.StringDtype):
        missing = "NA" if dtype.na_value is pandas.NA else "nan"
        return _encoded("texts", dtype.storage, missing, _items(encoder, array))
    if isinstance(dtype, pandas.CategoricalDtype):
        categories, codes = encoder.each(array, [array.categories, array.codes])
        return _encoded("categories", bool(array.ordered), categories, codes)
    raise EncodeError("pandas:Series", f"of {dtype} has no exact encoding")


def _items(encoder: Encoder, array: Any) -> Any:
    """Encode items as Python's own values; None stands for a missing one."""
    missing = array.isna()
    items: List[Any] = [None if missing[place] else item for place, item in enumerate(array.astype(object))]
    return encoder.encode([item.item() if is_scalar(type(item)) else item for item in items])


def _timestamp(encoder: Encoder, value: Any) -> Any:
    moment = value.tz_convert(None) if value.tz is not None else value
    return _encoded("Timestamp", encoder.encode(moment.to_datetime64()), value.fold, encode_zone(encoder, value.tz))


def _timedelta(encoder: Encoder, value: Any) -> Any:
    return _encoded("Timedelta", encoder.encode(value.to_timedelta64()))


_KINDS: Dict[str, Callable[[Any, Any], Any]] = {
    "Series": _series,
    "DataFrame": _frame,
    "RangeIndex": _range,
    "Index": _index,
    "CategoricalIndex": _index,
    "DatetimeIndex": _regular,
    "TimedeltaIndex": _regular,
    "MultiIndex": _levels,
    "Timestamp": _timestamp,
    "Timedelta": _timedelta,
    "NaTType": lambda _e, _v: _encoded("NaT"),
    "NAType": lambda _e, _v: _encoded("NA"),
}


def _kind_of(kind: Any) -> Optional[Callable[[Any, Any], Any]]:
    """What encodes instances of a class, which says that it is elsewhere before pandas 3."""
    module, _, name = type_name(kind).partition(":")
    return _KINDS.get(name) if module.partition(".")[0] == "pandas" and reference(kind) else None


def _is_known(kind: Any) -> bool:
    return _kind_of(kind) is not None


def _encode(encoder: Encoder, value: Any) -> Any:
    encode: Any = _kind_of(type(value))
    return encode(encoder, value)


def _decode(decoder: Decoder, encoded: List[Any]) -> Any:
    return _BUILDERS[encoded[1]][1](import_module("pandas"), decoder.rest(encoded, 2))


def _decoded_frame(pandas: Any, parts: List[Any]) -> Any:
    columns, index, values = parts
    made = {place: _column(pandas, column, index) for place, column in enumerate(values)}
    frame = pandas.DataFrame(made, index=index)
    frame.columns = columns
    return frame


def _column(pandas: Any, values: Any, index: Any) -> Any:
    """Return objects as a series: pandas would else guess another type for them."""
    return pandas.Series(values, dtype=object, index=index) if type(values) is list else values


def _array(pandas: Any, values: Any) -> Any:
    return pandas.Series(values, dtype=object).array if type(values) is list else values


def _decoded_texts(pandas: Any, parts: List[Any]) -> Any:
    storage, missing, items = parts
    # Before pandas 2.3 there is one missing value only, and no name for it.
    dtype = pandas.StringDtype(storage) if missing == "NA" else pandas.StringDtype(storage, na_value=float("nan"))
    return pandas.array(items, dtype=dtype)


def _decoded_zoned(pandas: Any, parts: List[Any]) -> Any:
    return pandas.DatetimeIndex(parts[0]).tz_localize("UTC").tz_convert(parts[1]).array


def _decoded_timestamp(pandas: Any, parts: List[Any]) -> Any:
    moment, fold, zone = parts
    made = pandas.Timestamp(moment)
    return made.tz_localize("UTC").tz_convert(zone) if zone is not None else made.replace(fold=fold)


def _decoded_levels(pandas: Any, parts: List[Any]) -> Any:
    return pandas.MultiIndex.from_arrays([_array(pandas, level) for level in parts[1]], names=parts[0])


def _objects(values: Any) -> Any:
    return object if type(values) is list else None


_BUILDERS: Dict[str, Tuple[int, Callable[[Any, List[Any]], Any]]] = {
    "Series": (3, lambda p, v: p.Series(_column(p, v[2], v[1]), index=v[1], name=v[0])),
    "DataFrame": (3, _decoded_frame),
    "RangeIndex": (4, lambda p, v: p.RangeIndex(v[1], v[2], v[3], name=v[0])),
    "Index": (2, lambda p, v: p.Index(v[1], dtype=_objects(v[1]), name=v[0], tupleize_cols=False)),
    "CategoricalIndex": (2, lambda p, v: p.CategoricalIndex(v[1], name=v[0])),
    "DatetimeIndex": (3, lambda p, v: p.DatetimeIndex(v[2], freq=v[1], name=v[0])),
    "TimedeltaIndex": (3, lambda p, v: p.TimedeltaIndex(v[2], freq=v[1], name=v[0])),
    "MultiIndex": (2, _decoded_levels),
    "Timestamp": (3, _decoded_timestamp),
    "Timedelta": (1, lambda p, v: p.Timedelta(v[0])),
    "NaT": (0, lambda p, _: p.NaT),
    "NA": (0, lambda p, _: p.NA),
    "masked": (2, lambda p, v: p.array(v[1], dtype=v[0])),
    "texts": (3, _decoded_texts),
    "zoned": (2, _decoded_zoned),
    "categories": (3, lambda p, v: p.Categorical.from_codes(v[2], categories=v[1], ordered=v[0])),
}
PARTS = {kind: count for kind, (count, _) in _BUILDERS.items()}
"""How many parts each kind has; how they fit together only pandas knows."""

TABLES = (row("pandas", (), ("word",), "items", _encode, _decode, when=_is_known, shown="$1($*)", mutable=True),)
