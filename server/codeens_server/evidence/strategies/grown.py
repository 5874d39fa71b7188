"""Inputs of the form of a known one, of any size: what containers hold is multiplied, and varied."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from codeens_sandbox_backends.programs import CallInput, Encoded
from codeens_sandbox_backends.values.check import SCALAR, open_node
from codeens_server.evidence.strategies.varied import varied

_SEQUENCES = frozenset({"list", "tuple", "deque"})
_MAPPINGS = frozenset({"dict", "OrderedDict", "Counter"})


def size_of(call: CallInput) -> int:
    """Return how many items the largest argument has; 0 where none can be grown."""
    return max((_length(value) for value in (*call.args, *call.kwargs.values())), default=0)


def filled(call: CallInput) -> int:
    """Return how many arguments have anything to grow."""
    return sum(_length(value) > 0 for value in (*call.args, *call.kwargs.values()))


def grown(call: CallInput, size: int, seed: str) -> CallInput | None:
    """Return a call of the same form whose containers and texts hold `size` items; where it has none, its numbers are.

    Args:
        call: a known one; what is empty in it stays empty.
        size: items of each container.
        seed: decides what they are.

    Returns:
        None where nothing in it can be grown.
    """
    chance = random.Random(f"{seed}:{size}")  # noqa: S311
    values = [*call.args, *call.kwargs.values()]
    grow = _grow if any(map(_length, values)) else _as_number
    made = [grow(value, size, chance) for value in values]
    if made == values:
        return None
    named = dict(zip(call.kwargs, made[len(call.args) :], strict=True))
    return CallInput(args=tuple(made[: len(call.args)]), kwargs=named)


def _length(encoded: Encoded) -> int:
    node = open_node(encoded)
    if node.tag == SCALAR:
        return len(node.head[0]) if isinstance(node.head[0], str) else 0
    return len(encoded) - 1 - len(node.head) if node.tag in _SEQUENCES | _MAPPINGS | {"set", "frozenset"} else 0


def _as_number(encoded: Encoded, size: int, _: random.Random) -> Encoded:
    return size if type(encoded) is int and encoded > 0 else encoded


def _grow(encoded: Any, size: int, chance: random.Random) -> Encoded:
    node = open_node(encoded)
    if not _length(encoded):
        return encoded
    if node.tag == SCALAR:
        return "".join(chance.choice(node.head[0]) for _ in range(size))
    head, items = encoded[: 1 + len(node.head)], encoded[1 + len(node.head) :]
    if node.tag in _MAPPINGS:
        keys = _distinct([pair[0] for pair in items], size, chance)
        return [*head, *([key, _another(chance.choice(items)[1], size, chance)] for key in keys)]
    if node.tag in {"set", "frozenset"}:
        return [*head, *_distinct(items, size, chance)]
    made = [_another(chance.choice(items), size, chance) for _ in range(size)]
    return [*head, *(_in_order(made) if items == _in_order(items) and len(items) > 2 else made)]


def _another(item: Encoded, size: int, chance: random.Random) -> Encoded:
    """Return a value like one of the items; numbers spread as there are more of them, so that few are equal."""
    for kind, spread in _SPREAD.items():
        if isinstance(item, kind):
            return spread(item, size, chance)
    changed = varied(CallInput(args=(item,)), chance)
    return item if changed is None else changed.args[0]


def _spread_int(value: int, size: int, chance: random.Random) -> int:
    return value + chance.randint(0, size) if value >= 0 else value - chance.randint(0, size)


def _spread_text(value: str, size: int, chance: random.Random) -> str:
    return value + format(chance.randint(0, size), "x") if value else value


_SPREAD: Mapping[type[Any], Callable[[Any, int, random.Random], Encoded]] = {
    bool: lambda _, __, chance: chance.random() < 0.5,
    int: _spread_int,
    float: lambda value, size, chance: value + chance.uniform(0.0, size),
    str: _spread_text,
}


def _distinct(items: Sequence[Encoded], size: int, chance: random.Random) -> list[Encoded]:
    """Return at most `size` different values; where they cannot be told apart as scalars, only those that are known."""
    if not all(type(item) in {int, str, float} for item in items):
        return list(items)
    made = {_another(chance.choice(items), 4 * size, chance): None for _ in range(2 * size)}
    return list(made)[:size]


def _in_order(items: Sequence[Any]) -> list[Any]:
    for kind in (int, float, str):
        if all(type(item) is kind for item in items):
            return sorted(items)
    return list(items)
