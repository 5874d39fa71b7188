"""Hypothesis strategies for encoded plain values and for containers of them.

Everything drawn is a tree (see the codec), never an object. Sizes are mixed: mostly small edge cases, some of a few
hundred elements, since the same inputs are used for timing. Floats are finite: NaN and infinities would make most
rewrites of arithmetic differ where nobody cares.
"""

from __future__ import annotations

import ast
import base64
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias, cast

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from codeens_sandbox_backends.base import Tree

Trees: TypeAlias = "SearchStrategy[Tree]"

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_PRINTABLE = "".join(map(chr, range(32, 127)))
_BEYOND = "\t\n\r\0éßñçÅİıſΩжשع中日한😀👩\u0301\u200d\u2028\u00a0"
_WORDS = ("a", "b", "ab", "abc", "hello", "Hello World", "racecar", "level", "the quick brown fox", "x=1", "foo_bar", "A")
_LONGEST_CONSTANT = 40
_LARGEST_CONSTANT = 1 << 40
_EXACT_FLOAT = 1 << 53


class Leaves:
    """Strategies for plain values. Constants in the function's own text are among what they give."""

    def __init__(self, source: str = "") -> None:
        constants = list(_constants(source))
        self._ints = [c for c in constants if type(c) is int and abs(c) <= _LARGEST_CONSTANT]
        self._floats = [c for c in constants if type(c) is float]
        self._texts = [c for c in constants if type(c) is str and len(c) <= _LONGEST_CONSTANT]

    def ints(self) -> Trees:
        near = sorted({value + step for value in self._ints for step in (-1, 0, 1)})
        return st.one_of(
            st.integers(0, 10),
            st.integers(-10, 30),
            *([st.sampled_from(near)] if near else []),
            st.integers(-1_000, 1_000),
            st.integers(0, 100_000),
            st.integers(-(1 << 40), 1 << 40),
        )

    def floats(self) -> Trees:
        plain = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 0.1, 100.0, 1e-9, 1e9, *self._floats]
        return st.one_of(
            st.sampled_from(plain),
            st.integers(-1_000, 1_000).map(lambda n: n / 4),
            st.floats(-1_000, 1_000),
            st.floats(-1e12, 1e12),
        )

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
        return st.one_of(short, short, short, st.text(_LETTERS + "  \n", min_size=50, max_size=300)) if long else short

    def bytes(self, tag: str = "bytes") -> Trees:
        ascii_only = st.text(_PRINTABLE, max_size=20).map(lambda text: text.encode("ascii"))
        return st.one_of(st.binary(max_size=20), ascii_only, st.binary(min_size=50, max_size=200)).map(
            lambda data: [tag, base64.b64encode(data).decode("ascii")]
        )

    def plain(self) -> Trees:
        """Values of any plain type, for parameters of which no type is known."""
        scalars = st.one_of(self.ints(), self.texts(long=False), self.floats(), st.booleans(), st.none())
        return st.one_of(scalars, listed(self.ints()), listed(self.texts(long=False)), listed(scalars))


def encoded_int(value: int) -> Tree:
    """As the codec writes integers."""
    return value if abs(value) < _EXACT_FLOAT else ["int", hex(value)]


def _constants(source: str) -> Iterator[object]:
    """Literals in the function's text, docstrings left out."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in statements:
            yield node.value


def canonical(tree: Tree) -> str:
    """The same text for the same tree."""
    return json.dumps(tree, sort_keys=True, separators=(",", ":"))


def tagged(tag: str) -> Callable[[Sequence[Tree]], Tree]:
    """Makes items the tree of a container."""
    return lambda items: [tag, *items]


def listed(element: Trees, tag: str = "list", *, large: bool = True) -> Trees:
    """Sequences of up to a few hundred elements; some sorted, some with many repeats."""
    small = st.lists(element, max_size=8)
    shapes = [small, small, small.map(_sorted), st.lists(element, max_size=30)]
    if large:
        shapes += [st.lists(element, min_size=40, max_size=300), st.tuples(small, st.integers(2, 30)).map(_repeated)]
    return st.one_of(shapes).map(tagged(tag))


def _repeated(drawn: tuple[list[Tree], int]) -> list[Tree]:
    items, times = drawn
    return items * times


def _sorted(items: list[Tree]) -> list[Tree]:
    """Sorted where the items are scalars of one type, else as they are."""
    kinds = {type(item) for item in items}
    if len(kinds) == 1 and kinds <= {int, float, str}:
        return sorted(items)
    return items


def unique(element: Trees, tag: str = "set") -> Trees:
    """Sets, their items in canonical order."""
    sizes = st.one_of(
        st.lists(element, max_size=8, unique_by=canonical), st.lists(element, max_size=60, unique_by=canonical)
    )
    return sizes.map(lambda items: [tag, *sorted(items, key=canonical)])


def mapped(key: Trees, value: Trees, tag: str = "dict") -> Trees:
    """Mappings; `tag` may be `OrderedDict` too."""
    pairs = st.tuples(key, value).map(list)
    small = st.lists(pairs, max_size=8, unique_by=_key_of)
    return st.one_of(small, small, st.lists(pairs, min_size=10, max_size=60, unique_by=_key_of)).map(tagged(tag))


def _key_of(pair: list[Any]) -> str:
    return canonical(cast("Tree", pair[0]))
