"""Compares and shows encoded values, which may come from hostile code.

Nothing here recurses, so that no depth of a tree can end the judge, and texts are bounded while they are made.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

from codeens_sandbox_backends.base import CallInput, Died, Outcome, Raised, Returned, TimedOut, Tree, Unencodable
from codeens_sandbox_backends.values.nodes import SCALAR, SETS, UNORDERED_DICTS, UNREADABLE, Node, digest, open_node
from codeens_sandbox_backends.values.render import Piece, Text, cut, joined, one_line, short_name, shown_pieces

_LONGEST_PLAIN = 1000
_PLAIN = frozenset({str, int, bool, type(None)})

# Comparing ----------------------------------------------------------------------------------------------------------


def canonical(tree: Tree) -> str:
    """A text that is equal for equal values only; long parts are replaced by their digest.

    The order of dicts (not of an OrderedDict) and of sets does not count, types do; nan equals nan.
    """
    done: list[str] = []
    todo: list[tuple[Node | None, Tree]] = [(None, tree)]
    while todo:
        node, current = todo.pop()
        if node is None:
            node = open_node(current)
            todo.append((node, None))
            todo.extend((None, child) for child in reversed(node.children))
        else:
            start = len(done) - len(node.children)
            done[start:] = [_canonical_node(node, done[start:])]
    return done[0]


def _canonical_node(node: Node, parts: list[str]) -> str:
    if node.tag == SCALAR:
        text = json.dumps(node.head[0])
        return text if len(text) <= _LONGEST_PLAIN else digest(text)
    if node.tag in UNORDERED_DICTS:
        pairs = sorted(zip(parts[::2], parts[1::2], strict=True))
        parts = [text for pair in pairs for text in pair]
    elif node.tag in SETS:
        parts = sorted(parts)
    text = f"{node.tag}{_written(node)}({','.join(parts)})"
    return text if len(text) <= _LONGEST_PLAIN else digest(text)


def _written(node: Node) -> str:
    """What stands on a node beside its tag; how an array lies in memory does not count."""
    head = (*node.head[:2], node.head[3]) if node.tag == "ndarray" else node.head
    return json.dumps(head) if head else ""


def canonical_call(call: CallInput) -> str:
    """`canonical` of all arguments; the order of keywords does not count."""
    return canonical(_tree_of(call))


def _tree_of(call: CallInput) -> Tree:
    return ["tuple", ["tuple", *call.args], ["dict", *([name, value] for name, value in call.kwargs.items())]]


Match: TypeAlias = Callable[[Node, Node], list[tuple[Tree, Tree]] | None]
"""What must match below two nodes for them to match; None when they do not."""


def all_match(a: Tree, b: Tree, match: Match) -> bool:
    """Whether two trees match from top to bottom. Ends at the first difference, however large the rest is."""
    todo = [(a, b)]
    while todo:
        left, right = todo.pop()
        below = match(open_node(left), open_node(right))
        if below is None:
            return False
        todo += below
    return True


def same(a: Tree, b: Tree, *, tolerance: float | None = None) -> bool:
    """Whether two encoded values are equal, types included; with `tolerance`, floats only relatively and absolutely."""
    return all_match(a, b, partial(match_exactly, tolerance=tolerance))


def match_exactly(left: Node, right: Node, *, tolerance: float | None = None) -> list[tuple[Tree, Tree]] | None:
    """The `Match` of `same`. What is unreadable matches nothing."""
    if tolerance is not None and left.is_float and right.is_float:
        close = math.isclose(left.head[0], right.head[0], rel_tol=tolerance, abs_tol=tolerance)
        return [] if close else None
    if left.tag == UNREADABLE or left.tag != right.tag or _written(left) != _written(right):
        return None
    if left.tag in UNORDERED_DICTS:
        return pair_by_key(left, right, canonical)
    if left.tag in SETS and len(left.children) == len(right.children):
        return pair_up(sorted(left.children, key=in_order), sorted(right.children, key=in_order))
    pairs = pair_up(left.children, right.children)
    return pairs and [(ours, theirs) for ours, theirs in pairs if not _plainly_same(ours, theirs)]


def _plainly_same(a: Tree, b: Tree) -> bool:
    """Whether two trees are the same scalar other than a float: most of a large value, which need not be opened."""
    return type(a) is type(b) and type(a) in _PLAIN and a == b and not (isinstance(a, int) and abs(a) >= 2**53)


def in_order(tree: Tree) -> tuple[float, str]:
    """Sorts items of a set so that nearly equal numbers stand at the same place."""
    number = isinstance(tree, (int, float)) and not isinstance(tree, bool) and abs(tree) < 2**53
    return (float(tree), "") if number else (math.inf, canonical(tree))


def pair_up(left: Sequence[Tree], right: Sequence[Tree]) -> list[tuple[Tree, Tree]] | None:
    """Items side by side; None when there are more on one side."""
    return list(zip(left, right, strict=True)) if len(left) == len(right) else None


def pair_by_key(left: Node, right: Node, key: Callable[[Tree], str]) -> list[tuple[Tree, Tree]] | None:
    """Values of two dicts side by side; None when their keys differ."""
    if len(left.children) != len(right.children):
        return None
    ours, theirs = _by_key(left, key), _by_key(right, key)
    if ours.keys() != theirs.keys() or any(len(ours[name]) != len(theirs[name]) for name in ours):
        return None
    return [pair for name in ours for pair in zip(ours[name], theirs[name], strict=True)]


def _by_key(node: Node, key: Callable[[Tree], str]) -> dict[str, list[Tree]]:
    """Values by key; more than one where different keys have the same tree, as two nan have."""
    values: dict[str, list[Tree]] = {}
    for name, value in node.pairs:
        values.setdefault(key(name), []).append(value)
    return {name: sorted(same, key=in_order) if len(same) > 1 else same for name, same in values.items()}


def outcome_key(outcome: Outcome) -> str:
    """A text that is equal when two calls did the same, as far as it can be seen from outside.

    Of an exception only the type counts; of a hung or dead process only that it was one.
    """
    match outcome:
        case Returned():
            return f"returned {canonical(outcome.value)} {canonical_call(_arguments_after(outcome))}"
        case Raised():
            return f"raised {outcome.type}"
        case Unencodable():
            return f"unencodable {outcome.type} {outcome.where}"
        case TimedOut():
            return "timeout"
        case Died():
            return f"died {outcome.reason}"


def _arguments_after(outcome: Returned | Raised) -> CallInput:
    return CallInput(args=outcome.args, kwargs=outcome.kwargs)


def same_outcome(a: Outcome, b: Outcome, *, value_only: bool = False) -> bool:
    """Whether two outcomes are evidence of equal behaviour; with `value_only`, arguments afterwards do not count.

    Both returned equal values and left equal arguments, or both raised the same type. No answer, a dead process and a
    value without an exact encoding are never equal to anything: they prove nothing.
    """
    if isinstance(a, Raised) and isinstance(b, Raised):
        return a.type == b.type
    if not (isinstance(a, Returned) and isinstance(b, Returned)) or not same(a.value, b.value):
        return False
    return value_only or same(_tree_of(_arguments_after(a)), _tree_of(_arguments_after(b)))


# Showing ------------------------------------------------------------------------------------------------------------


def render(tree: Tree, limit: int = 200) -> str:
    """The value as Python would show it, on one line, cut at `limit` characters."""
    return shown_pieces([tree], limit)


def render_call(name: str, call: CallInput, limit: int = 300) -> str:
    """A call as one would write it: `f([1, 2], key='a')`."""
    return shown_pieces([Text(f"{name}("), *_arguments(call), Text(")")], limit)


def render_outcome(outcome: Outcome, *, arguments: bool = False, limit: int = 200) -> str:
    """What a call did, in words; with `arguments`, also how it left them."""
    match outcome:
        case Returned():
            shown = render(outcome.value, limit)
            return f"{shown}, leaving {render_call('', _arguments_after(outcome), limit)}" if arguments else shown
        case Raised():
            message = f": {outcome.message}" if outcome.message else ""
            return cut(f"raises {short_name(outcome.type)}{one_line(message)}", limit)
        case Unencodable():
            return f"<{short_name(outcome.type)} in {one_line(outcome.where)}, which has no exact encoding>"
        case TimedOut():
            return f"no answer within {outcome.seconds:g} s ({outcome.limit} limit)"
        case Died():
            detail = f": {outcome.detail}" if outcome.detail else ""
            return cut(f"the process ended ({outcome.reason}){one_line(detail)}", limit)


def render_outcome_pair(a: Outcome, b: Outcome) -> tuple[str, str]:
    """Two outcomes that differ, in words; the arguments they left are shown where only those differ."""
    arguments = isinstance(a, Returned) and isinstance(b, Returned) and same(a.value, b.value)
    return render_outcome(a, arguments=arguments), render_outcome(b, arguments=arguments)


def _arguments(call: CallInput) -> list[Piece]:
    named = [(Text(f"{one_line(name)}="), value) for name, value in call.kwargs.items()]
    return joined([*((value,) for value in call.args), *named])
