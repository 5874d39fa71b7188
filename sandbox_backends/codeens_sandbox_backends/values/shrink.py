"""Inputs that are one step smaller than a given one, of the same types."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any

from codeens_sandbox_backends.programs import CallInput, Encoded
from codeens_sandbox_backends.values.check import DICTS, SCALAR, SETS, Node, open_node
from codeens_sandbox_backends.values.compare import canonical
from codeens_sandbox_backends.worker.values.codec import KINDS

_DEEPEST = 10
_MOST_ITEMS = 32
"""Items of one container that are made smaller one by one; more of them are only dropped."""


def smaller_calls(call: CallInput, most: int) -> list[CallInput]:
    """Return at most `most` calls with one thing dropped or made smaller, the boldest steps of each argument first.

    No argument is dropped. The length of a tuple, the keys of a dict and the state of an object but for its texts stay:
    they may be what makes the input a valid one.
    """
    steps = [_smaller(value, 0) for value in call.args]
    positional = (
        CallInput(args=(*call.args[:index], value, *call.args[index + 1 :]), kwargs=call.kwargs)
        for index, values in enumerate(steps)
        for value in values
    )
    named = (
        CallInput(args=call.args, kwargs=call.kwargs | {name: smaller})
        for name, value in call.kwargs.items()
        for smaller in _smaller(value, 0)
    )
    share = most // 2 if call.args and call.kwargs else most
    return [*islice(positional, share), *islice(named, share)]


def _smaller(encoded: Encoded, depth: int, *, texts_only: bool = False) -> Iterator[Encoded]:
    """Yield smaller values. What is inside an object may belong together: there only texts are made shorter."""
    node = open_node(encoded)
    if node.tag == SCALAR:
        if not texts_only or isinstance(node.head[0], str):
            yield from _smaller_scalar(node.head[0])
        return
    shrinks = KINDS[node.tag].shrinks if node.tag in KINDS else ""
    if depth >= _DEEPEST or not shrinks or (texts_only and node.tag in SETS):
        return
    if shrinks == "items" and not texts_only:
        items = [list(pair) for pair in node.pairs] if node.tag in DICTS else node.children
        yield from (_rebuilt(node, kept) for kept in _shortened(items))
    smaller = partial(_smaller, depth=depth + 1, texts_only=texts_only or shrinks == "texts")
    if KINDS[node.tag].below in ("pairs", "fields"):
        keys = [key for key, _ in node.pairs]
        for values in _one_smaller([value for _, value in node.pairs], smaller):
            yield _rebuilt(node, [[key, value] for key, value in zip(keys, values, strict=True)])
    else:
        yield from (_rebuilt(node, children) for children in _one_smaller(node.children, smaller))


def _smaller_scalar(value: Any) -> Iterator[Encoded]:
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


def _one_smaller(values: Sequence[Encoded], smaller: Callable[[Encoded], Iterator[Encoded]]) -> Iterator[list[Encoded]]:
    for place, value in enumerate(values[:_MOST_ITEMS]):
        yield from ([*values[:place], other, *values[place + 1 :]] for other in smaller(value))


def _rebuilt(node: Node, children: list[Encoded]) -> Encoded:
    """The node with other children; a set has each only once."""
    if node.tag in SETS:
        children = list({canonical(child): child for child in children}.values())
    return [node.tag, *node.head, *children]
