"""Reads encoded values level by level, by the table of kinds. They may come from hostile code: nothing here recurses.

There are two policies. What gets into a result is `well_formed`: the encoder could have written it, but that the items
of sets may stand in any order; keys that are equal, or have no hash, are those of no value. Whoever compares or shows
values opens anything, and what does not fit is opaque.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from math import isfinite
from typing import Any, NamedTuple, cast

from codeens_sandbox_backends.programs import CallInput, Encoded, Outcome, Raised, Returned, Unencodable
from codeens_sandbox_backends.values.keys import can_be_keys
from codeens_sandbox_backends.worker.values.codec import KINDS, TABLE
from codeens_sandbox_backends.worker.values.coding import Decoder, Encoder
from codeens_sandbox_backends.worker.values.grammar import EXACT_INTS, DecodeError, EncodeError, Form, Kind
from codeens_sandbox_backends.worker.values.tables import PARTS

UNREADABLE = "?"
"""The tag of a node that is no encoding of anything."""
SCALAR = "scalar"
"""The tag of what JSON says by itself; the value is the node's head."""
SETS = frozenset({"set", "frozenset"})
DICTS = frozenset(tag for tag, kind in KINDS.items() if kind.below == "pairs")


class Node(NamedTuple):
    """One level of an encoded value: its tag, what is written on it, and the values below (keys and values in turn)."""

    tag: str
    head: tuple[Any, ...] = ()
    children: Sequence[Encoded] = ()

    @property
    def is_float(self) -> bool:
        """Whether it is a finite float."""
        return self.tag == SCALAR and isinstance(self.head[0], float)

    @property
    def pairs(self) -> list[tuple[Encoded, Encoded]]:
        """The children of a dict two by two."""
        return list(zip(self.children[::2], self.children[1::2], strict=True))


def open_node(encoded: Encoded) -> Node:
    """Read one level. Never raises: what is malformed comes back as `UNREADABLE` with a digest of it."""
    if is_exact_scalar(encoded):
        return Node(SCALAR, (encoded,))
    return _opened(encoded) or Node(UNREADABLE, (digest(_raw(encoded)),))


def well_formed(encoded: Encoded) -> bool:
    """Return whether this is an encoded value: known tags, each followed by what belongs there."""
    left, exact, keyed = [encoded], list[Encoded](), list[Sequence[Encoded]]()
    while left:
        current = left.pop()
        if not isinstance(current, list):
            if not is_exact_scalar(current) or (isinstance(current, str) and not _is_utf8(current)):
                return False
            continue
        node = _opened(cast("Encoded", current))
        if node is None or not (node.tag in _PLAIN or _fits(node, KINDS[node.tag])):
            return False
        if node.tag in _EXACT and not _is_slow(node):
            exact.append(current)
        if node.tag in SETS or node.tag in DICTS:
            keyed.append(node.children if node.tag in SETS else node.children[::2])
        left.extend(node.children)
    # Only now, when all that is below them is known to be of the form that their decoding expects.
    return all(map(_comes_back, exact)) and all(map(can_be_keys, keyed))


def well_formed_input(call: CallInput | Returned | Raised) -> bool:
    """Return whether all arguments are encoded values."""
    return all(map(well_formed, (*call.args, *call.kwargs.values())))


def well_formed_outcome(outcome: Outcome) -> bool:
    """Return whether a worker may have sent this."""
    if isinstance(outcome, Unencodable):
        return True
    if not isinstance(outcome, (Returned, Raised)) or not well_formed_input(outcome):
        return False
    named = outcome.effects if isinstance(outcome, Returned) else {**outcome.effects, **outcome.attributes}
    told = [*named.values(), outcome.value] if isinstance(outcome, Returned) else named.values()
    return all(map(well_formed, told)) and all(map(_is_utf8, (*named, *outcome.unseen)))


