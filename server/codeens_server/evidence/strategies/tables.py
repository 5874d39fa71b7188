"""Arrays and tables grown from those seen: the same columns, types and kinds of index, other rows.

Few rows and none, repeated rows and missing values are among them, and sizes at which people measure. A table is made
from one drawn number, by a generator that starts there: drawing each item would take far longer.
"""

from __future__ import annotations

import base64
import math
import random
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from hypothesis import strategies as st

from codeens_sandbox_backends.programs import Encoded
from codeens_sandbox_backends.values.check import open_node
from codeens_sandbox_backends.values.columns import LETTERS, MOST_ITEMS, column_of, table_of
from codeens_sandbox_backends.values.sample import Samples

_SIZES = (*((5, 0, 0), (9, 1, 1), (44, 2, 8), (24, 9, 40), (13, 41, 300), (5, 1_000, 10_000)),)
"""Weight, and the least and most rows."""
_NUMBER = re.compile(r"([<>|])([biuf])(\d)", re.ASCII)
_MOMENT = re.compile(r"([<>])([mM])8\[.*\]", re.ASCII)
_MOST_COUNTED = 30
"""Of windows and parts: a loop over every row of each is to end in time."""
_MISSES = 0.1
"""Of the tables: values are missing."""
_NOT_A_TIME = -(1 << 63)
_EXACT = 1 << 53


class _Way(NamedTuple):
    """How one table is grown."""

    chance: random.Random
    rows: int
    misses: bool
    """Whether values are missing where the type allows it, be it that none are in what was seen."""
    repeats: bool
    """Whether few different values stand in a column."""


def is_table(tree: Encoded) -> bool:
    """Return whether a value is an array with a length, a series or a frame."""
    node = open_node(tree)
    return (node.tag == "ndarray" and bool(node.head[1])) or table_of(tree) is not None


def grown(seen: Sequence[Encoded], *, complete: bool = False) -> Samples:
    """Return arrays or tables like those seen, one at least; `complete` ones have no missing values but those seen."""
    full = [tree for tree in seen if length_of(tree)]
    if not full:
        return st.sampled_from(list(seen))
    return st.integers(0, (1 << 40) - 1).map(lambda code: _grown(full, code, 0.0 if complete else _MISSES))


def length_of(tree: Encoded) -> int:
    """Return how many rows an array or table has."""
    table = table_of(tree)
    return len(table.labels.items) if table is not None else open_node(tree).head[1][0]


def resized(tree: Encoded, rows: int) -> Encoded:
    """Return the array or table with so many rows: the first of them, and the same again; an empty one as it is."""
    if not length_of(tree):
        return tree
    chance = random.Random(rows)  # noqa: S311
    return _table(tree, _Way(chance, rows, misses=False, repeats=False), _Kept())


def _grown(seen: Sequence[Encoded], code: int, misses: float) -> Encoded:
    chance = random.Random(code)  # noqa: S311
    base = chance.choice(seen)
    _, least, most = chance.choices(_SIZES, [weight for weight, _, _ in _SIZES])[0]
    way = _Way(chance, chance.randint(least, most), misses=chance.random() < misses, repeats=chance.random() < 0.25)
    return _table(base, way, _Drawn(way))


class _Kept:
    """Takes items as they stand, again from the first where they do not suffice."""

    def __call__(self, pool: Sequence[Any], count: int, _: Callable[[Sequence[Any]], Any] | None, __: Any) -> list[Any]:
        return [pool[at % len(pool)] for at in range(count)] if pool else []


class _Drawn:
    """Draws items: those seen, and others like them."""

    def __init__(self, way: _Way) -> None:
        self._way = way

    def __call__(
        self, pool: Sequence[Any], count: int, other: Callable[[Sequence[Any]], Any] | None, missing: Sequence[Any]
    ) -> list[Any]:
        if not pool:
            return []
        chance = self._way.chance
        if self._way.repeats:
            pool, other = chance.sample(list(pool), min(len(pool), chance.randint(1, 3))), None
        share = 0.5 if other else 1.0
        items = [chance.choice(pool) if other is None or chance.random() < share else other(pool) for _ in range(count)]
        if self._way.misses and missing:
            items = [missing[0] if chance.random() < 0.2 else item for item in items]
        return items


_Draw = Callable[[Sequence[Any], int, "Callable[[Sequence[Any]], Any] | None", Sequence[Any]], "list[Any]"]


