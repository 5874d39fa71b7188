"""Compares what two calls did: result, arguments, which objects are one and the same, and all that was left behind."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any, TypeAlias

import msgspec

from codeens_sandbox_backends.programs import CallInput, Died, Encoded, Outcome, Raised, Returned, TimedOut, Unencodable
from codeens_sandbox_backends.values.check import Node, open_node
from codeens_sandbox_backends.values.compare import all_match, as_one, canonical, match_exactly

RESULT, ARGUMENTS, ATTRIBUTES = "result", "arguments", "attributes of the exception"
ORDER, IDENTITY = "order of dicts", "identity"
PARTS = frozenset({RESULT, ARGUMENTS, ATTRIBUTES, ORDER, IDENTITY})
"""What is no channel of effects."""
_OF_SENT = frozenset({"sent", "thrown into"})
"""Channels of a generator to which values are sent."""
_HELD = "held"
_OWN = "own attribute"
"""Begins channels of attributes that a function has set on itself."""
EFFECTS = "effects"
"""Stands for all that `differing` tells apart, but for `RESULT` and `ARGUMENTS`."""
ITEMS = "order of items"
"""Of the result: where it does not count, what has the same items in another order, or the same words in a text, is
the same."""
_Known: TypeAlias = Returned | Raised
_LABELS = frozenset({"shared", "ref"})
_MOST_UNLABELLED = 300_000
"""Nodes of two values without their labels: such a value can hold another one many times."""


def outcome_key(outcome: Outcome, uncompared: Collection[str] = ()) -> str:
    """Return a text that is equal when two calls did the same, as far as it can be seen from outside.

    Of a hung or dead process counts only that it was one; of effects all that is not in `uncompared`.
    """
    match outcome:
        case Returned() | Raised():
            kind = f"raised {outcome.type}" if isinstance(outcome, Raised) else "returned"
            left = {} if EFFECTS in uncompared else outcome.effects
            effects = [(name, canonical(value)) for name, value in sorted(left.items()) if name not in uncompared]
            return f"{kind} {canonical(_all_of(outcome))} {effects}"
        case Unencodable():
            return f"unencodable {outcome.type} {outcome.where}"
        case TimedOut():
            return "timeout"
        case Died():
            return f"died {outcome.reason}"


def arguments_after(outcome: Returned | Raised) -> CallInput:
    """Return the arguments as a call left them."""
    return CallInput(args=outcome.args, kwargs=outcome.kwargs)


def differing(expected: Outcome, got: Outcome) -> frozenset[str]:
    """Return what differs between what two calls did: the names above, and channels of effects.

    Of an exception its type is the result. `ORDER` is that of dicts, `IDENTITY` which mutable objects
    are one and the same; both only where arguments and result are equal but for that. No answer, a dead process and a
    value without an exact encoding are never equal to anything: they prove nothing.
    """
    if not isinstance(expected, (Returned, Raised)) or not isinstance(got, (Returned, Raised)):
        return frozenset({RESULT})
    return _values(expected, got) | _channels(expected, got)


def same_outcome(a: Outcome, b: Outcome, *, value_only: bool = False, uncompared: Collection[str] = ()) -> bool:
    """Return whether two outcomes show equal behaviour.

    Args:
        a: What one call did.
        b: What another did.
        value_only: Whether only what is returned or raised counts.
        uncompared: What does not count, of what `differing` tells apart; or `EFFECTS`.
    """
    found = differing(a, b)
    if ITEMS in uncompared and RESULT in found and same_in_any_order(a, b):
        found -= {RESULT}
    if value_only:
        return RESULT not in found
    if EFFECTS in uncompared:
        return found.isdisjoint({RESULT, ARGUMENTS})
    return found <= set(uncompared)


def same_in_any_order(a: Outcome, b: Outcome) -> bool:
    """Return whether two results have the same items and words; see `ITEMS`."""
    if not isinstance(a, Returned) or not isinstance(b, Returned):
        return False
    return canonical(a.value, in_any_order=True) == canonical(b.value, in_any_order=True)


def _values(a: _Known, b: _Known) -> frozenset[str]:
    ours, theirs = _all_of(a), _all_of(b)
    if (a.type if isinstance(a, Raised) else "") != (b.type if isinstance(b, Raised) else ""):
        same_arguments = _same_unlabelled(ours[1], theirs[1], _labelled(ours), _labelled(theirs))
        return frozenset({RESULT} if same_arguments else {RESULT, ARGUMENTS})
    if msgspec.json.encode(ours) == msgspec.json.encode(theirs) or _Identities().match_all(ours, theirs):
        return frozenset()
    here, there = _labelled(ours), _labelled(theirs)
    names = (ARGUMENTS, RESULT if isinstance(a, Returned) else ATTRIBUTES)
    parts = zip(names, ours[1:], theirs[1:], strict=True)
    found = {what for what, left, right in parts if not _same_unlabelled(left, right, here, there)}
    if not found:
        if not _Identities(ordered=False).match_all(ours, theirs):
            found.add(IDENTITY)
        if not _same_unlabelled(ours, theirs, here, there, ordered=True):
            found.add(ORDER)
    return frozenset(found)


def _channels(a: _Known, b: _Known) -> frozenset[str]:
    """Return the effects that differ. What was seen to change and could not be encoded is equal to nothing.

    Nobody sends anything to a generator that ignores it, so that what another one does with that is no difference. Nor
    does anybody read an attribute of a function that only another implementation sets. One may hold fewer arguments.
    """
    both = a.effects.keys() & b.effects.keys()
    unequal = set[str]()
    unasked = _OF_SENT if _OF_SENT.isdisjoint(a.effects) else frozenset[str]()
    if both and a.effects != b.effects:
        identities = _Identities(ordered=False)
        identities.match_all(_all_of(a), _all_of(b))
        unequal = {name for name in both - {_HELD} if not identities.match_all(a.effects[name], b.effects[name])}
    further = {name for name in b.effects.keys() - a.effects.keys() if name.startswith(_OWN)}
    further_held = frozenset({_HELD}) if _held(b) - _held(a) else frozenset[str]()
    other = a.effects.keys() ^ (b.effects.keys() - unasked - further)
    return frozenset({*a.unseen, *b.unseen} | unequal | (other - {_HELD}) | further_held)


def _held(outcome: _Known) -> set[int]:
    """Return the places of arguments that somebody holds after the call."""
    return {place for place in open_node(outcome.effects.get(_HELD, ["list"])).children if isinstance(place, int)}


def _all_of(outcome: _Known) -> list[Encoded]:
    """Return arguments and result, in the order in which their objects get labels."""
    if isinstance(outcome, Returned):
        return ["tuple", as_one(arguments_after(outcome)), outcome.value]
    attributes = sorted(outcome.attributes.items())
    return ["tuple", as_one(arguments_after(outcome)), ["dict", *([name, value] for name, value in attributes)]]


class _Identities:
    """Matches values with their labels: where one holds an object twice, so must the other."""

    def __init__(self, *, ordered: bool = True) -> None:
        self._exactly = partial(match_exactly, ordered=ordered)
        self._paired = set[tuple[Any, Any]]()
        self._met_again = set[tuple[Any, Any]]()

    def match_all(self, a: Encoded, b: Encoded) -> bool:
        """Return whether two values match, in which labels of values that were matched before hold too."""
        return all_match(a, b, self._match) and self._met_again <= self._paired

    def _match(self, left: Node, right: Node) -> list[tuple[Encoded, Encoded]] | None:
        if left.tag == right.tag == "ref":
            self._met_again.add((left.head[0], right.head[0]))
            return []
        if left.tag == right.tag == "shared":
            self._paired.add((left.head[0], right.head[0]))
        return self._exactly(_inside(left), _inside(right))


def _inside(node: Node) -> Node:
    """Return what has the label; what is met again in one value only is found to be missing in the other there."""
    return open_node(node.children[0]) if node.tag == "shared" else node


def _same_unlabelled(
    a: Encoded, b: Encoded, here: dict[Any, Encoded], there: dict[Any, Encoded], *, ordered: bool = False
) -> bool:
    """Return whether two values are equal when an object that is met again is only its value."""
    todo, left = [(a, b)], _MOST_UNLABELLED
    while todo and left:
        left -= 1
        ours, theirs = todo.pop()
        node, other = unlabelled(open_node(ours), here), unlabelled(open_node(theirs), there)
        below = None if node is None or other is None else match_exactly(node, other, ordered=ordered)
        if below is None:
            return False
        todo += below
    return not todo


def labelled_in(outcome: Returned | Raised) -> dict[Any, Encoded]:
    """Return the objects of arguments and result that are met again, by their labels."""
    return _labelled(_all_of(outcome))


def _labelled(encoded: Encoded) -> dict[Any, Encoded]:
    """Return what has a label, by it."""
    found: dict[Any, Encoded] = {}
    todo = [encoded]
    while todo:
        node = open_node(todo.pop())
        if node.tag == "shared":
            found[node.head[0]] = node.children[0]
        todo += node.children
    return found


def unlabelled(node: Node, known: Mapping[Any, Encoded]) -> Node | None:
    """Return what has the label that a node names, or the node; None where nothing has it."""
    if node.tag == "shared":
        return _unlabelled_child(node.children[0])
    if node.tag == "ref":
        return _unlabelled_child(known[node.head[0]]) if node.head[0] in known else None
    return node


def _unlabelled_child(encoded: Encoded) -> Node | None:
    """Return a value with a label, opened; no worker writes a label upon a label."""
    node = open_node(encoded)
    return None if node.tag in _LABELS else node
