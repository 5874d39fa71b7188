"""Encoded values as a person reads them: on one line, bounded while they are made, without control characters.

How a value of a kind is shown stands in the table; where it depends on what is in the value, here.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, NamedTuple, TypeAlias, cast

from codeens_sandbox_backends.base import CallInput, Died, Encoded, Outcome, Raised, Returned, TimedOut, Unencodable
from codeens_sandbox_backends.values.check import SCALAR, UNREADABLE, Node, open_node
from codeens_sandbox_backends.values.compare import arguments_after, same
from codeens_sandbox_backends.worker.values.codec import KINDS
from codeens_sandbox_backends.worker.values.grammar import Form, Kind

_LONGEST_NUMBER = 100
_UNREADABLE = "<unreadable value>"


class Text(NamedTuple):
    """Shown as it is."""

    text: str


Piece: TypeAlias = Any
"""A `Text`, or an encoded value that is still to be shown."""


def render(encoded: Encoded, limit: int = 200) -> str:
    """Return the value as Python would show it, on one line, cut at `limit` characters."""
    return _shown([encoded], limit)


def render_call(name: str, call: CallInput, limit: int = 300) -> str:
    """Return a call as one would write it: `f([1, 2], key='a')`."""
    named = [(Text(f"{_one_line(name)}="), value) for name, value in call.kwargs.items()]
    arguments = _joined([*((value,) for value in call.args), *named])
    return _shown([Text(f"{name}("), *arguments, Text(")")], limit)


def render_outcome(outcome: Outcome, *, arguments: bool = False, limit: int = 200) -> str:
    """Say what a call did; with `arguments`, also how it left them."""
    match outcome:
        case Returned():
            shown = render(outcome.value, limit)
            return f"{shown}, leaving {render_call('', arguments_after(outcome), limit)}" if arguments else shown
        case Raised():
            message = f": {outcome.message}" if outcome.message else ""
            return _cut(f"raises {_short_name(outcome.type)}{_one_line(message)}", limit)
        case Unencodable():
            return f"<{_short_name(outcome.type)} in {_one_line(outcome.where)}, which has no exact encoding>"
        case TimedOut():
            return f"no answer within {outcome.seconds:g} s ({outcome.limit} limit)"
        case Died():
            detail = f": {outcome.detail}" if outcome.detail else ""
            return _cut(f"the process ended ({outcome.reason}){_one_line(detail)}", limit)


def render_outcome_pair(a: Outcome, b: Outcome) -> tuple[str, str]:
    """Say what two outcomes that differ are; the arguments they left are shown where only those differ."""
    arguments = isinstance(a, Returned) and isinstance(b, Returned) and same(a.value, b.value)
    return render_outcome(a, arguments=arguments), render_outcome(b, arguments=arguments)


def _shown(pieces: list[Piece], limit: int) -> str:
    """Texts and values one after the other, cut at `limit` characters."""
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
    return _cut("".join(shown), limit)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _one_line(text: str) -> str:
    """The text without line ends and control characters."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[:1000])


def _short_name(qualified: str) -> str:
    """The last part of `module:Outer.name`."""
    return _one_line(qualified.rpartition(":")[2].rpartition(".")[2][:100])


def _joined(groups: Iterable[tuple[Piece, ...]]) -> list[Piece]:
    """Groups with commas between."""
    pieces = [piece for group in groups for piece in (Text(", "), *group)]
    return pieces[1:]


def _pieces(node: Node, limit: int) -> list[Piece]:
    """What to show for one level; of long levels only as much as can be seen."""
    if node.tag == SCALAR:
        value = node.head[0]
        return [Text(repr(value[: limit + 1] if isinstance(value, str) else value))]
    if node.tag == UNREADABLE:
        return [Text(_UNREADABLE)]
    kind = KINDS[node.tag]
    if node.tag in _PAYLOADS:
        return [Text(_payload(node.tag, node.head[0], limit))]
    return [piece for part in _PLACES.split(_template(node, kind)) for piece in _part(part, node, kind, limit)]


_PLACES = re.compile(r"(\$[0-9*])")


def _template(node: Node, kind: Kind) -> str:
    match node.tag:
        case "tuple":
            return "($*,)" if len(node.children) == 1 else "($*)"
        case "set" if node.children:
            return "{$*}"
        case "frozenset" if node.children:
            return "frozenset({$*})"
        case "deque" if node.head[0] is None:
            return "deque([$*])"
        case "iter" if node.head[1] and not node.children:
            return "<$1 of […]>"
        case "iter" if node.head[1]:
            return "<$1 of [$*, …]>"
        case _:
            return kind.shown or f"{node.tag}($*)"


def _part(part: str, node: Node, kind: Kind, limit: int) -> list[Piece]:
    """What stands for a part of a template."""
    if not _PLACES.fullmatch(part):
        return [Text(part)]
    if part != "$*":
        place = int(part[1:]) - 1
        if place >= len(kind.head):
            return [node.children[place - len(kind.head)]]
        return [Text(_written(node.head[place], kind.head[place], limit))]
    if kind.below == "pairs":
        return _joined((key, Text(": "), value) for key, value in islice(node.pairs, limit))
    if kind.below == "fields":
        return _joined((Text(f"{_one_line(name)}="), value) for name, value in islice(node.pairs, limit))
    return _joined((child,) for child in islice(node.children, limit))


def _written(value: Any, form: Form, limit: int) -> str:
    """What is written on a node, according to its form."""
    match form, value:
        case ("name" | "factory", str()):
            return _short_name(value)
        case "text", str():
            return repr(value[: limit + 1])
        case "shape", _:
            return "x".join(map(str, islice(cast("list[int]", value), limit)))
        case "bound", [_, digits]:  # an int that JSON does not hold
            return _payload("int", digits, limit)
        case _:
            return _one_line(str(value)[: limit + 1])


def _payload(tag: str, written: str, limit: int) -> str:
    try:
        return _PAYLOADS[tag](written, limit)
    except ValueError:
        return _UNREADABLE


def _int(written: str, limit: int) -> str:
    if len(written) <= _LONGEST_NUMBER:
        return str(int(written, 16))
    return f"{'-' * written.startswith('-')}0x{written.lstrip('-')[:limit]}"


def _bytes(written: str, limit: int) -> str:
    return repr(base64.b64decode(written[: 4 * limit], validate=True))


_PAYLOADS: dict[str, Callable[[str, int], str]] = {
    "int": _int,
    "str": lambda written, limit: repr(bytes.fromhex(written).decode("utf-8", "surrogatepass")[: limit + 1]),
    "bytes": _bytes,
    "bytearray": lambda written, limit: f"bytearray({_bytes(written, limit)})",
}
"""What is not written as it is meant."""