def is_exact_scalar(value: object) -> bool:
    """Return whether JSON says this by itself."""
    if isinstance(value, float):
        return isfinite(value)
    if isinstance(value, int):
        return abs(value) < EXACT_INTS
    return value is None or isinstance(value, str)


def digest(text: str) -> str:
    """Return what stands for a text that is too long to be carried along."""
    return "#" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


# Opening ------------------------------------------------------------------------------------------------------------


def _opened(encoded: Encoded) -> Node | None:
    if not isinstance(encoded, list):
        return None
    parts = cast("list[Any]", encoded)
    kind = KINDS.get(parts[0]) if parts and isinstance(parts[0], str) else None
    if kind is None:
        return None
    if kind.tag in _PLAIN and kind.below == "items":
        return Node(kind.tag, (), parts[1:])
    head, rest = parts[1 : 1 + len(kind.head)], parts[1 + len(kind.head) :]
    if len(head) < len(kind.head) or not all(map(_has_form, head, kind.head)):
        return None
    if kind.below in ("pairs", "fields"):
        flat = _flattened(rest)
        fits = flat is not None and (kind.below == "pairs" or all(isinstance(name, str) for name in flat[::2]))
        return Node(kind.tag, tuple(head), flat or ()) if fits else None
    if kind.below == "iterated":
        more = bool(rest) and rest[-1] == ["more"]
        return Node(kind.tag, (*head, more), rest[:-1] if more else rest)
    if not isinstance(kind.below, str) and len(rest) != len(kind.below):
        return None
    return Node(kind.tag, tuple(head), rest)


def _flattened(pairs: list[Any]) -> list[Encoded] | None:
    flat: list[Encoded] = []
    for pair in pairs:
        if not isinstance(pair, list) or len(cast("list[Any]", pair)) != 2:
            return None
        flat += cast("list[Any]", pair)
    return flat


def _raw(encoded: Encoded) -> str:
    try:
        return json.dumps(encoded)
    except (RecursionError, TypeError, ValueError):
        return f"<{type(encoded).__name__} beyond JSON>"


def _has_form(value: Any, form: Form) -> bool:
    return _FORMS[form](value) if isinstance(form, str) else type(value) in (int, str) and value in form


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_count(value: Any) -> bool:
    return type(value) is int and abs(value) < EXACT_INTS


def _is_bound(value: Any) -> bool:
    if _tag_of(value) == "int" and isinstance(value, list):
        digits = cast("list[Any]", value)[1:]
        return len(digits) == 1 and isinstance(digits[0], str) and not digits[0].startswith("-")
    return value is None or (_is_count(value) and value >= 0)


def _is_shape(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_count, cast("list[Any]", value)))


_FORMS: dict[str, Callable[[Any], bool]] = {
    "text": _is_text,
    "word": _is_text,
    "name": _is_text,
    "factory": lambda value: value is None or isinstance(value, str),
    "count": _is_count,
    "bound": _is_bound,
    "shape": _is_shape,
}

# Checking -----------------------------------------------------------------------------------------------------------


def _fits(node: Node, kind: Kind) -> bool:
    """Whether an opened node is as the encoder writes it, but for what encoding it again would show."""
    for value, form in zip(node.head, kind.head, strict=False):
        if isinstance(value, str) and not _STRICT.get(form if isinstance(form, str) else "", _is_utf8)(value):
            return False
    if any(tags and _tag_of(child) not in tags for tags, child in zip(_BELOW[node.tag], node.children, strict=False)):
        return False
    more = _MORE.get(kind.tag)
    return more is None or more(node)


def _comes_back(encoded: Encoded) -> bool:
    """Whether a value of an `exact` kind is written in the one form that the encoder writes it in."""
    kind = KINDS[encoded[0]]
    try:
        value = kind.decode(Decoder(TABLE, classes=False), encoded)
        return repr(kind.encode(Encoder(TABLE, classes=False, iterators=False), value)) == repr(encoded)
    except (ArithmeticError, TypeError, ValueError, EncodeError, DecodeError):
        return False


