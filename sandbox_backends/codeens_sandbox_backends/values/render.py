"""Encoded values as a person reads them: on one line, bounded while they are made, without control characters.

How a value of a kind is shown stands in the table; where it depends on what is in the value, here.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple, TypeAlias, cast

from codeens_sandbox_backends.programs import CallInput, Died, Encoded, Outcome, Raised, Returned, TimedOut, Unencodable
from codeens_sandbox_backends.values.check import SCALAR, UNREADABLE, Node, open_node
from codeens_sandbox_backends.values.compare import canonical
from codeens_sandbox_backends.values.heads import first_difference, head
from codeens_sandbox_backends.values.outcomes import (
    ARGUMENTS,
    ATTRIBUTES,
    IDENTITY,
    ORDER,
    PARTS,
    RESULT,
    arguments_after,
    differing,
    labelled_in,
    unlabelled,
)
from codeens_sandbox_backends.worker.values.codec import KINDS
from codeens_sandbox_backends.worker.values.grammar import Form, Kind

CUT = "…"
"""What stands at the end of a text that is longer than may be shown."""
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


def render_call(name: str, call: CallInput, limit: int = 300, known: Mapping[Any, Encoded] | None = None) -> str:
    """Return a call as one would write it: `f([1, 2], key='a')`."""
    named = [(Text(f"{_one_line(name)}="), value) for name, value in call.kwargs.items()]
    arguments = _joined([*((value,) for value in call.args), *named])
    return _shown([Text(f"{name}("), *arguments, Text(")")], limit, known)


def render_outcome(outcome: Outcome, *, arguments: bool = False, identity: bool = False, limit: int = 200) -> str:
    """Say what a call did; with `arguments`, also how it left them; with `identity`, which objects are the same."""
    match outcome:
        case Returned():
            known = None if identity else labelled_in(outcome)
            shown = _shown([outcome.value], limit, known)
            return shown + _leaving(outcome, known, limit) * arguments
        case Raised():
            message = f": {outcome.message}" if outcome.message else ""
            shown = _cut(f"raises {_short_name(outcome.type)}{_one_line(message)}", limit)
            return shown + _leaving(outcome, None if identity else labelled_in(outcome), limit) * arguments
        case Unencodable():
            return f"<{_short_name(outcome.type)} in {_one_line(outcome.where)}, which has no exact encoding>"
        case TimedOut():
            return f"no answer within {outcome.seconds:g} s ({outcome.limit} limit)"
        case Died():
            detail = f": {outcome.detail}" if outcome.detail else ""
            return _cut(f"the process ended ({outcome.reason}){_one_line(detail)}", limit)


def _leaving(outcome: Returned | Raised, known: Mapping[Any, Encoded] | None, limit: int) -> str:
    return f", leaving {render_call('', arguments_after(outcome), limit, known)}"


def render_outcome_pair(a: Outcome, b: Outcome, uncompared: Collection[str] = (), limit: int = 200) -> tuple[str, str]:
    """Say what two outcomes that differ are, so that it is seen in what: arguments and effects that they left are shown
    where only those differ.
    """
    found = differing(a, b) - set(uncompared)
    if RESULT in found or not (isinstance(a, (Returned, Raised)) and isinstance(b, (Returned, Raised))):
        shown = render_outcome(a, limit=limit), render_outcome(b, limit=limit)
        if shown[0] == shown[1] and isinstance(a, Returned) and isinstance(b, Returned):
            return _around_difference(a.value, b.value, limit)
    else:
        shown = _with_effects(a, found, limit), _with_effects(b, found, limit)
    if shown[0] == shown[1]:
        return _told_apart(a, b, shown[0], found)
    return shown


def _told_apart(a: Outcome, b: Outcome, shown: str, found: Collection[str]) -> tuple[str, str]:
    """Say in what outcomes differ whose texts are the same, for they are cut, or leave out a module."""
    if isinstance(a, Raised) and isinstance(b, Raised) and a.type != b.type:
        return f"{shown} ({_one_line(a.type)})", f"{shown} ({_one_line(b.type)})"
    if isinstance(a, (Returned, Raised)) and isinstance(b, (Returned, Raised)) and ARGUMENTS in found:
        ours, theirs = (["tuple", *each.args, *each.kwargs.values()] for each in (a, b))
        here, there = _around_difference(ours, theirs)
        return f"{shown}; in the arguments {here}", f"{shown}; in the arguments {there}"
    where = ", ".join(channel_words(channel) for channel in plainest(found)[:_MOST_CHANNELS])
    return shown, f"{shown}; another {where}" if where else shown


def _around_difference(a: Encoded, b: Encoded, limit: int = 200) -> tuple[str, str]:
    """Show two values whose heads are the same where they differ: arrays and tables from the row on, others at the
    place.
    """
    if (start := first_difference(a, b)) and head(a, start):
        return _cut(_one_line(head(a, start)), limit), _cut(_one_line(head(b, start)), limit)
    place, ours, theirs = _first_unequal(a, b)
    if not place:
        return render(a, limit), render(b, limit)
    where = ", ".join(str(index) for index in place)
    return f"at place {where}: {render(ours, limit)}", f"at place {where}: {render(theirs, limit)}"


def _first_unequal(a: Encoded, b: Encoded) -> tuple[list[int], Encoded, Encoded]:
    """Return where the first parts are, counted from 0 at each level, in which two values differ, and these."""
    place: list[int] = []
    while True:
        ours, theirs = open_node(a), open_node(b)
        if ours.tag != theirs.tag or len(ours.children) != len(theirs.children):
            return place, a, b
        pairs = enumerate(zip(ours.children, theirs.children, strict=True))
        index = next((index for index, (left, right) in pairs if canonical(left) != canonical(right)), None)
        if index is None:
            return place, a, b
        place.append(index)
        a, b = ours.children[index], theirs.children[index]


def _with_effects(outcome: Returned | Raised, differing: Collection[str], limit: int = 200) -> str:
    arguments = not {ARGUMENTS, IDENTITY}.isdisjoint(differing)
    parts = [render_outcome(outcome, arguments=arguments, identity=IDENTITY in differing, limit=limit)]
    if ATTRIBUTES in differing and isinstance(outcome, Raised):
        parts += [f"{_one_line(name)}={render(value, limit)}" for name, value in outcome.attributes.items()]
    channels = plainest(set(differing).difference(PARTS))[:_MOST_CHANNELS]
    return "; ".join([*parts, *(_effect(outcome, channel, limit) for channel in channels)])


def plainest(channels: Collection[str]) -> list[str]:
    """Return channels in order, without those that only follow from others."""
    direct = set(channels) - _FOLLOWING
    return sorted(direct or channels)


def _effect(outcome: Returned | Raised, channel: str, limit: int) -> str:
    """Say what a call did to a channel: `prints 'a'`, `m.SEEN: [1]`, `no files`."""
    name = channel_words(channel)
    if channel in outcome.unseen:
        return f"{name}: changed to what has no exact encoding"
    return f"{name}: {render(outcome.effects[channel], limit)}" if channel in outcome.effects else f"{name}: nothing"


def channel_words(channel: str) -> str:
    """Return what a channel of effects is called for people."""
    kind, _, name = channel.partition(" ")
    if kind == "inside":
        return f"what is inside of {channel_words(name)}"
    return _CHANNELS[channel] if channel in _CHANNELS else f"{_STATES.get(kind, kind)} {_one_line(name)}".strip()


_CHANNELS = {
    IDENTITY: "which objects are the same",
    ORDER: ORDER,
    ATTRIBUTES: ATTRIBUTES,
    "stdout": "printed text",
    "stderr": "text on stderr",
    "log": "log records",
    "warnings": "warnings",
    "environ": "environment variables",
    "files": "files",
    "kept": "what others still hold of the result",
    "held": "what it keeps of its arguments",
    "memory": "which arrays share memory",
    "again": "what the same call does next",
    "after another": "what the call does after another one",
    "re-entered": "what happens when what it calls makes the same call",
    "of subclasses": "what it does for a subclass",
    "keeps subclass": "what it does for a subclass",
    "elsewhere": "what it does in another time zone",
    "with variables": "what it does where environment variables are set",
    "replaced": "which parts of its arguments are new objects",
    "rebound": "which variables hold new objects",
    "iterated": "what happens step by step",
    "left early": "what happens when it is left early",
    "thrown into": "what happens when an exception is thrown into it",
    "handled": "what happens when what it handles is thrown into it",
    "sent": "what comes of values that are sent to it",
    "cwd": "working folder",
    "logging": "loggers and their handlers",
    "abstract classes": "classes registered with abstract ones",
    "codecs": "codecs and error handlers",
    "at exit": "functions called at exit",
    "threads": "threads left running",
    "child processes": "processes left running",
    "finalizers": "functions called when objects are gone",
    "modules": "entries of sys.modules",
    "random random": "state of random",
    "random numpy.random": "state of numpy.random",
}
_STATES = {
    "global": "module variable",
    "attribute": "name of another module",
    "class": "class attribute",
    "default": "default argument of",
}
_FOLLOWING = frozenset(
    {
        "again",
        "after another",
        "re-entered",
        "of subclasses",
        "keeps subclass",
        "elsewhere",
        "with variables",
        "left early",
        "iterated",
        "thrown into",
        "handled",
        "sent",
    }
)
_MOST_CHANNELS = 3


def _shown(pieces: list[Piece], limit: int, known: Mapping[Any, Encoded] | None = None) -> str:
    """Texts and values one after the other, cut at `limit` characters; `known` values stand for their labels."""
    shown: list[str] = []
    length = 0
    todo = list(reversed(pieces))
    while todo and length <= limit:
        piece = todo.pop()
        if not isinstance(piece, Text) and (text := head(piece)):
            piece = Text(_one_line(text))
        if isinstance(piece, Text):
            shown.append(piece.text)
            length += len(piece.text)
        else:
            node = open_node(piece)
            node = node if known is None else unlabelled(node, known) or node
            todo.extend(reversed(_pieces(node, limit)))
    return _cut("".join(shown), limit)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + CUT


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
        case "callback" if node.children[1] == ["list"]:
            return "<a function that returns one of $1>"
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