def _table(tree: Encoded, way: _Way, draw: _Draw) -> Encoded:
    parts = cast("list[Any]", tree)
    if parts[0] == "ndarray":
        return _array(parts, way, draw)
    _, kind, first, index, values = parts
    rows = _index(index, way, draw)
    if kind == "Series":
        return ["pandas", kind, first, rows, _values(values, way, draw)]
    return ["pandas", kind, first, rows, ["list", *(_values(column, way, draw) for column in values[1:])]]


def _index(tree: Any, way: _Way, draw: _Draw) -> Encoded:
    _, kind, name, *rest = tree
    if kind == "RangeIndex":
        start, _, step = rest
        return ["pandas", kind, name, start, start + way.rows * step, step]
    if kind == "MultiIndex":
        return ["pandas", kind, name, ["list", *(_values(level, way, draw) for level in rest[0][1:])]]
    if kind in {"DatetimeIndex", "TimedeltaIndex"}:
        # What a frequency demands of the moments only pandas knows.
        return ["pandas", kind, name, None, _in_order(_values(rest[1], way, draw))]
    values = _values(rest[0], way, draw)
    return ["pandas", kind, name, _different(values) if way.chance.random() < 0.8 else values]


def _in_order(values: Any) -> Encoded:
    column = column_of(values)
    if values[0] != "ndarray" or column is None:
        return values
    raw = struct.unpack(f"{values[1][0]}{len(column.items)}q", base64.b64decode(values[4]))
    return _packed(values, "q", sorted(raw))


def _different(values: Any) -> Encoded:
    """Return labels of which none is twice, where that is easy: whole numbers and texts."""
    if values[0] == "ndarray" and values[1][1:] == "i8":
        count = values[2][0]
        numbers = struct.unpack(f"{values[1][0]}{count}q", base64.b64decode(values[4]))
        return _packed(values, "q", _spread_out(numbers))
    if values[0] == "pandas" and values[1] == "texts":
        return [*values[:4], ["list", *_spread_texts(values[4][1:])]]
    if values[0] == "list" and all(isinstance(item, str) for item in values[1:]):
        return ["list", *_spread_texts(values[1:])]
    return values


def _spread_out(numbers: Sequence[int]) -> list[int]:
    seen: set[int] = set()
    for number in numbers:
        free = number if number not in seen else max(seen) + 1
        seen.add(free)
    return list(dict.fromkeys(seen))


def _spread_texts(texts: Sequence[str | None]) -> list[str]:
    seen: dict[str, None] = {}
    for place, text in enumerate(texts):
        name = text or ""
        seen[name if name not in seen else f"{name}{place}"] = None
    return list(seen)


def _values(tree: Any, way: _Way, draw: _Draw) -> Encoded:
    """Return a column with other items."""
    if tree[0] == "ndarray":
        return _array(tree, way, draw)
    if tree[0] == "list":
        return ["list", *draw(tree[1:], way.rows, _other_items(tree[1:], way), (None,))]
    kind = tree[1]
    if kind == "masked":
        return [*tree[:3], _values(tree[3], way, draw)]
    if kind == "texts":
        return [*tree[:4], _values(tree[4], way, draw)]
    if kind == "zoned":
        return [*tree[:2], _array(tree[2], way, draw), tree[3]]
    if kind == "categories":
        return [*tree[:4], _array(tree[4], way, draw, exactly=True)]
    return tree


def _array(tree: Any, way: _Way, draw: _Draw, *, exactly: bool = False) -> Encoded:
    """Return an array with another number of rows; a square one stays square."""
    shape, data = tree[2], base64.b64decode(tree[4])
    if not shape:
        return tree
    rows = min(way.rows, 60) if len(shape) == 2 and shape[0] == shape[1] > 1 else way.rows
    lengths = [rows, rows] if rows != way.rows or (len(shape) == 2 and shape[0] == shape[1] > 1) else [rows, *shape[1:]]
    count = min(math.prod(lengths), MOST_ITEMS)
    number, moment = _NUMBER.fullmatch(tree[1]), _MOMENT.fullmatch(tree[1])
    if number is None and moment is None:
        return _of_bytes(tree, lengths, count, data, draw)
    letter = "q" if number is None else LETTERS[number[2], int(number[3])]
    pool = [item[0] for item in struct.iter_unpack(tree[1][0].replace("|", "<") + letter, data)]
    other: Callable[[Sequence[Any]], Any] | None = None
    missing: Sequence[Any] = ()
    if letter in "efd":
        other, missing = _floats(way, letter), (math.nan,)
    elif moment is not None:
        other, missing = _whole_numbers(way, letter, moments=True), (_NOT_A_TIME,)
    elif letter != "?" and not exactly:
        other = _whole_numbers(way, letter)
    items = draw(pool, count, other, missing)
    return _packed([*tree[:2], lengths if items else [0, *lengths[1:]], "C", ""], letter, items)


