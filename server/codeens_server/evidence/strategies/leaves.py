"""Hypothesis strategies for encoded plain values and for containers of them.

Everything drawn is a tree (see the codec), never an object. Sizes are mixed: mostly small edge cases, some of a few
hundred elements, since the same inputs are used for timing. Floats are finite: NaN and infinities would make most
rewrites of arithmetic differ where nobody cares.
"""

from __future__ import annotations

import ast
import base64
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from codeens_sandbox_backends.base import Tree
from codeens_sandbox_backends.values.compare import canonical
from codeens_sandbox_backends.values.nodes import SCALAR, open_node
from codeens_server.parsing import ParseFailure, parse

Trees: TypeAlias = "SearchStrategy[Tree]"

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_PRINTABLE = "".join(map(chr, range(32, 127)))
_BEYOND = "\t\n\r\0éßñçÅİ\u0131\u017fΩжשع中日한😀👩\u0301\u200d\u2028\u00a0"
"""Characters whose case, width or class is not what ASCII code expects."""
_WORDS = (
    "a",
    "b",
    "ab",
    "abc",
    "hello",
    "Hello World",
    "racecar",
    "level",
    "the quick brown fox",
    "x=1",
    "foo_bar",
    "A",
)
_FLOATS = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 0.1, 100.0, 1e-9, 1e9)
_CODES = 1 << 44
"""Numbers are made from one drawn code each: drawing in several steps takes several times as long."""
_SCATTER = 2_654_435_761
"""Spreads small codes over a large range (Knuth's multiplicative hashing)."""
_LONGEST_CONSTANT = 40
_LARGEST_CONSTANT = 1 << 40


class Leaves:
    """Strategies for plain values. Constants in the function's own text are among what they give."""

    def __init__(self, source: str = "") -> None:
        constants = list(_constants(source))
        ints = [c for c in constants if type(c) is int and abs(c) <= _LARGEST_CONSTANT]
        self._ints = sorted({number + step for number in ints for step in (-1, 0, 1)})
        self._floats = [*_FLOATS, *(c for c in constants if type(c) is float and math.isfinite(c))]
        self._texts = [c for c in constants if type(c) is str and len(c) <= _LONGEST_CONSTANT]

    def ints(self) -> Trees:
        return st.integers(0, _CODES).map(self.int_of)

    def int_of(self, code: int) -> int:
        """Mostly small integers and constants of the function; some large ones of both signs."""
        kind, number = code % 16, code // 16
        if kind < 6:
            return number % 11
        if kind < 9:
            return number % 41 - 10
        if kind < 11 and self._ints:
            return self._ints[number % len(self._ints)]
        if kind < 14:
            return number % 2_001 - 1_000
        return number % 100_001 if kind == 14 else number * _SCATTER % (2 << 40) - (1 << 40)

    def floats(self) -> Trees:
        return st.integers(0, _CODES).map(self.float_of)

    def float_of(self, code: int) -> float:
        """Mostly plain numbers and quarters; some with many digits, some large."""
        kind, number = code % 8, code // 8
        if kind < 3:
            return self._floats[number % len(self._floats)]
        if kind < 6:
            return (number % 2_001 - 1_000) / 4
        scattered = number * _SCATTER % (2 << 40) - (1 << 40)
        return scattered / (1 << 31) if kind == 6 else scattered / 3.0

    def texts(self, *, long: bool = True) -> Trees:
        words = st.sampled_from([*_WORDS, *self._texts])
        short = st.one_of(
            words,
            st.text("ab", max_size=6),
            st.text(_LETTERS + " ", max_size=20),
            st.text(_PRINTABLE, max_size=20),
            st.text("0123456789.-+ ", max_size=8),
            st.lists(words, max_size=5).map(" ".join),
            st.text(_PRINTABLE + _BEYOND, max_size=12),
        )
        return weighted((5, short), (1, st.text(_LETTERS + " \n", min_size=50, max_size=300))) if long else short

    def bytes(self, tag: str = "bytes") -> Trees:
        ascii_only = st.text(_PRINTABLE, max_size=20).map(lambda text: text.encode("ascii"))
        return st.one_of(st.binary(max_size=20), ascii_only, st.binary(min_size=50, max_size=200)).map(
            lambda data: [tag, base64.b64encode(data).decode("ascii")]
        )

    def plain(self) -> Trees:
        """Values of any plain type, for parameters of which no type is known."""
        scalars = st.one_of(self.ints(), self.texts(long=False), self.floats(), st.booleans(), st.none())
        return st.one_of(scalars, listed(self.ints()), listed(self.texts(long=False)), listed(scalars))


def _constants(source: str) -> Iterator[object]:
    """Literals in the function's text, docstrings left out."""
    tree = parse(source)
    if isinstance(tree, ParseFailure):
        return
    statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in statements:
            yield node.value


def weighted(*choices: tuple[int, Trees]) -> Trees:
    """One of several, each as often as its weight says: `st.one_of` flattens what is nested and drops repeats."""
    table = [strategy for weight, strategy in choices for _ in range(weight)]
    return st.integers(0, len(table) - 1).flatmap(table.__getitem__)


def kind_of(tree: Tree) -> str:
    """`int`, `str`, `NoneType`, … of what JSON says by itself; else the tag, in brackets where it is one of those."""
    node = open_node(tree)
    if node.tag == SCALAR:
        return type(node.head[0]).__name__
    return f"[{node.tag}]" if node.tag in {"int", "float", "str"} else node.tag


def tagged(tag: str) -> Callable[[Sequence[Tree]], Tree]:
    """Makes items the tree of a container."""
    return lambda items: [tag, *items]


def listed(element: Trees, tag: str = "list", *, large: bool = True) -> Trees:
    """Sequences of up to a few hundred elements; some sorted, some with many repeats."""
    small = st.lists(element, max_size=8)
    often = [(6, small), (2, small.map(_sorted)), (2, st.lists(element, max_size=30))]
    seldom = [
        (1, st.lists(element, min_size=40, max_size=300)),
        (1, st.tuples(small, st.integers(2, 30)).map(_repeated)),
    ]
    return weighted(*often, *(seldom if large else ())).map(tagged(tag))


def _repeated(drawn: tuple[list[Tree], int]) -> list[Tree]:
    items, times = drawn
    return items * times


def _sorted(items: list[Any]) -> list[Any]:
    """Sorted where the items are scalars of one type, else as they are."""
    for kind in (int, float, str):
        if all(type(item) is kind for item in items):
            return sorted(items)
    return items


def unique(element: Trees, tag: str = "set") -> Trees:
    """Sets, their items in canonical order."""
    small = st.lists(element, max_size=8, unique_by=canonical)
    large = st.lists(element, max_size=60, unique_by=canonical)
    return weighted((3, small), (1, large)).map(lambda items: [tag, *sorted(items, key=canonical)])


def mapped(key: Trees, value: Trees, tag: str = "dict") -> Trees:
    """Mappings; `tag` may be `OrderedDict` too."""
    pairs = st.tuples(key, value).map(list)
    small = st.lists(pairs, max_size=8, unique_by=_key_of)
    large = st.lists(pairs, min_size=10, max_size=60, unique_by=_key_of)
    return weighted((5, small), (1, large)).map(tagged(tag))


def _key_of(pair: list[Any]) -> str:
    return canonical(pair[0])
