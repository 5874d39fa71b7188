"""Values of every type that has an encoding, nested, for property tests."""

from __future__ import annotations

import collections
import datetime as dt
import decimal
import enum
import pathlib
import string
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from hypothesis import strategies as st

Any_ = st.SearchStrategy[Any]
CHARACTERS = st.characters(exclude_categories=["Cs"])
"""What UTF-8 can write; asked for it by that name, Hypothesis takes seconds to find out in a new home."""


class Colour(enum.Enum):
    RED = "r"
    DARK_RED = 3


class Level(enum.IntEnum):
    LOW = 1


class Mode(enum.Flag):
    READ = 1
    WRITE = 2
    RUN = 4


class Point(NamedTuple):
    x: Any
    y: Any


@dataclass
class Box:
    content: Any
    size: Any = None


class Slotted:
    __slots__ = ("left", "right")

    def __init__(self, left: Any, right: Any) -> None:
        self.left = left
        self.right = right


_ZONES = st.none() | st.timezones() | st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=-3), "named")])
_TIMES = st.times(timezones=_ZONES.filter(lambda zone: not hasattr(zone, "key"))) | st.times()
_EDGES: list[Any] = [
    0,
    0.0,
    -0.0,
    1,
    1.0,
    True,
    False,
    "1",
    b"1",
    2**53,
    -(2**53),
    2**53 - 1,
    float("nan"),
    1j,
    "\ud800",
]
SCALARS: Any_ = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(_EDGES),
    st.integers(),
    st.integers(min_value=-(1 << 80), max_value=1 << 80),
    st.floats(),
    st.complex_numbers(),
    st.text(CHARACTERS, max_size=8),
    st.text(st.characters(categories=("Cs", "Ll")), max_size=4),
    st.binary(max_size=8),
)
MOMENTS: Any_ = st.one_of(
    st.dates(), _TIMES, st.datetimes(timezones=_ZONES), st.timedeltas(), st.timezones(), st.just(dt.UTC)
)
_ATOMS: Any_ = st.one_of(
    SCALARS,
    MOMENTS,
    st.decimals(),
    st.builds(decimal.Decimal, st.from_regex(r"-?[0-9]{1,30}E[+-]?[0-9]{1,3}", fullmatch=True)),
    st.fractions(),
    st.uuids(),
    st.builds(range, st.integers(), st.integers(), st.integers(min_value=1) | st.integers(max_value=-1)),
    st.text(string.ascii_letters + "/. é\udcff", max_size=6).map(pathlib.Path),
    st.sampled_from([..., NotImplemented, Colour.RED, Level.LOW, Mode.READ, Mode.READ | Mode.RUN, Mode(0), int, len]),
)


@st.composite
def _drawn(draw: st.DrawFn, strategy: list[Any_]) -> Any:
    """From the strategy in the list, which is not written out each time that it is spoken of."""
    return draw(strategy[0])


class _Hidden(list[Any_]):
    def __repr__(self) -> str:
        return "…"


ATOMS = _drawn(_Hidden([_ATOMS]))
_HASHABLES: Any_ = st.recursive(
    ATOMS.filter(lambda value: not (isinstance(value, decimal.Decimal) and value.is_snan())),
    lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3) | st.builds(Point, inner, inner),
    max_leaves=4,
)
HASHABLES = _drawn(_Hidden([_HASHABLES]))
_deque: Callable[..., Any] = collections.deque


def _containers(inner: Any_) -> Any_:
    pairs = st.dictionaries(HASHABLES, inner, max_size=3)
    return st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=3).map(tuple),
        pairs,
        pairs.map(lambda items: collections.OrderedDict(items)),
        pairs.map(lambda items: collections.defaultdict(list, items)),
        st.sets(HASHABLES, max_size=4),
        st.builds(_deque, st.lists(inner, max_size=3), st.sampled_from([None, 3, 1 << 60])),
        st.builds(bytearray, st.binary(max_size=8)),
        st.dictionaries(st.text(CHARACTERS, max_size=3), st.integers(), max_size=3).map(
            lambda items: collections.Counter(items)
        ),
        st.builds(slice, inner, inner, inner),
        st.builds(Point, inner, inner),
        st.builds(Box, inner, inner),
        st.builds(Slotted, inner, inner),
        st.builds(ValueError, inner),
    )


VALUES: Any_ = st.recursive(ATOMS, _containers, max_leaves=10)
NUMBERS: Any_ = st.one_of(st.integers(-3, 3), st.sampled_from([*_EDGES[:10], Fraction(1), decimal.Decimal(1)]))
"""Values that are often equal to one another, and often of different types."""
