"""Comparison is exact: it agrees with an independent reading of the values themselves."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codeens_sandbox_backends.values.compare import canonical, same
from codeens_sandbox_backends.worker.values.codec import encode
from tests.sandbox_backends.values import NUMBERS, VALUES

_type_of: Callable[[Any], Any] = type
FEW: st.SearchStrategy[Any] = st.recursive(
    NUMBERS,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.lists(inner, max_size=2).map(tuple)
        | st.dictionaries(NUMBERS, inner, max_size=2)
        | st.sets(NUMBERS, max_size=2)
        | st.frozensets(NUMBERS, max_size=2)
    ),
    max_leaves=3,
)
"""Small values of few numbers, of which two are often nearly equal."""


def exactly_equal(a: Any, b: Any) -> bool:
    """Equality of plain values with types: nan equals nan, and zeros have a sign."""
    kind = _type_of(a)
    if kind is not _type_of(b):
        return False
    if kind is float:
        return a == b and math.copysign(1, a) == math.copysign(1, b) if a == a else b != b
    if kind in (list, tuple):
        return len(a) == len(b) and all(exactly_equal(x, y) for x, y in zip(a, b, strict=True))
    if kind in (set, frozenset):
        return len(a) == len(b) and _matched(list(a), list(b))
    if kind is dict:
        return len(a) == len(b) and _matched(list(a.items()), list(b.items()))
    return bool(a == b)


def _matched(left: list[Any], right: list[Any]) -> bool:
    """Whether each item has one of its own on the other side."""
    for item in left:
        twin = next((place for place, other in enumerate(right) if exactly_equal(item, other)), None)
        if twin is None:
            return False
        del right[twin]
    return not right


@given(FEW, FEW)
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_two_values_are_the_same_when_they_are_equal_with_types(a: Any, b: Any) -> None:
    expected = exactly_equal(a, b)
    assert same(encode(a), encode(b)) is expected
    assert (canonical(encode(a)) == canonical(encode(b))) is expected


@given(VALUES)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_value_is_the_same_as_itself(value: Any) -> None:
    assert same(encode(value), encode(value))
