"""Compares encoded values, which may come from hostile code: nothing recurses, so that no depth can end the judge."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

from codeens_sandbox_backends.programs import CallInput, Encoded
from codeens_sandbox_backends.values.check import (
    DICTS,
    SCALAR,
    SETS,
    UNREADABLE,
    Node,
    digest,
    is_exact_scalar,
    open_node,
)
from codeens_sandbox_backends.worker.values.codec import KINDS

_LONGEST_PLAIN = 1000
_CANONICAL = "canonical"
"""Under which a call carries its text along: it is asked for many times, and written once."""
_PLAIN = frozenset({str, int, bool, type(None)})
_UNORDERED_DICTS = frozenset(tag for tag in DICTS if KINDS[tag].unordered)


def canonical(encoded: Encoded, *, in_any_order: bool = False) -> str:
    """Return a text that is equal for equal values only; long parts are replaced by their digest.

    The order of dicts (not of an OrderedDict) and of sets does not count, types do; nan equals nan. With `in_any_order`
    the order of no items counts, nor that of words in texts.
    """
    written = _in_any_order if in_any_order else _canonical_node
    done: list[str] = []
    todo: list[tuple[Node | None, Encoded]] = [(None, encoded)]
    while todo:
        node, current = todo.pop()
        if node is None:
            node = open_node(current)
            if all(map(is_exact_scalar, node.children)):
                # Nearly all of what is compared: it need not be taken apart further.
                done.append(written(node, [written(Node(SCALAR, (child,)), []) for child in node.children]))
            else:
                todo.append((node, None))
                todo.extend((None, child) for child in reversed(node.children))
        else:
            start = len(done) - len(node.children)
            done[start:] = [written(node, done[start:])]
    return done[0]


def _canonical_node(node: Node, parts: list[str]) -> str:
    if node.tag == SCALAR:
        text = _scalar(node.head[0])
        return text if len(text) <= _LONGEST_PLAIN else digest(text)
    if node.tag in _UNORDERED_DICTS:
        pairs = sorted(zip(parts[::2], parts[1::2], strict=True))
        parts = [text for pair in pairs for text in pair]
    elif node.tag in SETS:
        parts = sorted(parts)
    text = f"{node.tag}{_written(node)}({','.join(parts)})"
    return text if len(text) <= _LONGEST_PLAIN else digest(text)


def _scalar(value: object) -> str:
    return _SCALARS.get(type(value), json.dumps)(value)


_SCALARS: dict[type, Callable[[Any], str]] = {
    str: json.encoder.encode_basestring_ascii,
    int: int.__repr__,
    float: float.__repr__,
    bool: lambda value: "true" if value else "false",
    type(None): lambda _: "null",
}
"""How JSON writes each: many times as fast as asking it which of them this is."""


def _in_any_order(node: Node, parts: list[str]) -> str:
    if node.tag == SCALAR and isinstance(node.head[0], str):
        return _canonical_node(Node(SCALAR, (" ".join(sorted(_WORD.findall(node.head[0]))),)), parts)
    is_sequence = node.tag in KINDS and KINDS[node.tag].below in ("items", "iterated")
    return _canonical_node(node, sorted(parts) if is_sequence else parts)


_WORD = re.compile(r"\w+|\W")


def _written(node: Node) -> str:
    """What stands on a node beside its tag, and counts."""
    kind = KINDS.get(node.tag)
    unseen = kind.unseen if kind else ()
    head = [part for place, part in enumerate(node.head) if place not in unseen] if unseen else node.head
    return json.dumps(head) if head else ""


def canonical_call(call: CallInput) -> str:
    """Return `canonical` of all arguments; the order of keywords does not count."""
    known = vars(call)
    if _CANONICAL not in known:
        known[_CANONICAL] = canonical(as_one(call))
    return known[_CANONICAL]


def as_one(call: CallInput) -> Encoded:
    """Return all arguments as one value."""
    return ["tuple", ["tuple", *call.args], ["dict", *([name, value] for name, value in call.kwargs.items())]]


Match: TypeAlias = Callable[[Node, Node], list[tuple[Encoded, Encoded]] | None]
"""What must match below two nodes for them to match; None when they do not."""


def all_match(a: Encoded, b: Encoded, match: Match) -> bool:
    """Return whether two encoded values match from top to bottom; the first difference ends it."""
    todo = [(a, b)]
    while todo:
        left, right = todo.pop()
        below = match(open_node(left), open_node(right))
        if below is None:
            return False
        todo += below
    return True


def same(a: Encoded, b: Encoded, *, tolerance: float | None = None) -> bool:
    """Return whether two encoded values are equal, types included; with `tolerance`, floats only nearly."""
    return all_match(a, b, partial(match_exactly, tolerance=tolerance))


def match_exactly(
    left: Node, right: Node, *, tolerance: float | None = None, ordered: bool = False
) -> list[tuple[Encoded, Encoded]] | None:
    """Match two nodes as `same` does; `ordered`: the order of dicts counts too. What is unreadable matches nothing."""
    if tolerance is not None and left.is_float and right.is_float:
        close = math.isclose(left.head[0], right.head[0], rel_tol=tolerance, abs_tol=tolerance)
        return [] if close else None
    if left.tag == UNREADABLE or left.tag != right.tag or _written(left) != _written(right):
        return None
    if left.tag in _UNORDERED_DICTS and not ordered:
        return pair_by_key(left, right, canonical)
    if left.tag in SETS and len(left.children) == len(right.children):
        return pair_up(sorted(left.children, key=in_order), sorted(right.children, key=in_order))
    pairs = pair_up(left.children, right.children)
    return pairs and [(ours, theirs) for ours, theirs in pairs if not _plainly_same(ours, theirs)]


def _plainly_same(a: Encoded, b: Encoded) -> bool:
    """Whether both are the same scalar other than a float: most of a large value, which need not be opened."""
    return type(a) is type(b) and type(a) in _PLAIN and a == b and is_exact_scalar(a)


def in_order(encoded: Encoded) -> tuple[float, str]:
    """Sort items of a set so that nearly equal numbers stand at the same place."""
    number = isinstance(encoded, (int, float)) and not isinstance(encoded, bool) and is_exact_scalar(encoded)
    return (float(encoded), "") if number else (math.inf, canonical(encoded))


def pair_up(left: Sequence[Encoded], right: Sequence[Encoded]) -> list[tuple[Encoded, Encoded]] | None:
    """Pair items side by side; None when there are more on one side."""
    return list(zip(left, right, strict=True)) if len(left) == len(right) else None


def pair_by_key(left: Node, right: Node, key: Callable[[Encoded], str]) -> list[tuple[Encoded, Encoded]] | None:
    """Pair values of two dicts side by side; None when their keys differ."""
    if len(left.children) != len(right.children):
        return None
    ours, theirs = _by_key(left, key), _by_key(right, key)
    if ours.keys() != theirs.keys() or any(len(ours[name]) != len(theirs[name]) for name in ours):
        return None
    return [pair for name in ours for pair in zip(ours[name], theirs[name], strict=True)]


def _by_key(node: Node, key: Callable[[Encoded], str]) -> dict[str, list[Encoded]]:
    """Values by key; more than one where different keys are encoded alike, as two nan have."""
    values: dict[str, list[Encoded]] = {}
    for name, value in node.pairs:
        values.setdefault(key(name), []).append(value)
    return {name: sorted(same, key=in_order) if len(same) > 1 else same for name, same in values.items()}
