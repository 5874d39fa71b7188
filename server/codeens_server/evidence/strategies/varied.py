"""Inputs of the size and form of known ones that nobody has seen: one value inside is another one."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, TypeAlias

from codeens_sandbox_backends.programs import CallInput, Encoded
from codeens_sandbox_backends.values.check import DICTS, SCALAR, open_node

_MOST_LEAVES = 2_000
_DEEPEST = 8
_CLASSES = ("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789")
_ITEMS = frozenset({"list", "tuple", "deque", "iter", "namedtuple"})
_PAIRS = DICTS | {"object"}
_COMPOUND = _ITEMS | _PAIRS
_Rebuild: TypeAlias = Callable[[Encoded], Encoded]


def varied(call: CallInput, chance: random.Random) -> CallInput | None:
    """Return the call with one number or text inside an argument changed a little; None where there is none to change.

    Args:
        call: a known one.
        chance: decides which value, and to what.
    """
    leaves = list(islice(leaves_of(call), _MOST_LEAVES))
    if not leaves:
        return None
    leaf, rebuild = chance.choice(leaves)
    return rebuild(_another(leaf, chance))


def leaves_of(call: CallInput) -> Iterator[tuple[Any, Callable[[Encoded], CallInput]]]:
    """Yield numbers and texts inside the arguments, each with what makes the call with another one in its place."""
    for index, value in enumerate(call.args):
        yield from ((leaf, _at(call, index, rebuild)) for leaf, rebuild in _leaves(value, 0))
    for name, value in call.kwargs.items():
        yield from ((leaf, _named(call, name, rebuild)) for leaf, rebuild in _leaves(value, 0))


def _at(call: CallInput, index: int, rebuild: _Rebuild) -> Callable[[Encoded], CallInput]:
    return lambda new: CallInput(args=(*call.args[:index], rebuild(new), *call.args[index + 1 :]), kwargs=call.kwargs)


def _named(call: CallInput, name: str, rebuild: _Rebuild) -> Callable[[Encoded], CallInput]:
    return lambda new: CallInput(args=call.args, kwargs=call.kwargs | {name: rebuild(new)})


def _leaves(encoded: Any, depth: int) -> Iterator[tuple[Any, _Rebuild]]:
    """Yield numbers and texts, each with what puts another one in its place; keys of mappings stay."""
    node = open_node(encoded)
    if node.tag == SCALAR:
        if _can_change(node.head[0]):
            yield node.head[0], lambda new: new
        return
    if depth >= _DEEPEST or node.tag not in _COMPOUND:
        return
    for place in range(1 + len(node.head), len(encoded)):
        inner = encoded[place][1] if node.tag in _PAIRS else encoded[place]
        for leaf, rebuild in _leaves(inner, depth + 1):
            yield leaf, _inside(encoded, place, rebuild, is_pair=node.tag in _PAIRS)


def _inside(encoded: Any, place: int, rebuild: _Rebuild, *, is_pair: bool) -> _Rebuild:
    def put(new: Encoded) -> Encoded:
        item = [encoded[place][0], rebuild(new)] if is_pair else rebuild(new)
        return [*encoded[:place], item, *encoded[place + 1 :]]

    return put


def _can_change(value: Any) -> bool:
    if isinstance(value, str):
        return any(char in letters for char in value for letters in _CLASSES)
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _another(value: Any, chance: random.Random) -> Encoded:
    """Return a value of about the same size and of the same form."""
    if isinstance(value, str):
        places = [at for at, char in enumerate(value) if any(char in letters for letters in _CLASSES)]
        at = chance.choice(places)
        letters = next(letters for letters in _CLASSES if value[at] in letters)
        return value[:at] + chance.choice(letters.replace(value[at], "")) + value[at + 1 :]
    step = chance.randint(1, max(1, int(abs(value)) // 50)) if abs(value) < 1 << 50 else 1
    return value + step if value >= 0 else value - step
