"""Inputs that are one step smaller than a given one, of the same types."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeAlias

from codeens_sandbox_backends.base import CallInput, Tree
from codeens_sandbox_backends.values.compare import canonical
from codeens_sandbox_backends.values.nodes import DICTS, SCALAR, SETS, Node, open_node

_DEEPEST = 10
_MOST_ITEMS = 32
"""Items of one container that are made smaller one by one; more of them are only dropped."""

_Steps: TypeAlias = Callable[[Tree, int], Iterator[Tree]]


def smaller_calls(call: CallInput, most: int) -> list[CallInput]:
    """At most `most` calls with one thing dropped or made smaller, the boldest steps of each argument first.

    No argument is dropped. The length of a tuple, the keys of a dict and the state of an object but for its texts stay:
    they may be what makes the input a valid one.
    """
    steps = [_smaller(tree, 0) for tree in call.args]
    positional = (
        CallInput(args=(*call.args[:index], tree, *call.args[index + 1 :]), kwargs=call.kwargs)
        for index, trees in enumerate(steps)
        for tree in trees
    )
    named = (
        CallInput(args=call.args, kwargs=call.kwargs | {name: tree})
        for name, value in call.kwargs.items()
        for tree in _smaller(value, 0)
    )
    share = most // 2 if call.args and call.kwargs else most
    return [*islice(positional, share), *islice(named, share)]


def _smaller(tree: Tree, depth: int) -> Iterator[Tree]:
    node = open_node(tree)
    if node.tag == SCALAR:
        yield from _smaller_scalar(node.head[0])
    elif depth >= _DEEPEST:
        return
    elif node.tag in {"list", "deque"} | SETS:
        yield from (_rebuilt(node, kept) for kept in _shortened(node.children))
        yield from (_rebuilt(node, children) for children in _one_smaller(node.children, depth, _smaller))
    elif node.tag in DICTS:
        yield from (_rebuilt(node, kept) for kept in _shortened([list(pair) for pair in node.pairs]))
        yield from _smaller_values(node, depth, _smaller)
    elif node.tag in {"tuple", "namedtuple"}:
        yield from (_rebuilt(node, children) for children in _one_smaller(node.children, depth, _smaller))
    else:
        yield from _shorter_texts(tree, depth)


def _shorter_texts(tree: Tree, depth: int) -> Iterator[Tree]:
    """What is inside an object may belong together: there only texts are made shorter."""
    node = open_node(tree)
    if node.tag == SCALAR and isinstance(node.head[0], str):
        yield from _smaller_scalar(node.head[0])
    elif depth < _DEEPEST and node.tag in {"list", "deque", "tuple", "namedtuple"}:
        yield from (_rebuilt(node, children) for children in _one_smaller(node.children, depth, _shorter_texts))
    elif depth < _DEEPEST and node.tag in DICTS | {"object"}:
        yield from _smaller_values(node, depth, _shorter_texts)


def _smaller_scalar(value: Any) -> Iterator[Tree]:
    if isinstance(value, bool):
        yield from (False,) * value
    elif isinstance(value, int):
        sign = 1 if value > 0 else -1
        steps = (0, sign, sign * (abs(value) // 2), value - sign)
        yield from (step for step in dict.fromkeys(steps) if abs(step) < abs(value))
    elif isinstance(value, float):
        steps = (0.0, 1.0, float(int(value)), round(value, 1))
        yield from (step for step in dict.fromkeys(steps) if _length(step) < _length(value))
    elif isinstance(value, str):
        yield from ("".join(kept) for kept in _shortened(value))
        yield from (plain for plain in ("a" * len(value), value.lower()) if plain != value)


def _length(number: float) -> tuple[int, float]:
    return len(repr(number)), abs(number)


def _shortened(items: Sequence[Any]) -> Iterator[list[Any]]:
    """Without all of them, without halves, without quarters, … without single ones."""
    size = len(items)
    while size > 0:
        for start in range(0, len(items), size):
            yield [*items[:start], *items[start + size :]]
        size //= 2


def _one_smaller(trees: Sequence[Tree], depth: int, smaller: _Steps) -> Iterator[list[Tree]]:
    for index, tree in enumerate(trees[:_MOST_ITEMS]):
        yield from ([*trees[:index], other, *trees[index + 1 :]] for other in smaller(tree, depth + 1))


def _smaller_values(node: Node, depth: int, smaller: _Steps) -> Iterator[Tree]:
    keys = [key for key, _ in node.pairs]
    for values in _one_smaller([value for _, value in node.pairs], depth, smaller):
        yield _rebuilt(node, [[key, value] for key, value in zip(keys, values, strict=True)])


def _rebuilt(node: Node, children: list[Tree]) -> Tree:
    """The node with other children; a set has each only once."""
    if node.tag in SETS:
        children = list({canonical(child): child for child in children}.values())
    return [node.tag, *node.head, *children]
