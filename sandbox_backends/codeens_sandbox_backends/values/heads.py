"""Arrays and tables as people read them: what is at their head, or where two of them differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from codeens_sandbox_backends.programs import Encoded
from codeens_sandbox_backends.values.check import open_node
from codeens_sandbox_backends.values.columns import (
    Column,
    Missing,
    Moment,
    Opaque,
    column_of,
    item_of,
    labels_of,
    table_of,
)

_SHOWN = 6
_USUAL = frozenset({"int64", "float64", "bool", "str", "object", "MultiIndex"})
_PICOSECONDS_A_SECOND = 10**12
_DAY = 86_400


def head(encoded: Encoded, start: int = 0) -> str:
    """Return an array, an index or a table on one line, from a row on; empty for anything else."""
    node = open_node(encoded)
    if node.tag not in {"ndarray", "pandas"}:
        return ""
    if (table := table_of(encoded)) is not None:
        index = node.children[1]
        is_plain = open_node(index).head[0] == "RangeIndex" and table.labels.items[:1] in ([], [0])
        labels = None if is_plain else table.labels
        more = [*_name("index.name", index), *_rest(len(table.labels.items), start)]
        if node.head[0] == "DataFrame":
            columns = ", ".join(f"{_shown(name)}: {_items(column, start)}" for name, column in table.columns)
            kinds = [f"{_shown(name)} is {each.dtype}" for name, each in table.columns if each.dtype not in _USUAL]
            rows = [f"index={_items(labels, start)}"] if labels else []
            return f"DataFrame({', '.join([f'{{{columns}}}', *rows, *more, *kinds])})"
        column = table.columns[0][1]
        values = _items(column, start) if labels is None else _pairs(labels, column, start)
        return f"Series({', '.join([values, *_name('name', encoded), *more, *_dtype(column)])})"
    if node.tag == "ndarray":
        array = column_of(encoded)
        return _array(array, start) if array is not None else ""
    labels = labels_of(encoded)
    if labels is None:
        return ""
    more = [*_name("name", encoded), *_rest(len(labels.items), start), *_dtype(labels)]
    return f"{node.head[0]}({', '.join([_items(labels, start), *more])})"


def first_difference(a: Encoded, b: Encoded) -> int:
    """Return the first row in which two arrays or tables differ that are alike beside; 0 where that cannot be said."""
    ours, theirs = _rows(a), _rows(b)
    pairs = zip(ours, theirs, strict=False)
    return next((at for at, (x, y) in enumerate(pairs) if repr(x) != repr(y)), 0) if len(ours) == len(theirs) else 0


def _rows(encoded: Encoded) -> list[Any]:
    if (table := table_of(encoded)) is not None:
        return list(zip(table.labels.items, *(column.items for _, column in table.columns), strict=True))
    column = column_of(encoded)
    if column is None:
        return []
    width = len(column.items) // column.shape[0] if column.shape and column.shape[0] else 1
    return [column.items[at : at + width] for at in range(0, len(column.items), max(1, width))]


def _array(array: Column, start: int) -> str:
    more = [*_rest(array.shape[0] if array.shape else 1, start), *_dtype(array)]
    if len(array.shape) < 2:
        return f"array({', '.join([_items(array, start) if array.shape else _shown(array.items[0]), *more])})"
    width = len(array.items) // array.shape[0] if array.shape[0] else 0
    lines = [array.items[at * width : (at + 1) * width] for at in range(start, min(array.shape[0], start + _SHOWN))]
    shape = "x".join(map(str, array.shape))
    return f"array([{', '.join(_listed(line) for line in lines)}], {', '.join([shape, *more])})"


def _items(column: Column, start: int) -> str:
    return _listed(column.items[start:])


def _listed(items: Sequence[Any]) -> str:
    more = ", …" if len(items) > _SHOWN else ""
    return f"[{', '.join(map(_shown, items[:_SHOWN]))}{more}]"


def _pairs(labels: Column, column: Column, start: int) -> str:
    rows = list(zip(labels.items[start:], column.items[start:], strict=True))
    more = ", …" if len(rows) > _SHOWN else ""
    return f"{{{', '.join(f'{_shown(label)}: {_shown(item)}' for label, item in rows[:_SHOWN])}{more}}}"


def _name(said: str, encoded: Encoded) -> list[str]:
    node = open_node(encoded)
    if node.head[0] == "MultiIndex":
        names = [item_of(name) for name in open_node(node.children[0]).children]
        return [f"{said}s={_listed(names)}"] if any(not isinstance(name, Missing) for name in names) else []
    name = item_of(node.children[0])
    return [] if isinstance(name, Missing) else [f"{said}={_shown(name)}"]


def _rest(length: int, start: int) -> list[str]:
    if start:
        return [f"from row {start} of {length}"]
    return [f"{length} rows"] if length > _SHOWN else []


def _dtype(column: Column) -> list[str]:
    return [] if column.dtype in _USUAL else [column.dtype]


def _shown(item: Any) -> str:
    match item:
        case Missing():
            return item.name
        case Moment():
            return _moment(item)
        case Opaque():
            return item.text[:40]
        case _:
            return repr(item)[:60]


def _moment(item: Moment) -> str:
    """Write a moment as ISO 8601 does, and a span in seconds."""
    seconds, rest = divmod(item.picoseconds, _PICOSECONDS_A_SECOND)
    fraction = f"{rest:012d}".rstrip("0")
    part = f".{fraction}" if fraction else ""
    if item.kind == "m":
        return f"{seconds}{part} s"
    days, second = divmod(seconds, _DAY)
    clock = f"T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}{part}" if second or part else ""
    return f"{_date(days)}{clock}"


def _date(days: int) -> str:
    """Write a day counted from 1970-01-01 (H. Hinnant, Low-Level Date Algorithms, civil_from_days)."""
    era, day_of_era = divmod(days + 719_468, 146_097)
    year = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return f"{year + era * 400 + (month <= 2):04d}-{month:02d}-{day_of_year - (153 * shifted + 2) // 5 + 1:02d}"
