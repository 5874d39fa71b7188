"""How two encoded values deviate that are not equal, where the deviation has a name that people know.

Four kinds have one: rounding, names and types that libraries for tables tell apart (pandas.testing.assert_frame_equal:
check_names, check_dtype, check_index_type, check_freq), and the order of rows that a sort left equal. All else is
another value.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal, NamedTuple, TypeAlias

from codeens_sandbox_backends.programs import Encoded
from codeens_sandbox_backends.values.check import Node, open_node
from codeens_sandbox_backends.values.columns import (
    Column,
    Missing,
    Moment,
    Opaque,
    Table,
    column_of,
    item_of,
    labels_of,
    numpy_kind,
    rows_of,
    table_of,
)
from codeens_sandbox_backends.values.compare import canonical, match_exactly, same

DeviationKind: TypeAlias = Literal["rounding", "names", "types", "ties"]
_EPSILON = {"float16": 2.0**-10, "float32": 2.0**-23, "complex64": 2.0**-23}
_DOUBLE = 2.0**-52
_NUMBERS = ("int", "uint", "float", "Int", "UInt", "Float")
_SORTABLE = frozenset({int, float, str, bool, Moment})
_TEXTS = ("U", "object", "str", "string", "category", "ordered category")


class Tolerance(NamedTuple):
    """How far floats may lie apart and still be the same number, rounded in another way."""

    ulps: float
    """Units in the last place, of the less precise type of the two."""
    scale: float = 0.0
    """The largest number that the result may have been made from; 0: a float is measured by itself alone."""


class Deviation(NamedTuple):
    """One way in which two values deviate."""

    kind: DeviationKind
    what: str = ""
    """Of rounding, what the size is relative to; else the whole sentence."""
    size: float = 0.0
    keys: frozenset[str] = frozenset()
    """Of equal keys, by which parts of a row both may have been sorted."""


def deviations(expected: Encoded, got: Encoded, tolerance: Tolerance) -> tuple[Deviation, ...] | None:
    """Return all ways in which `got` deviates from `expected`; None where it is another value."""
    comparison = _Comparison(tolerance)
    todo = [(expected, got)]
    while todo:
        below = comparison.below(*todo.pop())
        if below is None:
            return None
        todo += below
    return tuple(dict.fromkeys(comparison.found))


class _Comparison:
    """Goes down two values level by level."""

    def __init__(self, tolerance: Tolerance) -> None:
        self._tolerance = tolerance
        self.found: list[Deviation] = []

    def below(self, a: Encoded, b: Encoded) -> list[tuple[Encoded, Encoded]] | None:
        """Return what must match below two values for them to match; None when they do not."""
        scalars = _scalar(a), _scalar(b)
        if scalars[0] is not None and scalars[1] is not None:
            return [] if self._scalars(*scalars[0], *scalars[1]) else None
        left, right = open_node(a), open_node(b)
        if left.tag == right.tag == "ndarray":
            return [] if self._arrays(a, b) else None
        if left.tag == right.tag == "pandas":
            return self._pandas(a, b, left, right)
        if left.tag == right.tag and left.tag in {"list", "tuple"}:
            ours, theirs = _records(left), _records(right)
            if ours and theirs and ours.names == theirs.names and _stand_elsewhere(ours.rows, theirs.rows):
                return [] if self._tied(ours.rows, theirs.rows, ours.names) else None
        return match_exactly(left, right)

    def _scalars(self, kind: str, name: str, x: Any, other_kind: str, other: str, y: Any) -> bool:
        if kind != other_kind:
            return False
        if name != other:
            self._note("types", f"type {other} instead of {name}")
        return self._items(x, y, max(_epsilon(name), _epsilon(other)))

    def _note(self, kind: DeviationKind, what: str) -> None:
        self.found.append(Deviation(kind, what))

    def _items(self, x: Any, y: Any, epsilon: float) -> bool:
        """Match two items of columns."""
        if _is_missing(x) and _is_missing(y):
            if _missing_name(x) != _missing_name(y):
                self._note("types", f"missing values are {_missing_name(y)} instead of {_missing_name(x)}")
            return True
        if isinstance(x, complex) and isinstance(y, complex):
            return self._close(x, y, epsilon)
        if isinstance(x, float) and isinstance(y, float):
            return self._close(x, y, epsilon)
        is_number = [isinstance(item, (int, float)) and not isinstance(item, bool) for item in (x, y)]
        return bool((all(is_number) or type(x) is type(y)) and x == y)

    def _close(self, x: complex, y: complex, epsilon: float) -> bool:
        if x == y:
            if str(x) != str(y):
                self.found.append(Deviation("rounding", "sign"))
            return True
        gap, size = abs(x - y), max(abs(x), abs(y))
        if not (math.isfinite(gap) and math.isfinite(size)):
            return str(x) == str(y)
        for scale, what in ((size, ""), (self._tolerance.scale, "scale")):
            if scale and gap <= self._tolerance.ulps * epsilon * scale:
                self.found.append(Deviation("rounding", what, gap / scale))
                return True
        return False

    def _columns(self, ours: Column, theirs: Column, where: str) -> bool:
        """Match two columns item by item, of types that people take for each other."""
        if ours.shape != theirs.shape or len(ours.items) != len(theirs.items):
            return False
        if ours.dtype != theirs.dtype:
            if ours.items and not _alike(ours.dtype, theirs.dtype):
                return False
            self._note("types", f"{where}dtype {theirs.dtype} instead of {ours.dtype}")
        epsilon = max(_epsilon(ours.dtype), _epsilon(theirs.dtype))
        return all(self._items(x, y, epsilon) for x, y in zip(ours.items, theirs.items, strict=True))

    def _arrays(self, a: Encoded, b: Encoded) -> bool:
        ours, theirs = column_of(a), column_of(b)
        return same(a, b) if ours is None or theirs is None else self._columns(ours, theirs, "")

    def _pandas(self, a: Encoded, b: Encoded, left: Node, right: Node) -> list[tuple[Encoded, Encoded]] | None:
        ours, theirs = table_of(a), table_of(b)
        if ours is not None and theirs is not None and left.head == right.head:
            return [] if self._tables(ours, theirs, left, right) else None
        if labels_of(a) is not None and labels_of(b) is not None:
            return [] if self._indexes(a, b, "index") else None
        return match_exactly(left, right)

    def _indexes(self, a: Encoded, b: Encoded, what: str, *, by_label: bool = True) -> bool:
        """Match two indexes; without `by_label` all but their labels."""
        (ours, our_labels), (theirs, their_labels) = (_index(a), _index(b))
        if our_labels is None or their_labels is None:
            return same(a, b)
        if ours.names != theirs.names:
            self._note("names", f"{what} name {theirs.names} instead of {ours.names}")
        if ours.frequency != theirs.frequency:
            self._note("names", f"{what} frequency {theirs.frequency} instead of {ours.frequency}")
        if ours.kind != theirs.kind:
            if "MultiIndex" in {ours.kind, theirs.kind}:
                return False
            self._note("types", f"{what} of kind {theirs.kind} instead of {ours.kind}")
        if not by_label and (not our_labels.items or _alike(our_labels.dtype, their_labels.dtype)):
            return True
        return self._columns(our_labels, their_labels, f"{what} ")

    def _tables(self, ours: Table, theirs: Table, left: Node, right: Node) -> bool:
        if len(ours.columns) != len(theirs.columns) or len(ours.labels.items) != len(theirs.labels.items):
            return False
        if left.head[0] == "DataFrame":
            if not self._indexes(left.children[0], right.children[0], "columns"):
                return False
        elif not same(left.children[0], right.children[0]):
            names = [item_of(node.children[0]) for node in (left, right)]
            self._note("names", f"name {_shown(names[1])} instead of {_shown(names[0])}")
        before = len(self.found)
        if self._indexes(left.children[1], right.children[1], "index") and all(
            self._columns(mine, other, _where(name, left))
            for (name, mine), (_, other) in zip(ours.columns, theirs.columns, strict=True)
        ):
            return True
        del self.found[before:]
        return self._reordered(ours, theirs, left, right)

    def _reordered(self, ours: Table, theirs: Table, left: Node, right: Node) -> bool:
        """Match two tables whose rows stand in another order where a sort left them equal."""
        if not self._indexes(left.children[1], right.children[1], "index", by_label=False):
            return False
        names = ["index", *(str(name) for name, _ in ours.columns)]
        rows, others = rows_of(ours), rows_of(theirs)
        if ours.labels.items == theirs.labels.items:
            names, rows, others = names[1:], [row[1:] for row in rows], [row[1:] for row in others]
        return self._tied(rows, others, names)

    def _tied(self, rows: Sequence[tuple[Any, ...]], others: Sequence[tuple[Any, ...]], names: Sequence[str]) -> bool:
        groups: defaultdict[Any, list[list[tuple[Any, ...]]]] = defaultdict(lambda: [[], []])
        for side, some in enumerate((rows, others)):
            for row in some:
                key, floats = _skeleton(row)
                groups[key][side].append(floats)
        for mine, other in groups.values():
            if len(mine) != len(other):
                return False
            if not all(map(self._all_items, sorted(mine), sorted(other))):
                return False
        columns = zip(names, zip(*rows, strict=True), zip(*others, strict=True), strict=True)
        before = len(self.found)
        keys = [name for name, ours, theirs in columns if _is_sorted(ours) and self._all_items(ours, theirs)]
        del self.found[before:]
        if keys:
            self.found.append(Deviation("ties", "order of equal keys", keys=frozenset(keys)))
        return bool(keys)

    def _all_items(self, xs: Sequence[Any], ys: Sequence[Any]) -> bool:
        return len(xs) == len(ys) and all(self._items(x, y, _DOUBLE) for x, y in zip(xs, ys, strict=True))


class _Labels(NamedTuple):
    kind: str
    names: str
    frequency: str


def _index(encoded: Encoded) -> tuple[_Labels, Column | None]:
    """What an index is beside its labels, and these."""
    node = open_node(encoded)
    kind = node.head[0]
    if kind == "MultiIndex":
        names = ", ".join(_shown(item_of(name)) for name in open_node(node.children[0]).children)
    else:
        names = _shown(item_of(node.children[0]))
    frequency = _shown(item_of(node.children[1])) if kind in {"DatetimeIndex", "TimedeltaIndex"} else ""
    return _Labels(kind, names, frequency), labels_of(encoded)


def _shown(item: Any) -> str:
    return "None" if isinstance(item, Missing) else repr(item)[:40]


def _where(name: Any, node: Node) -> str:
    return "" if node.head[0] == "Series" else f"column {_shown(name)}: "


def _scalar(encoded: Encoded) -> tuple[str, str, Any] | None:
    """The family of a number or text, the name of its type, and the value."""
    known = numpy_kind(encoded)
    value = item_of(known[1] if known else encoded)
    family = type(value).__name__
    if family not in {"bool", "int", "float", "complex", "str", "bytes"}:
        return _complex(known[1] if known else encoded)
    return family, f"numpy.{known[0]}" if known else family, value


def _complex(encoded: Encoded) -> tuple[str, str, Any] | None:
    node = open_node(encoded)
    parts = [item_of(child) for child in node.children] if node.tag == "complex" else []
    is_finite = len(parts) == 2 and all(isinstance(part, float) and math.isfinite(part) for part in parts)
    return ("complex", "complex", complex(*parts)) if is_finite else None


def _epsilon(name: str) -> float:
    return _EPSILON.get(name.rpartition(".")[2].lower(), _DOUBLE)


def _alike(dtype: str, other: str) -> bool:
    """Whether values of two types can be equal for who reads them: numbers; texts; moments."""
    if dtype.partition(" ")[2] != other.partition(" ")[2] and "category" not in dtype + other:
        return False  # moments of another time zone
    families = (_NUMBERS, _TEXTS, ("M8",), ("m8",))
    both = any(dtype.startswith(family) and other.startswith(family) for family in families)
    return both or "object" in {dtype, other} or "category" in {dtype, other}


def _is_missing(item: Any) -> bool:
    return isinstance(item, Missing) or (isinstance(item, float) and math.isnan(item))


def _missing_name(item: Any) -> str:
    return item.name if isinstance(item, Missing) else "nan"


def _skeleton(row: Sequence[Any]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """What of a row is compared exactly, and its floats."""
    return (
        tuple("~" if isinstance(item, float) else (type(item).__name__, item) for item in row),
        tuple(item for item in row if isinstance(item, float)),
    )


class _Records(NamedTuple):
    """The items of a sequence, taken apart."""

    names: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def _records(node: Node) -> _Records | None:
    """Take apart a sequence of records of one form; None of anything else."""
    taken = [_parts(open_node(child)) for child in node.children]
    names = {found[0] for found in taken if found is not None}
    if not taken or None in taken or len(names) != 1:
        return None
    return _Records(names.pop(), [found[1] for found in taken if found is not None])


def _parts(node: Node) -> tuple[tuple[str, ...], tuple[Any, ...]] | None:
    """Return the form of a record, and what it holds."""
    if node.tag in {"list", "tuple", "namedtuple"}:
        values = tuple(map(item_of, node.children))
        return (node.tag, *map(str, range(len(values)))), (Opaque(str(node.head)), *values)
    if node.tag in {"dict", "object"}:
        named = [(canonical(name), item_of(value)) for name, value in node.pairs]
        pairs = sorted(named, key=lambda pair: pair[0])
        return (node.tag, *(name for name, _ in pairs)), (Opaque(str(node.head)), *(value for _, value in pairs))
    return None


def _stand_elsewhere(rows: Sequence[Sequence[Any]], others: Sequence[Sequence[Any]]) -> bool:
    """Whether what of the rows is compared exactly is not at the same places."""
    return [key for key, _ in map(_skeleton, rows)] != [key for key, _ in map(_skeleton, others)]


def _is_sorted(items: Sequence[Any]) -> bool:
    """Whether a sort, up or down, may have left the items so."""
    if not items or type(items[0]) not in _SORTABLE or any(type(item) is not type(items[0]) for item in items):
        return False
    return all(not b < a for a, b in pairwise(items)) or all(not a < b for a, b in pairwise(items))
