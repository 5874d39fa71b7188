"""Arrays of numpy where nothing is known of them but that they are some: of one dimension or two, of usual types."""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Mapping, Sequence

from codeens_sandbox_backends.programs import Encoded
from codeens_sandbox_backends.values.check import open_node
from codeens_sandbox_backends.values.sample import Samples, kind_of
from codeens_server.evidence.strategies.tables import grown, is_table, length_of, resized

ANNOTATIONS = frozenset({"ndarray", "NDArray", "ArrayLike"})
_FLOATS, _INTS, _BOOLEANS = (0.0, 1.0, 2.5, -1.0, 0.5, 10.0), (0, 1, 2, 3, -1, 10), (True, False, True, True)


def _array(dtype: str, letter: str, items: Sequence[float], *shape: int) -> Encoded:
    count = math.prod(shape)
    data = struct.pack(f"<{count}{letter}", *(items[at % len(items)] for at in range(count)))
    return ["ndarray", dtype, [*shape], "C", base64.b64encode(data).decode("ascii")]


def _of(dtype: str, letter: str, items: Sequence[float]) -> list[Encoded]:
    """Return arrays to grow others from: mostly of one dimension, with columns, and a square."""
    flat = _array(dtype, letter, items, len(items))
    return [flat, flat, flat, _array(dtype, letter, items, 2, 3), _array(dtype, letter, items, 2, 2)]


_USUAL = [*_of("<f8", "d", _FLOATS), *_of("<f8", "d", _FLOATS), *_of("<i8", "q", _INTS)]
_BY_TYPE: Mapping[str, list[Encoded]] = {
    **dict.fromkeys(("float", "float64", "floating", "double"), _of("<f8", "d", _FLOATS)),
    **dict.fromkeys(("float32", "single"), _of("<f4", "f", _FLOATS)),
    **dict.fromkeys(("int", "int64", "integer", "int_", "signedinteger"), _of("<i8", "q", _INTS)),
    "int32": _of("<i4", "i", _INTS),
    "uint8": _of("|u1", "B", [abs(number) for number in _INTS]),
    **dict.fromkeys(("bool", "bool_"), _of("|b1", "?", _BOOLEANS)),
}


def arrays(dtype: str = "") -> Samples:
    """Return arrays of a type, by the last part of its name; of the usual ones where that says nothing."""
    return grown(_BY_TYPE.get(dtype, _USUAL), complete=True)


def of_one_length(values: Mapping[str, Encoded], choice: int) -> dict[str, Encoded]:
    """Return arguments whose arrays of as many dimensions are as long as the first, but for one call of four."""
    done = dict(values)
    named = [name for name, value in values.items() if kind_of(value) == "ndarray" and is_table(value)]
    for name in named[1:] if choice % 4 else ():
        if _dimensions(values[name]) == _dimensions(values[named[0]]):
            done[name] = resized(values[name], length_of(values[named[0]]))
    return done


def _dimensions(array: Encoded) -> int:
    return len(open_node(array).head[1])
