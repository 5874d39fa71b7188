"""Arrays of numpy where nothing is known of them but that they are some: of one dimension or two, of usual types."""

from __future__ import annotations

import base64
import math
import re
import struct
from collections.abc import Mapping, Sequence

from codeens_sandbox_backends.programs import Encoded
from codeens_sandbox_backends.values.check import open_node
from codeens_sandbox_backends.values.sample import Samples, kind_of
from codeens_server.evidence.strategies.tables import grown, is_table

_OF_COLUMNS = re.compile(
    r"axis|shape\[1\]|ndim|\[\w*:\w*,|, *\w*:\w*\]|\.T\b|@|\bdot\b|matmul|linalg|\[\w+, *\w+\]|matri|\brows?\b|image"
)
_WORD = re.compile(r"\w+")
_MULTIPLIES = re.compile(r"@|\bdot\b|matmul")
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


def names_arrays(annotation: str | None) -> bool:
    """Return whether an annotation says that something is an array, and so not of how many dimensions: values do."""
    return annotation is not None and not ANNOTATIONS.isdisjoint(_WORD.findall(annotation))


def arrays(dtype: str = "") -> Samples:
    """Return arrays of a type, by the last part of its name; of the usual ones where that says nothing."""
    return grown(_BY_TYPE.get(dtype, _USUAL), complete=True)


def of_one_shape(names: Sequence[str], values: Mapping[str, Encoded], choice: int, source: str) -> dict[str, Encoded]:
    """Return arguments whose arrays are of the shape of the first: of two dimensions only where a text speaks of rows
    and columns, for what loops over numbers does not mean rows; beside rows of what it multiplies, one that fits.

    Args:
        names: of the parameters, in their order.
        values: by name.
        choice: drawn.
        source: text of the function.
    """
    given = [name for name in names if kind_of(values.get(name)) == "ndarray" and is_table(values[name])]
    shape = _shape_of(values[given[0]]) if given else []
    if 0 in shape or not _OF_COLUMNS.search(source):
        shape = [math.prod(shape)]
    is_factor = len(shape) == 2 and choice % 2 and _MULTIPLIES.search(source)
    done = dict(values)
    for name in given:
        has_fewer = name != given[0] and is_factor and len(_shape_of(values[name])) == 1
        done[name] = _reshaped(values[name], shape[1:] if has_fewer else shape)
    return done


def _shape_of(array: Encoded) -> list[int]:
    return [*open_node(array).head[1]]


def _reshaped(array: Encoded, shape: list[int]) -> Encoded:
    """Return an array of another shape, of its items in their order, from the first again where they do not suffice."""
    dtype, had, _, text = open_node(array).head
    data, items = base64.b64decode(text), max(1, math.prod(had))
    count = math.prod(shape)
    size = len(data) // items or int(dtype[2:])
    data = (data or bytes(size)) * (count // items + 1)
    return ["ndarray", dtype, shape, "C", base64.b64encode(data[: count * size]).decode("ascii")]
