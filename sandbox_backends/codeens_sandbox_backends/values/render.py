"""Encoded values as a person reads them: on one line, bounded while they are made, without control characters."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from itertools import islice
from typing import Any, NamedTuple, TypeAlias, cast

from codeens_sandbox_backends.values.nodes import DICTS, SCALAR, Node, open_node

_LONGEST_NUMBER = 100


class Text(NamedTuple):
    """Shown as it is."""

    text: str


Piece: TypeAlias = Any
"""A `Text`, or a tree that is still to be shown."""


def shown_pieces(pieces: list[Piece], limit: int) -> str:
    """Texts and trees one after the other, cut at `limit` characters."""
    shown: list[str] = []
    length = 0
    todo = list(reversed(pieces))
    while todo and length <= limit:
        piece = todo.pop()
        if isinstance(piece, Text):
            shown.append(piece.text)
            length += len(piece.text)
        else:
            todo.extend(reversed(_pieces(open_node(piece), limit)))
    return cut("".join(shown), limit)


def cut(text: str, limit: int) -> str:
    """At most so many characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def one_line(text: str) -> str:
    """Without line ends and control characters."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[:1000])


def short_name(qualified: str) -> str:
    """The last part of `module:Outer.name`."""
    return one_line(qualified.rpartition(":")[2].rpartition(".")[2][:100])


def joined(groups: Iterable[tuple[Piece, ...]]) -> list[Piece]:
    """With commas between."""
    pieces = [piece for group in groups for piece in (Text(", "), *group)]
    return pieces[1:]


def _pieces(node: Node, limit: int) -> list[Piece]:
    """What to show for one level; of long levels only as much as can be seen."""
    if node.tag == SCALAR:
        value = node.head[0]
        return [Text(repr(value[: limit + 1] if isinstance(value, str) else value))]
    items = joined((child,) for child in islice(node.children, limit))
    match node.tag:
        case "list":
            return [Text("["), *items, Text("]")]
        case "tuple":
            return [Text("("), *items, Text(",)" if len(node.children) == 1 else ")")]
        case "set" | "frozenset":
            inner = [Text("{"), *items, Text("}")] if items else []
            return inner if items and node.tag == "set" else [Text(f"{node.tag}("), *inner, Text(")")]
        case "deque":
            size = "" if node.head[0] is None else f", maxlen={node.head[0]}"
            return [Text("deque(["), *items, Text(f"]{size})")]
        case tag if tag in _CALL_LIKE:
            return _call_like(node, items)
        case "object":
            fields = joined((Text(f"{one_line(name)}="), value) for name, value in islice(node.pairs, limit))
            return [Text(f"{short_name(node.head[0])}("), *fields, Text(")")]
        case "iter":
            return [Text(f"<{short_name(node.head[0])} of ["), *_unfinished(node, items), Text("]>")]
        case tag if tag in DICTS:
            return _dict_pieces(node, limit)
        case _:
            return [Text(_leaf(node, limit))]


_CALL_LIKE = frozenset({"Fraction", "range", "slice", "complex", "timezone"}) | {
    *("namedtuple", "exception", "flags", "pandas", "zoned")
}


def _call_like(node: Node, items: list[Piece]) -> list[Piece]:
    if node.tag == "zoned":
        zone, moment = node.children
        return [moment, Text(f".replace(fold={node.head[0]}, tzinfo="), zone, Text(")")]
    name = short_name(node.head[0]) if node.head else node.tag
    return [Text(f"{name}("), *items, Text(")")]


def _unfinished(node: Node, items: list[Piece]) -> list[Piece]:
    more = bool(node.children) and node.children[-1] == ["more"]
    return [*items[:-1], Text("…")] if more and items else items


def _dict_pieces(node: Node, limit: int) -> list[Piece]:
    entries = joined((key, Text(": "), value) for key, value in islice(node.pairs, limit))
    inner: list[Piece] = [Text("{"), *entries, Text("}")]
    if node.tag == "dict":
        return inner
    factory = f"{short_name(node.head[0])}, " if node.head and node.head[0] else ""
    return [Text(f"{node.tag}({factory}"), *inner, Text(")")]


def _leaf(node: Node, limit: int) -> str:
    head = node.head
    match node.tag:
        case "int" | "str" | "bytes" | "bytearray":
            return _payload(node.tag, head[0], limit)
        case "float":
            return one_line(head[0][:10])
        case "path" if isinstance(head[0], list):
            return f"Path({_payload('str', cast('list[str]', head[0])[-1], limit)})"
        case "Decimal" | "uuid" | "path" | "zoneinfo":
            kind = {"uuid": "UUID", "path": "Path", "zoneinfo": "ZoneInfo"}.get(node.tag, node.tag)
            return f"{kind}({head[0][:limit]!r})"
        case "date" | "time" | "datetime":
            return f"{node.tag}.fromisoformat({head[0][:limit]!r})"
        case "timedelta":
            return f"timedelta(days={head[0]}, seconds={head[1]}, microseconds={head[2]})"
        case "enum":
            return f"{short_name(head[0])}.{one_line(head[1])}"
        case "ndarray":
            return f"<ndarray {one_line(head[0])} {'x'.join(map(str, head[1]))}>"
        case "type":
            return short_name(head[0])
        case "function":
            return f"<function {short_name(head[0])}>"
        case "ellipsis" | "notimplemented":
            return "..." if node.tag == "ellipsis" else "NotImplemented"
        case _:
            return "<unreadable value>"


def _payload(tag: str, written: str, limit: int) -> str:
    try:
        if tag == "int":
            if len(written) <= _LONGEST_NUMBER:
                return str(int(written, 16))
            return f"{'-' * written.startswith('-')}0x{written.lstrip('-')[:limit]}"
        if tag == "str":
            return repr(bytes.fromhex(written).decode("utf-8", "surrogatepass")[: limit + 1])
        shown = repr(base64.b64decode(written[: 4 * limit], validate=True))
    except (ValueError, binascii.Error):
        return "<unreadable value>"
    return shown if tag == "bytes" else f"bytearray({shown})"
