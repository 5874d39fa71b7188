"""Whether JSON that came out of a sandbox is a tree of `player/codec.py`: nothing else gets into a result."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any, cast

from codeens_sandbox_backends.base import CallInput, Exotic, Outcome, Raised, Returned, Tree

_EXACT_INT = 1 << 53
_HEX = re.compile(r"-?[0-9a-f]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")

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
    """Whether a player may have sent this."""
    if isinstance(outcome, Returned):
        return well_formed(outcome.value) and well_formed_input(outcome)
    return isinstance(outcome, Exotic) or (isinstance(outcome, Raised) and well_formed_input(outcome))


def _is_scalar(node: Any) -> bool:
    if isinstance(node, float):
        return isfinite(node)
    return node is None or isinstance(node, (str, bool)) or _is_count(node)


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
    inside: list[Any] = []
    for part in parts:
        if not _is_pair(part) or not isinstance(part[0], str):
            return None
        inside.append(part[1])
    return inside


def _iterated(parts: _Parts) -> Sequence[Any] | None:
    return parts[:-1] if parts and parts[-1] == ["more"] else parts


def _is_pair(part: Any) -> bool:
    return isinstance(part, list) and len(cast("_Parts", part)) == 2


def _is_text(part: Any) -> bool:
    return isinstance(part, str)


def _is_count(part: Any) -> bool:
    return type(part) is int and abs(part) < _EXACT_INT


def _is_bound(part: Any) -> bool:
    return part is None or (_is_count(part) and part >= 0)


def _is_name(part: Any) -> bool:
    return part is None or isinstance(part, str)


def _is_hex(part: Any) -> bool:
    return isinstance(part, str) and _HEX.fullmatch(part) is not None


def _is_base64(part: Any) -> bool:
    return isinstance(part, str) and len(part) % 4 == 0 and _BASE64.fullmatch(part) is not None


def _is_special_float(part: Any) -> bool:
    return part in ("nan", "inf", "-inf")


def _is_shape(part: Any) -> bool:
    return isinstance(part, list) and all(_is_count(size) for size in cast("_Parts", part))


_SHAPES: dict[str, _Shape] = {
    "int": _words(_is_hex),
    "float": _words(_is_special_float),
    "str": _words(_is_hex),
    "complex": _exactly(2),
    "bytes": _words(_is_base64),
    "bytearray": _words(_is_base64),
    "list": _trees,
    "tuple": _trees,
    "set": _trees,
    "frozenset": _trees,
    "dict": _pairs,
    "OrderedDict": _pairs,
    "Counter": _pairs,
    "defaultdict": _after(_is_name, _pairs),
    "deque": _after(_is_bound, _trees),
    "range": _exactly(3),
    "slice": _exactly(3),
    "ellipsis": _exactly(0),
    "notimplemented": _exactly(0),
    "Decimal": _words(_is_text),
    "Fraction": _exactly(2),
    "date": _words(_is_text),
    "time": _words(_is_text),
    "datetime": _words(_is_text),
    "timedelta": _words(_is_count, _is_count, _is_count),
    "uuid": _words(_is_hex),
    "path": _words(_is_text),
    "ndarray": _words(_is_text, _is_shape, _is_base64),
    "iter": _after(_is_text, _iterated),
    "enum": _words(_is_text, _is_text),
    "namedtuple": _after(_is_text, _trees),
    "exception": _after(_is_text, _trees),
    "object": _after(_is_text, _fields),
    "type": _words(_is_text),
    "function": _words(_is_text),
}
