"""Reads encoded values level by level. A tree may come from hostile code: what is malformed is an opaque value."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

from codeens_sandbox_backends.base import Tree

UNREADABLE = "?"
"""The tag of a node that is no encoding of anything."""
SCALAR = "scalar"
"""The tag of what JSON says by itself; the value is the node's head."""
SETS = frozenset({"set", "frozenset"})
UNORDERED_DICTS = frozenset({"dict", "defaultdict", "Counter"})
DICTS = UNORDERED_DICTS | {"OrderedDict"}


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_text_or_none(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_count(value: object) -> bool:
    return type(value) is int and abs(value) < 2**53


def _is_bound(value: object) -> bool:
    return value is None or _is_count(value) or _is_tagged(value, "int")


def _is_path(value: object) -> bool:
    return isinstance(value, str) or _is_tagged(value, "str")


def _is_tagged(value: object, tag: str) -> bool:
    """Whether it is a whole number, or a text, that JSON does not hold."""
    parts = cast("list[object]", value) if isinstance(value, list) else []
    return parts[:1] == [tag] and all(map(_is_text, parts))


def _is_shape(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_count, cast("list[object]", value)))


_HEADS: dict[str, tuple[Callable[[object], bool], ...]] = {
    **dict.fromkeys(("int", "float", "str", "bytes", "bytearray", "Decimal", "uuid"), (_is_text,)),
    **dict.fromkeys(("date", "time", "datetime", "zoneinfo", "type", "function"), (_is_text,)),
    **dict.fromkeys(("namedtuple", "iter", "exception", "object", "flags", "pandas"), (_is_text,)),
    **dict.fromkeys(("complex", "Fraction", "range", "slice", "timezone"), ()),
    **dict.fromkeys(("ellipsis", "notimplemented", "more"), ()),
    **dict.fromkeys(("list", "tuple", "set", "frozenset", "dict", "OrderedDict", "Counter"), ()),
    "enum": (_is_text, _is_text),
    "timedelta": (_is_count, _is_count, _is_count),
    "zoned": (_is_count,),
    "path": (_is_path,),
    "ndarray": (_is_text, _is_shape, _is_text, _is_text),
    "deque": (_is_bound,),
    "defaultdict": (_is_text_or_none,),
}
_FIXED = {"complex": 2, "Fraction": 2, "range": 3, "slice": 3, "zoned": 2, "timezone": 2, "flags": 1}
_SEQUENCES = frozenset({"list", "tuple", "deque", "namedtuple", "iter", "exception", "pandas"}) | SETS
_PAIRED = DICTS | {"object"}


class Node(NamedTuple):
    """One level of a tree: its tag, what is written on it, and the trees below (keys and values in turn)."""

    tag: str
    head: tuple[Any, ...] = ()
    children: Sequence[Tree] = ()

    @property
    def is_float(self) -> bool:
        """Whether it is a finite float."""
        return self.tag == SCALAR and isinstance(self.head[0], float)

    @property
    def pairs(self) -> list[tuple[Tree, Tree]]:
        """The children of a dict two by two."""
        return list(zip(self.children[::2], self.children[1::2], strict=True))


def open_node(tree: Tree) -> Node:
    """Read one level. Never raises: what is malformed comes back as `UNREADABLE` with a digest of it."""
    if _is_scalar(tree):
        return Node(SCALAR, (tree,))
    node = _open_tagged(cast("list[Tree]", tree)) if isinstance(tree, list) and tree else None
    return node or Node(UNREADABLE, (digest(_raw(tree)),))


def _is_scalar(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return abs(value) < 2**53
    return value is None or isinstance(value, str)


def _open_tagged(tree: list[Tree]) -> Node | None:
    tag = tree[0]
    heads = _HEADS.get(tag) if isinstance(tag, str) else None
    if heads is None:
        return None
    head, rest = tree[1 : 1 + len(heads)], tree[1 + len(heads) :]
    if len(head) < len(heads) or not all(fits(value) for fits, value in zip(heads, head, strict=True)):
        return None
    if tag in _PAIRED:
        children = _flattened(rest)
        if children is None or (tag == "object" and not all(map(_is_text, children[::2]))):
            return None
        rest = children
    elif tag not in _SEQUENCES and len(rest) != _FIXED.get(tag, 0):
        return None
    return Node(tag, tuple(head), rest)


def _flattened(pairs: list[Tree]) -> list[Tree] | None:
    flat: list[Tree] = []
    for pair in pairs:
        if not isinstance(pair, list) or len(cast("list[Tree]", pair)) != 2:
            return None
        flat += cast("list[Tree]", pair)
    return flat


def _raw(tree: Tree) -> str:
    try:
        return json.dumps(tree)
    except (RecursionError, TypeError, ValueError):
        return f"<{type(tree).__name__} beyond JSON>"


def digest(text: str) -> str:
    """Stands for a text that is too long to be carried along."""
    return "#" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
