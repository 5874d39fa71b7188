"""Reads the items of arrays, indexes and columns from their encoding, without numpy or pandas.

What is malformed, or too large to be read, is no column: whoever asks falls back on the encoding itself.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from codeens_sandbox_backends.programs import Encoded
from codeens_sandbox_backends.values.check import SCALAR, open_node
from codeens_sandbox_backends.values.compare import canonical

MOST_ITEMS = 4_000_000
_DTYPE = re.compile(r"([<>|])([biufcSUmM])(\d{1,9})(?:\[(\d*)(Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?", re.ASCII)
LETTERS = {
    ("b", 1): "?",
    ("i", 1): "b",
    ("i", 2): "h",
    ("i", 4): "i",
    ("i", 8): "q",
    ("u", 1): "B",
    ("u", 2): "H",
    ("u", 4): "I",
    ("u", 8): "Q",
    ("f", 2): "e",
    ("f", 4): "f",
    ("f", 8): "d",
    ("m", 8): "q",
    ("M", 8): "q",
    ("c", 8): "ff",
    ("c", 16): "dd",
}
"""Kind and bytes of a numpy type -> what `struct` calls it."""
_NAMES = {"b": "bool", "i": "int", "u": "uint", "f": "float", "c": "complex"}
_PICOSECONDS = {
    "W": 604_800 * 10**12,
    "D": 86_400 * 10**12,
    "h": 3_600 * 10**12,
    "m": 60 * 10**12,
    "s": 10**12,
    "ms": 10**9,
    "us": 10**6,
    "ns": 10**3,
    "ps": 1,
}
_NOT_A_TIME = -(1 << 63)
_CHARACTER = 4


class Opaque(NamedTuple):
    """An item that is no plain value; equal texts are equal items."""

    text: str


class Moment(NamedTuple):
    """A moment, or with `kind` "m" a span of time, in picoseconds."""

    kind: str
    picoseconds: int


class Missing(NamedTuple):
    """A missing item, by what stands for it: `None`, `NaT`, `NA`. A nan among floats is a float."""

    name: str


class Column(NamedTuple):
    """Items in the order of the array, with what their type is called."""

    dtype: str
    items: list[Any]
    shape: tuple[int, ...]


def column_of(encoded: Encoded) -> Column | None:
    """Return the items of an ndarray, of the values of a series, or of a list; None for anything else."""
    node = open_node(encoded)
    if node.tag == "ndarray":
        return _array(node.head[0], node.head[1], node.head[3])
    if node.tag == "list":
        items = [item_of(child) for child in node.children]
        return Column("object", items, (len(items),))
    if node.tag == "pandas" and (read := _PARTS.get(node.head[0])) is not None:
        return read(node.children)
    return None


def labels_of(encoded: Encoded) -> Column | None:
    """Return the labels of an index of one level or more; those of more are tuples."""
    node = open_node(encoded)
    kind = node.head[0] if node.tag == "pandas" else ""
    if kind == "RangeIndex" and all(type(part) is int for part in node.children[1:]) and node.children[3]:
        start, stop, step = node.children[1:]
        return _range(start, stop, step)
    if kind == "MultiIndex":
        levels = [column_of(level) for level in open_node(node.children[1]).children]
        known = [level for level in levels if level is not None]
        items: list[Any] = list(zip(*(level.items for level in known), strict=False))
        return Column("MultiIndex", items, (len(items),)) if len(known) == len(levels) else None
    place = {"Index": 1, "CategoricalIndex": 1, "DatetimeIndex": 2, "TimedeltaIndex": 2}.get(kind)
    return column_of(node.children[place]) if place is not None else None


def item_of(encoded: Encoded) -> Any:
    """Return a plain value as Python has it, a missing one as `Missing`, and all else as `Opaque`."""
    node = open_node(encoded)
    if node.tag == SCALAR:
        return Missing("None") if node.head[0] is None else node.head[0]
    if node.tag == "pandas" and node.head[0] in {"NaT", "NA"}:
        return Missing(node.head[0])
    if (kind := numpy_kind(encoded)) and kind[0] != "datetime64":
        return item_of(kind[1])
    number = number_of(encoded)
    return Opaque(canonical(encoded)) if number is None else number


def number_of(encoded: Encoded) -> int | float | None:
    """Return a number as Python has it, also one of numpy's; None for all else, True and False too."""
    node = open_node(encoded)
    if node.tag == SCALAR:
        value: Any = node.head[0]
        return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    if (kind := numpy_kind(encoded)) and kind[0] != "datetime64":
        return number_of(kind[1])
    return _number(node.tag, node.head[0]) if node.tag in {"int", "float"} and isinstance(node.head[0], str) else None


def numpy_kind(encoded: Encoded) -> tuple[str, Encoded] | None:
    """Return the name of a numpy scalar's type and its value; None for anything else."""
    node = open_node(encoded)
    is_plain = node.tag == "object" and str(node.head[0]).startswith("numpy:") and len(node.children) == 2
    return (node.head[0].partition(":")[2], node.children[1]) if is_plain and node.children[0] == "value" else None


