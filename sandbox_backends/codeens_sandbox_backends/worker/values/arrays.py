"""Kinds of numpy: arrays, and scalars, which are encoded as objects.

Data is in C order; whether the array itself is in Fortran's order is said beside it. Every nan is written alike.
"""

from __future__ import annotations

import sys
from base64 import b64decode
from importlib import import_module
from typing import Any, Callable, Dict, List

from .coding import Decoder, Encoder
from .grammar import EXACT_INTS, EncodeError, Head, row
from .objects import type_name

_type_of: Callable[[Any], Any] = type
_KINDS = "biufcSUmM"
_WIDEST = {"f": 8, "c": 16}
"""Bytes; of wider ones some are padding, which holds anything."""


def is_scalar(kind: Any) -> bool:
    """Return whether instances of a class are numpy's scalars."""
    numpy: Any = sys.modules.get("numpy")
    return numpy is not None and issubclass(kind, numpy.generic) and type_name(kind).startswith("numpy:")


def _encode_array(encoder: Encoder, value: Any) -> Any:
    dtype = value.dtype
    if dtype.kind not in _KINDS or not dtype.itemsize or dtype.itemsize > _WIDEST.get(dtype.kind, sys.maxsize):
        raise EncodeError("numpy:ndarray", f"of {dtype} has no exact encoding")
    if max(value.shape, default=0) >= EXACT_INTS:
        raise EncodeError("numpy:ndarray", "of this shape has no exact encoding")
    encoder.spend(value, value.nbytes)
    order = "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"
    return ["ndarray", dtype.str, [*value.shape], order, encoder.base64(_with_one_nan(value).tobytes())]


def _with_one_nan(value: Any) -> Any:
    """Nan has a sign and a payload, which say nothing."""
    numpy = sys.modules["numpy"]
    if value.dtype.kind not in "fc":
        return value
    copied = numpy.array(value, order="C", copy=True)
    numbers = copied.reshape(-1).view(f"{value.dtype.byteorder}f{value.dtype.itemsize // _parts(value.dtype)}")
    numbers[numpy.isnan(numbers)] = numpy.nan
    return copied


def _parts(dtype: Any) -> int:
    return 2 if dtype.kind == "c" else 1


def _decode_array(_: Decoder, encoded: List[Any]) -> Any:
    """Return an array of its own memory."""
    numpy: Any = import_module("numpy")
    _, dtype, shape, order, data = encoded
    return numpy.array(numpy.frombuffer(b64decode(data), dtype=dtype).reshape(shape), order=order, copy=True)


def encode_scalar(encoder: Encoder, value: Any) -> Any:
    """Encode a scalar of numpy.

    Raises:
        EncodeError: Python has no value that is exactly this one.
    """
    kind = _type_of(value)
    if value.dtype.kind in "mM":
        numpy = sys.modules["numpy"]
        unit = encoder.encode(numpy.datetime_data(value.dtype))
        return ["object", encoder.name(kind, kind), ["unit", unit], ["value", encoder.encode(int(value.view("i8")))]]
    if value.dtype.kind not in _KINDS or type_name(type(value.item())) not in _PYTHONS:
        raise EncodeError(type_name(kind))
    return ["object", encoder.name(kind, kind), ["value", encoder.encode(value.item())]]


_PYTHONS = ("bool", "int", "float", "complex", "str", "bytes")


def decode_scalar(kind: Any, fields: Dict[str, Any]) -> Any:
    """Make a scalar of a class of numpy."""
    if "unit" not in fields:
        return kind(fields["value"])
    name, count = fields["unit"]
    unit = "" if name == "generic" else f"[{count}{name}]"
    return import_module("numpy").int64(fields["value"]).view(f"{_LETTERS[kind.__name__]}8{unit}")


_LETTERS = {"datetime64": "M", "timedelta64": "m"}
_HEAD: Head = ("word", "shape", ("C", "F"), "text")
_UNSEEN_ORDER: Dict[str, Any] = {"shown": "<ndarray $1 $2>", "mutable": True, "unseen": (2,)}

ARRAYS = (row("ndarray", ("numpy:ndarray",), _HEAD, (), _encode_array, _decode_array, **_UNSEEN_ORDER),)
