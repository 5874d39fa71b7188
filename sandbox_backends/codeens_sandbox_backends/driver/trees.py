"""Whether JSON that came out of a sandbox is a tree of `worker/codec.py`: nothing else gets into a result.

It is one when the encoder could have written it, but that the items of sets may stand in any order: who compares values
does not go by it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from math import gcd, isfinite
from typing import Any, cast

from codeens_sandbox_backends.base import CallInput, Outcome, Raised, Returned, Tree, Unencodable
from codeens_sandbox_backends.driver.leaves import (
    are_days,
    are_sorted_names,
    is_array,
    is_base64,
    is_count,
    is_decimal,
    is_factory,
    is_large_int,
    is_less_than_a_day,
    is_odd_text,
    is_path,
    is_reference,
    is_special_float,
    is_text,
    is_uuid,
    iso,
)

_QUICKLY_READ = 4096
"""Hexadecimal digits of numbers that are reckoned with."""
_Parts = list[Any]
_Shape = Callable[[_Parts], "Sequence[Any] | None"]
"""From what follows a tag to the trees in it; None where it is not of the tag's form."""


def well_formed(tree: Tree) -> bool:
    """Whether this is an encoded value: known tags, each followed by what belongs there."""
    left: list[Any] = [tree]
    while left:
        node = left.pop()
        if isinstance(node, list):
            inside = _inside(cast("_Parts", node))
            if inside is None:
                return False
            left.extend(inside)
        elif not _is_scalar(node):
            return False
    return True


def well_formed_input(call: CallInput | Returned | Raised) -> bool:
    """Whether all arguments are encoded values."""
    return all(well_formed(tree) for tree in (*call.args, *call.kwargs.values()))


def well_formed_outcome(outcome: Outcome) -> bool:
    """Whether a worker may have sent this."""
    if isinstance(outcome, Returned):
        return well_formed(outcome.value) and well_formed_input(outcome)
    return isinstance(outcome, Unencodable) or (isinstance(outcome, Raised) and well_formed_input(outcome))


def _is_scalar(node: Any) -> bool:
    if isinstance(node, float):
        return isfinite(node)
    return node is None or isinstance(node, bool) or is_count(node) or is_text(node)


def _inside(node: _Parts) -> Sequence[Any] | None:
    shape = _SHAPES.get(node[0]) if node and isinstance(node[0], str) else None
    return shape(node[1:]) if shape else None


def _trees(parts: _Parts) -> Sequence[Any]:
    return parts


def _exactly(count: int) -> _Shape:
    """So many trees."""
    return lambda parts: parts if len(parts) == count else None


def _words(*fits: Callable[[Any], bool]) -> _Shape:
    """As many items as there are tests, each of which fits; no tree is in them."""

    def shape(parts: _Parts) -> Sequence[Any] | None:
        fitting = len(parts) == len(fits) and all(fit(part) for fit, part in zip(fits, parts, strict=True))
        return () if fitting else None

    return shape


def _after(fit: Callable[[Any], bool], rest: _Shape) -> _Shape:
    """An item that fits, and then what `rest` wants."""
    return lambda parts: rest(parts[1:]) if parts and fit(parts[0]) else None


def _pairs(parts: _Parts) -> Sequence[Any] | None:
    inside: list[Any] = []
    for part in parts:
        if not _is_pair(part):
            return None
        inside.extend(part)
    return inside


def _fields(parts: _Parts) -> Sequence[Any] | None:
    if not all(map(_is_pair, parts)) or not are_sorted_names([name for name, _ in parts]):
        return None
    return [field for _, field in parts]


def _iterated(parts: _Parts) -> Sequence[Any] | None:
    return parts[:-1] if parts and parts[-1] == ["more"] else parts


def _floats(parts: _Parts) -> Sequence[Any] | None:
    fitting = len(parts) == 2 and all(isinstance(part, float) or _tag(part) == "float" for part in parts)
    return parts if fitting else None


def _ints(count: int) -> _Shape:
    return lambda parts: parts if len(parts) == count and all(map(_is_int, parts)) else None


def _range(parts: _Parts) -> Sequence[Any] | None:
    return None if parts[2:] == [0] else _ints(3)(parts)


def _fraction(parts: _Parts) -> Sequence[Any] | None:
    """In lowest terms, as far as that is quickly seen."""
    if not _ints(2)(parts) or not _is_positive(parts[1]):
        return None
    above, below = map(_number, parts)
    return parts if above is None or below is None or gcd(above, below) == 1 else None


