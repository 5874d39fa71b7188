"""The tree format: what goes in comes out, with exact types, and the rest is refused."""

from __future__ import annotations

import collections
import datetime
import decimal
import enum
import fractions
import json
import pathlib
import random
import re
import uuid
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
from codeens_sandbox_backends.conduct.trees import well_formed
from codeens_sandbox_backends.player.codec import Undecodable, Unencodable, canonical, decode, encode
from codeens_sandbox_backends.player.decoding import is_mutable
from codeens_sandbox_backends.player.encoding import MAX_DEPTH, MAX_ITERATED, MAX_SIZE
from hypothesis import given, settings
from hypothesis import strategies as st

Scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(1 << 80), max_value=1 << 80)
    | st.floats()
    | st.text()
    | st.text(st.characters(categories=("Cs", "Ll")))
    | st.binary()
    | st.complex_numbers()
)
Hashables = st.recursive(Scalars, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=5)
Values: st.SearchStrategy[Any] = st.recursive(
    Scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(Hashables, inner, max_size=4)
        | st.tuples(inner)
        | st.sets(Hashables, max_size=4)
        | st.builds(collections.deque, st.lists(inner, max_size=3))
        | st.builds(bytearray, st.binary())
    ),
    max_leaves=12,
)


class Colour(enum.Enum):
    RED = "r"


class Point(NamedTuple):
    x: int
    y: Any


@dataclass(frozen=True)
class Frozen:
    number: int
    items: list[int] = field(default_factory=list[int])


class Slotted:
    __slots__ = ("__hidden", "shown", "unset")

    def __init__(self) -> None:
        self.shown = 1
        self.__hidden = [2]

    def hidden(self) -> list[int]:
        return self.__hidden


class Mixed(Slotted):
    def __init__(self) -> None:
        super().__init__()
        self.more = {"a": 1}


class Oops(Exception):
    pass


class Liar:
    """Every question about it is an error."""

    def __init__(self) -> None:
        self.value = 1

    def _asked(self, *_: object) -> Any:
        raise AssertionError("the codec asked a candidate's object")

    __eq__ = __hash__ = __len__ = __iter__ = __repr__ = __str__ = __bool__ = __getattr__ = __reduce_ex__ = _asked


class MyList(list[int]):
    pass


class MyInt(int):
    pass


class MyDict(dict[str, int]):
    pass


class Dice(random.Random):
    pass


def through_json(tree: Any) -> Any:
    return json.loads(json.dumps(tree))


def without_order(value: Any) -> Any:
    """`repr` tells exact types, signed zeros and nan apart; only the order of sets is not told."""
    if isinstance(value, (set, frozenset)):
        return (type(value).__name__, sorted(repr(without_order(item)) for item in value))  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - any items
    if isinstance(value, (list, tuple, collections.deque)):
        return (type(value).__name__, [without_order(item) for item in value])  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - any items
    if isinstance(value, dict):
        return ("dict", [(without_order(key), without_order(item)) for key, item in value.items()])  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - any items
    return repr(value)


@given(Values)
@settings(max_examples=150, deadline=None)
def test_values_of_builtin_types_come_back_exactly(value: Any) -> None:
    tree = through_json(encode(value))
    assert without_order(decode(tree, classes=False)) == without_order(value)
    assert well_formed(tree)