def _number(tag: str, written: str) -> Any:
    try:
        return int(written, 16) if tag == "int" else float(written)
    except ValueError:
        return None


def _range(start: int, stop: int, step: int) -> Column | None:
    labels = range(start, stop, step)
    return Column("int64", list(labels), (len(labels),)) if len(labels) <= MOST_ITEMS else None


def _array(written: str, shape: Sequence[int], data: str) -> Column | None:
    dtype = _DTYPE.fullmatch(written)
    if dtype is None or len(data) > 16 * MOST_ITEMS:
        return None
    order, kind, width, count, unit = dtype[1], dtype[2], int(dtype[3]), dtype[4], dtype[5]
    try:
        raw = base64.b64decode(data, validate=True)
        items = _items(order.replace("|", "<"), kind, width, raw)
    except (binascii.Error, struct.error, UnicodeDecodeError, ValueError):
        return None
    if kind in "mM":
        items = [_moment(kind, number, int(count or 1), unit or "") for number in items]
    name = f"{_NAMES[kind]}{'' if kind == 'b' else 8 * width}" if kind in _NAMES else written.lstrip("<>|")
    return Column(name, items, tuple(shape))


def _items(order: str, kind: str, width: int, raw: bytes) -> list[Any]:
    if kind == "U":
        codec = "utf-32-le" if order == "<" else "utf-32-be"
        size = _CHARACTER * width
        return [raw[at : at + size].decode(codec, "surrogatepass").rstrip("\0") for at in range(0, len(raw), size)]
    if kind == "S":
        return [raw[at : at + width].rstrip(b"\0") for at in range(0, len(raw), width)]
    letters = LETTERS[kind, width]
    found: list[Any] = [item[0] for item in struct.iter_unpack(order + letters[0], raw)]
    return [complex(*pair) for pair in zip(found[::2], found[1::2], strict=True)] if kind == "c" else found


def _moment(kind: str, number: int, count: int, unit: str) -> Any:
    if number == _NOT_A_TIME:
        return Missing("NaT")
    return Moment(kind, number * count * _PICOSECONDS[unit]) if unit in _PICOSECONDS else Opaque(f"{number}{unit}")


def _masked(parts: Sequence[Encoded]) -> Column | None:
    return _renamed(parts[1], str(parts[0]), missing="NA")


def _texts(parts: Sequence[Encoded]) -> Column | None:
    return _renamed(parts[2], "str" if parts[1] == "nan" else "string", missing=str(parts[1]))


def _renamed(encoded: Encoded, dtype: str, *, missing: str) -> Column | None:
    inner = column_of(encoded)
    if inner is None:
        return None
    nothing: Any = float("nan") if missing == "nan" else Missing(missing)
    return Column(dtype, [nothing if isinstance(item, Missing) else item for item in inner.items], inner.shape)


def _zoned(parts: Sequence[Encoded]) -> Column | None:
    inner = column_of(parts[0])
    return inner and Column(f"{inner.dtype} {canonical(parts[1])}", inner.items, inner.shape)


def _categories(parts: Sequence[Encoded]) -> Column | None:
    labels, codes = labels_of(parts[1]), column_of(parts[2])
    if labels is None or codes is None or any(not -1 <= code < len(labels.items) for code in codes.items):
        return None
    items = [labels.items[code] if code >= 0 else float("nan") for code in codes.items]
    return Column("ordered category" if parts[0] else "category", items, codes.shape)


_PARTS: dict[str, Callable[[Sequence[Encoded]], Column | None]] = {
    "masked": _masked,
    "texts": _texts,
    "zoned": _zoned,
    "categories": _categories,
}


class Table(NamedTuple):
    """A series or a frame: its labels, and its columns by their labels in order."""

    labels: Column
    columns: list[tuple[Any, Column]]


def table_of(encoded: Encoded) -> Table | None:
    """Return what a series or a frame holds; None for anything else, and where it does not fit together."""
    node = open_node(encoded)
    if node.tag != "pandas" or node.head[0] not in {"Series", "DataFrame"}:
        return None
    index = labels_of(node.children[1])
    if node.head[0] == "Series":
        names, values = [item_of(node.children[0])], [node.children[2]]
    else:
        columns = labels_of(node.children[0])
        names = columns.items if columns else []
        values = open_node(node.children[2]).children
    read = [column_of(value) for value in values]
    known = [column for column in read if column is not None]
    if index is None or not len(names) == len(read) == len(known):
        return None
    fits = all(len(column.items) == len(index.items) for column in known)
    return Table(index, list(zip(names, known, strict=True))) if fits else None


def rows_of(table: Table) -> list[tuple[Any, ...]]:
    """Return the rows of a table, each with its label first."""
    return list(zip(table.labels.items, *(column.items for _, column in table.columns), strict=True))
