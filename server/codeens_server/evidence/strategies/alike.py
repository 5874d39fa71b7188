"""Values that are equal to another one, or nearly: what is held against another value shows how only on these."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from codeens_sandbox_backends.programs import Encoded
from codeens_sandbox_backends.values.compare import canonical
from codeens_sandbox_backends.values.sample import kind_of

TWINS = (("Stra\u00dfe", "STRASSE"), ("\u017f", "S"), ("e\u0301", "\u00e9"), ("aab", "bba"))
"""Texts that are alike when folded, in capitals, and when composed; and as sets of letters."""
_LEAP_DAY = (2, 29)


def alike(value: Any) -> list[Encoded]:
    """Return the value itself and ones that are nearly equal to it."""
    make = _NEARLY.get(kind_of(value))
    return [value, *(other for other in make(value) if other != value)] if make else [value]


def twins_of(value: Encoded) -> list[tuple[Encoded, Encoded]]:
    """Return pairs of values of the same kind that are alike in some ways, and not in others."""
    if isinstance(value, str):
        return [*TWINS]
    items: list[Any] = value[1:] if kind_of(value) == "list" else []
    other = next((item for item in items if canonical(item) != canonical(items[0])), None)
    return [(["list", items[0], items[0], other], ["list", other, other, items[0]])] if other is not None else []


def pairs_of(values: Sequence[Encoded]) -> Iterator[tuple[int, int]]:
    """Yield the places of any two values of the same kind, of those of which others are nearly equal."""
    kinds = [kind_of(value) for value in values]
    return ((one, two) for one, two in combinations(range(len(values)), 2) if kinds[one] == kinds[two] in _NEARLY)


def _texts(value: str) -> list[Encoded]:
    counted = ("".join(other) for other in recounted([*value]))
    return [value.upper(), f" {value}", value[:-1], value[::-1], value + value, *counted, value.swapcase()]


def _ints(value: int) -> list[Encoded]:
    return [value + 1, value - 1, -value, 2 * value]


def _floats(value: float) -> list[Encoded]:
    return [math.nextafter(value, math.inf), value + 1e-9, -value]


def _sequences(value: list[Any]) -> list[Encoded]:
    tag, items = value[0], value[1:]
    counted = ([tag, *other] for other in recounted(items))
    return [[tag, *items[::-1]], [tag, *items[:-1]], *counted, [tag, *items, *items[:1]]]


def recounted(items: list[Any]) -> Iterator[list[Any]]:
    """Yield the items, where one is there twice, with another one in its second place: as many, and as many kinds."""
    keys = list(map(canonical, items))
    again = next((place for place, key in enumerate(keys) if key in keys[:place]), None)
    other = next((item for item, key in zip(items, keys, strict=True) if again and key != keys[again]), None)
    if again is not None and other is not None:
        yield [*items[:again], other, *items[again + 1 :]]


def _mappings(value: list[Any]) -> list[Encoded]:
    tag, pairs = value[0], value[1:]
    other = [[tag, *pairs[:-1], [pairs[-1][0], alike(pairs[-1][1])[-1]]]] if pairs else []
    return [[tag, *pairs[::-1]], [tag, *pairs[:-1]], *other]


def _records(value: list[Any]) -> list[Encoded]:
    """Return a tuple of which only the last item is another one: what is the same in both may be a key."""
    return [[*value[:-1], alike(value[-1])[-1]]] if value[1:] else []


def _dates(value: list[Any]) -> list[Encoded]:
    """Return the day after, and the same day a year later."""
    moment = dt.datetime.fromisoformat(value[1])
    others = [moment + dt.timedelta(days=1)] if moment.year < dt.MAXYEAR else []
    if others and (moment.month, moment.day) != _LEAP_DAY:
        others.append(moment.replace(year=moment.year + 1))
    return [[value[0], other.isoformat()[: len(value[1])], *value[2:]] for other in others]


_NEARLY: Mapping[str, Callable[[Any], list[Encoded]]] = {
    "str": _texts,
    "int": _ints,
    "float": _floats,
    "list": _sequences,
    "dict": _mappings,
    "tuple": _records,
    "date": _dates,
    "datetime": _dates,
}
