"""Arguments that fit each other: rows of one length, lists as long as one another, matrices that can be multiplied.

What works on tables or on parallel lists refuses nearly all that are drawn by themselves, and so hides what it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, islice
from typing import Any, TypeAlias
from zlib import crc32

from codeens_sandbox_backends.programs import Encoded
from codeens_sandbox_backends.values.sample import kind_of

_MOST_ROWS = 3
_MOST_COLUMNS = 4
_LONGEST = 8
"""Items of parallel lists."""
_Rows: TypeAlias = list[list[Encoded]]


def fitting(values: dict[str, Encoded]) -> dict[str, Encoded]:
    """Return every other call with the lists among its arguments made to fit; as it is where there are none."""
    number = crc32(repr(values).encode())
    if number >> 24 & 1:
        return values
    tables = {name: rows for name, value in values.items() if (rows := _rows(value)) and any(rows)}
    lists = {name: _items(value) for name, value in values.items() if name not in tables and _items(value)}
    if tables:
        rows, columns = 1 + number % _MOST_ROWS, 1 + number // _MOST_ROWS % _MOST_COLUMNS
        is_square = bool(number >> 16 & 1)
        return {**values, **_tables(tables, columns if is_square else rows, columns), **_of_length(lists, columns)}
    texts = {name: items for name, items in lists.items() if all(isinstance(item, str) and item for item in items)}
    if len(lists) > 1:
        return {**values, **_of_length(lists, min(_LONGEST, max(map(len, lists.values()))))}
    return {
        **values,
        **{name: ["list", *_of_width(items, 1 + number % _MOST_COLUMNS)] for name, items in texts.items()},
    }


def _items(value: Encoded) -> list[Any]:
    return value[1:] if kind_of(value) == "list" else []


def _rows(value: Encoded) -> _Rows:
    """Return the items of the lists in a list; none where it holds anything else."""
    items = _items(value)
    return [_items(item) for item in items] if all(kind_of(item) == "list" for item in items) else []


def _tables(tables: dict[str, _Rows], rows: int, columns: int) -> dict[str, Encoded]:
    """Return tables of that size: of two, the second has as many rows as the first has columns."""
    made: dict[str, Encoded] = {}
    for name, table in tables.items():
        items = cycle([item for row in table for item in row])
        made[name] = ["list", *(["list", *islice(items, columns)] for _ in range(rows))]
        rows = columns
    return made


def _of_length(lists: dict[str, list[Any]], length: int) -> dict[str, Encoded]:
    return {name: ["list", *islice(cycle(items), length)] for name, items in lists.items()}


def _of_width(texts: Sequence[str], width: int) -> list[str]:
    return ["".join(islice(cycle(text), width)) for text in texts]