def _tag_of(encoded: Encoded) -> Any:
    if isinstance(encoded, list):
        return cast("list[Any]", encoded)[0] if encoded else None
    return type(encoded).__name__


def _is_utf8(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _is_name(text: str) -> bool:
    module, _, name = text.partition(":")
    return bool(module and name) and text.isprintable() and ":" not in name and _is_utf8(text)


_STRICT: dict[str, Callable[[str], bool]] = {
    "name": _is_name,
    "factory": lambda text: text.isidentifier() or _is_name(text),
}
_QUICKLY_REDUCED = 4096
"""Characters: that a longer fraction is in lowest terms is taken for granted, for it takes long to find out."""


def _is_slow(node: Node) -> bool:
    return node.tag == "Fraction" and any(len(_digits(part)) > _QUICKLY_REDUCED for part in node.children)


def _digits(encoded: Encoded) -> str:
    """The digits of an int that JSON does not hold; empty for another, and where there are none."""
    return encoded[-1] if isinstance(encoded, list) and isinstance(encoded[-1], str) else ""


def _fraction(node: Node) -> bool:
    below = node.children[1]
    return below > 0 if isinstance(below, int) else not _digits(below).startswith("-")


def _deque(node: Node) -> bool:
    bound = node.head[0]
    return bound is None or (_comes_back(bound) if isinstance(bound, list) else bound >= len(node.children))


def _zoned(node: Node) -> bool:
    """Whether ISO text would not say the same."""
    zone = node.children[0]
    return node.head[0] == 1 or _tag_of(zone) == "zoneinfo" or (_tag_of(zone) == "timezone" and zone[-1] is not None)


def _object(node: Node) -> bool:
    names = node.children[::2]
    return all(map(_is_utf8, names)) and all(a < b for a, b in pairwise(names))


_DTYPE = re.compile(r"[<>|]([biufcSUmM])(\d{1,9})(\[(?:[1-9]\d{0,9})?(?:Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?", re.ASCII)
_WIDTHS = {"b": (1,), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8), "f": (2, 4, 8), "c": (8, 16), "m": (8,), "M": (8,)}
_MOST_DIMENSIONS = 64
_UCS4 = 4


def _array(node: Node) -> bool:
    """Whether an array has no more and no fewer items than its shape says."""
    written, shape, _, data = node.head
    dtype = _DTYPE.fullmatch(written)
    if dtype is None or len(shape) > _MOST_DIMENSIONS or any(length < 0 for length in shape):
        return False
    kind, width, unit = dtype[1], int(dtype[2]), dtype[3]
    if not width or width not in _WIDTHS.get(kind, (width,)) or (unit and kind not in "mM"):
        return False
    size = len(data) // 4 * 3 - data.count("=", -2)
    fits = _items(shape, size) * width * (_UCS4 if kind == "U" else 1) == size
    return fits and _comes_back(["bytes", data])


def _items(shape: list[int], at_most: int) -> int:
    """How many items there are, or more than `at_most`."""
    items = 0 if 0 in shape else 1
    for length in shape:
        items *= length
        if items > at_most:
            break
    return items


_MORE: dict[str, Callable[[Node], bool]] = {
    "Fraction": _fraction,
    "deque": _deque,
    "zoned": _zoned,
    "object": _object,
    "ndarray": _array,
    "pandas": lambda node: PARTS.get(node.head[0]) == len(node.children),
}
"""What the table does not say."""
_BELOW = {
    tag: () if isinstance(kind.below, str) else [tags and tags.split("|") for tags in kind.below]
    for tag, kind in KINDS.items()
}
_EXACT = frozenset(tag for tag, kind in KINDS.items() if kind.exact)
_PLAIN = frozenset(
    tag for tag, kind in KINDS.items() if not kind.head and isinstance(kind.below, str) and tag not in _MORE
)
"""Of which there is nothing but what is below them."""