def _packed(tree: Any, letter: str, items: Sequence[Any]) -> Encoded:
    order = tree[1][0].replace("|", "<")
    data = base64.b64encode(struct.pack(f"{order}{len(items)}{letter}", *items)).decode("ascii")
    return [*tree[:4], data]


def _of_bytes(tree: Any, lengths: list[int], count: int, data: bytes, draw: _Draw) -> Encoded:
    """Return an array of what is no number, of the items seen."""
    size = len(data) // max(1, math.prod(tree[2]))
    pool = [data[at : at + size] for at in range(0, len(data), size)] if size else []
    items = draw(pool, count, None, ())
    return [*tree[:2], lengths if items else [0, *lengths[1:]], "C", base64.b64encode(b"".join(items)).decode("ascii")]


def _floats(way: _Way, letter: str) -> Callable[[Sequence[Any]], Any]:
    """Return what draws numbers near those seen, of as many digits as people write, or of all."""

    def other(pool: Sequence[Any]) -> float:
        known = [value for value in pool if math.isfinite(value)] or [1.0]
        low, high = min(known), max(known)
        reach = max(1.0, high - low)
        value = way.chance.uniform(0.0 if 0 <= low < reach else low - reach, high + reach)
        digits = way.chance.choice((0, 1, 2, 17))
        value = value if digits == 17 else round(value, digits)
        return value if letter == "d" else struct.unpack(letter, struct.pack(letter, value))[0]

    return other


def _whole_numbers(way: _Way, letter: str, *, moments: bool = False) -> Callable[[Sequence[Any]], Any]:
    width = 8 * struct.calcsize(f"<{letter}")
    least, most = (0, (1 << width) - 1) if letter.isupper() else (-(1 << (width - 1)) + 1, (1 << (width - 1)) - 1)

    def other(pool: Sequence[Any]) -> int:
        known = [value for value in pool if value != _NOT_A_TIME] or [0]
        low, high = min(known), max(known)
        if moments:
            return way.chance.randint(low, high)
        reach = max(10, high - low)
        start = 0 if 0 <= low < reach else low - reach
        return way.chance.randint(max(least, start), min(most, high + reach))

    return other


def _other_items(pool: Sequence[Any], way: _Way) -> Callable[[Sequence[Any]], Any] | None:
    """Return what draws other plain items of the one type that those seen have; None where they have several."""
    known = [item for item in pool if item is not None]
    if known and all(type(item) is float for item in known):
        numbers = _floats(way, "d")
        return lambda items: numbers([item for item in items if item is not None])
    if known and all(type(item) is int for item in known):
        whole = _whole_numbers(way, "q")
        return lambda items: max(1 - _EXACT, min(_EXACT - 1, whole([item for item in items if item is not None])))
    return None


def aligned(values: Mapping[str, Encoded], seen: Sequence[Mapping[str, Encoded]], choice: int) -> dict[str, Encoded]:
    """Return arguments whose arrays and tables are as long as each other, and counts that fit, where known calls do so.

    Args:
        values: arguments by name.
        seen: those of known calls.
        choice: drawn; some are left as they are.
    """
    tables: dict[str, Encoded] = {name: value for name, value in values.items() if is_table(value)}
    done = dict(values)
    if not tables or choice % 8 == 0:
        return done
    first = next(iter(tables))
    rows = length_of(tables[first])
    for name in list(tables)[1:]:
        if _always(seen, lambda call, name=name: length_of(call[name]) == length_of(call[first]), name, first):
            done[name] = resized(tables[name], rows)
    for name, value in values.items():
        is_count = type(value) is int and rows > 0 and choice % 4
        if is_count and _always(seen, lambda call, name=name: 0 < call[name] <= length_of(call[first]), name, first):
            done[name] = 1 + value % min(rows, _MOST_COUNTED)
    return done


def _always(
    seen: Sequence[Mapping[str, Encoded]], holds: Callable[[Mapping[str, Encoded]], bool], name: str, first: str
) -> bool:
    calls = [call for call in seen if name in call and first in call]
    try:
        return bool(calls) and all(holds(call) for call in calls)
    except (TypeError, IndexError):
        return False