def _deque(parts: _Parts) -> Sequence[Any] | None:
    """A bound, which may be too large to be reached, and no more items than that."""
    bound, items = (parts[0], len(parts) - 1) if parts else (-1, 0)
    if bound is None or (_tag(bound) == "int" and _is_positive(bound)):
        return parts
    return parts if is_count(bound) and bound >= items else None


def _timedelta(parts: _Parts) -> Sequence[Any] | None:
    return () if are_days(parts) else None


def _array(parts: _Parts) -> Sequence[Any] | None:
    return () if is_array(parts) else None


def _path(parts: _Parts) -> Sequence[Any] | None:
    fitting = len(parts) == 1 and (is_path(parts[0]) or _tag(parts[0]) == "str")
    return parts if fitting else None


def _timezone(parts: _Parts) -> Sequence[Any] | None:
    if len(parts) != 2 or _tag(parts[0]) != "timedelta" or not is_less_than_a_day(parts[0][1:]):
        return None
    return parts if parts[1] is None or _is_any_text(parts[1]) else None


def _zoned(parts: _Parts) -> Sequence[Any] | None:
    if len(parts) != 3 or not _is_zone(parts[1]) or _tag(parts[2]) not in ("time", "datetime"):
        return None
    fold, zone, _ = parts
    says_more = fold == 1 or _tag(zone) == "zoneinfo" or (_tag(zone) == "timezone" and zone[-1] is not None)
    return parts[1:] if is_count(fold) and fold in (0, 1) and says_more else None


def _pandas(parts: _Parts) -> Sequence[Any] | None:
    """How its parts fit together only pandas knows."""
    kind = parts[0] if parts and isinstance(parts[0], str) else ""
    return parts[1:] if _PANDAS.get(kind) == len(parts) - 1 else None


_PANDAS = {
    **dict.fromkeys(("NaT", "NA"), 0),
    **dict.fromkeys(("Timedelta",), 1),
    **dict.fromkeys(("Index", "CategoricalIndex", "MultiIndex", "masked", "zoned"), 2),
    **dict.fromkeys(("Series", "DataFrame", "DatetimeIndex", "TimedeltaIndex", "Timestamp", "texts", "categories"), 3),
    **dict.fromkeys(("RangeIndex",), 4),
}
"""How many parts each kind has."""


def _tag(part: Any) -> Any:
    return cast("_Parts", part)[0] if isinstance(part, list) and part else None


def _is_pair(part: Any) -> bool:
    return isinstance(part, list) and len(cast("_Parts", part)) == 2


def _is_int(part: Any) -> bool:
    return is_count(part) or _tag(part) == "int"


def _number(part: Any) -> int | None:
    """The value of an int, where it is quickly had."""
    if is_count(part):
        return part
    digits = part[-1]
    return int(digits, 16) if is_large_int(digits) and len(digits) <= _QUICKLY_READ else None


def _is_positive(part: Any) -> bool:
    if is_count(part):
        return part > 0
    return _tag(part) == "int" and isinstance(part[-1], str) and not part[-1].startswith("-")


def _is_any_text(part: Any) -> bool:
    return isinstance(part, str) or _tag(part) == "str"


def _is_zone(part: Any) -> bool:
    return part is None or _tag(part) in ("timezone", "zoneinfo")


_SHAPES: dict[str, _Shape] = {
    "int": _words(is_large_int),
    "float": _words(is_special_float),
    "str": _words(is_odd_text),
    "complex": _floats,
    "bytes": _words(is_base64),
    "bytearray": _words(is_base64),
    "list": _trees,
    "tuple": _trees,
    "set": _trees,
    "frozenset": _trees,
    "dict": _pairs,
    "OrderedDict": _pairs,
    "Counter": _pairs,
    "defaultdict": _after(is_factory, _pairs),
    "deque": _deque,
    "range": _range,
    "slice": _exactly(3),
    "ellipsis": _exactly(0),
    "notimplemented": _exactly(0),
    "Decimal": _words(is_decimal),
    "Fraction": _fraction,
    "date": _words(iso(dt.date)),
    "time": _words(iso(dt.time)),
    "datetime": _words(iso(dt.datetime)),
    "zoned": _zoned,
    "timezone": _timezone,
    "zoneinfo": _words(is_text),
    "timedelta": _timedelta,
    "uuid": _words(is_uuid),
    "path": _path,
    "ndarray": _array,
    "pandas": _pandas,
    "iter": _after(is_text, _iterated),
    "enum": _words(is_reference, is_text),
    "flags": _after(is_reference, _ints(1)),
    "namedtuple": _after(is_reference, _trees),
    "exception": _after(is_reference, _trees),
    "object": _after(is_reference, _fields),
    "type": _words(is_reference),
    "function": _words(is_reference),
}
