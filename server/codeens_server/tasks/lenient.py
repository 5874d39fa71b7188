"""Compares what a function returned with what a task file expects, where JSON and YAML have fewer types than Python.

What the file cannot say is not demanded: a list also stands for a tuple, and for a set where the reference solution
returns one; a number stands for the int and the float of that value; a text key of an object also stands for the
number, truth value or None that JSON writes so. What it can say is demanded: true is not 1, "1" is not 1, null is only
None. Of two floats the last digits do not count, at any size: they are equal to one part in 10⁹. Integers are equal or
not, also where one is written as a float.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import partial

from codeens_sandbox_backends.programs import Encoded
from codeens_sandbox_backends.values.check import DICTS, SCALAR, SETS, Node, open_node
from codeens_sandbox_backends.values.compare import all_match, canonical, in_order, match_exactly, pair_by_key, pair_up

_TOLERANCE = 1e-9
_EXACT_FLOATS = 2.0**53
"""From here on every float is an integer, and rounding makes others of them."""
_ORDERED = frozenset({"list", "tuple", "deque"})


def matches(expected: Encoded, returned: Encoded, *, unit: float = 1.0) -> bool:
    """Return whether a returned value is what a task file means by `expected` (the file's value, encoded).

    Args:
        expected: what the file says; sets in it are from `typed_as`.
        returned: what came.
        unit: what is a thousand million times smaller is nothing beside a zero.
    """
    return all_match(expected, returned, partial(_match, unit=unit))


def typed_as(expected: Encoded, reference: Encoded) -> Encoded:
    """Return a file's value with sets in the places where the reference solution's value has sets."""
    ours, theirs = open_node(expected), open_node(reference)
    if ours.tag != "list" or len(ours.children) != len(theirs.children):
        return _dict_typed_as(expected, ours, theirs)
    if theirs.tag in SETS:
        items = zip(sorted(ours.children, key=in_order), sorted(theirs.children, key=in_order), strict=True)
        return [theirs.tag, *(typed_as(*pair) for pair in items)]
    if theirs.tag in _ORDERED:
        return ["list", *(typed_as(*pair) for pair in zip(ours.children, theirs.children, strict=True))]
    return expected


def smallest_size(values: Sequence[Encoded]) -> float:
    """Return the size of the smallest float in these values that is not zero; 1.0 where none is smaller."""
    smallest, todo = 1.0, list(values)
    while todo:
        node = open_node(todo.pop())
        if node.is_float and node.head[0]:
            smallest = min(smallest, abs(node.head[0]))
        todo.extend(node.children)
    return smallest


def _dict_typed_as(expected: Encoded, ours: Node, theirs: Node) -> Encoded:
    if ours.tag != "dict" or theirs.tag not in DICTS:
        return expected
    values = {_key(name): value for name, value in theirs.pairs}
    return ["dict", *([name, typed_as(value, values.get(_key(name), value))] for name, value in ours.pairs)]


def _match(expected: Node, returned: Node, unit: float) -> list[tuple[Encoded, Encoded]] | None:
    numbers = _number(expected), _number(returned)
    if numbers[0] is not None and numbers[1] is not None:
        return [] if _same_number(numbers[0], numbers[1], unit) else None
    if expected.tag == "list" and returned.tag in _ORDERED:
        return pair_up(expected.children, returned.children)
    if expected.tag in SETS and returned.tag in SETS:
        return pair_up(sorted(expected.children, key=in_order), sorted(returned.children, key=in_order))
    if expected.tag == "dict" and returned.tag in DICTS:
        return pair_by_key(expected, returned, _key)
    return match_exactly(expected, returned)


def _same_number(expected: float, returned: float, unit: float) -> bool:
    if expected == returned or isinstance(expected, int):
        return expected == returned
    if _is_integer(expected) and _is_integer(returned):
        return False
    try:
        if expected == 0.0:
            return abs(returned) <= _TOLERANCE * unit
        return math.isclose(expected, returned, rel_tol=_TOLERANCE)
    except OverflowError:  # an int beyond all floats
        return False


def _is_integer(number: float) -> bool:
    """Whether a number is written to be an integer: an int, or a float of a size at which others are none."""
    return isinstance(number, int) or (number.is_integer() and 0 < abs(number) < _EXACT_FLOATS)


def _number(node: Node) -> float | None:
    """Return the number that a node is; None where it is none."""
    if node.tag == "int":
        return int(node.head[0], 16)
    number = node.head[0] if node.tag == SCALAR else None
    return number if isinstance(number, (int, float)) and not isinstance(number, bool) else None


def _key(tree: Encoded) -> str:
    """A key as JSON would write it: all of JSON's keys are texts."""
    node = open_node(tree)
    if node.tag == SCALAR and not isinstance(node.head[0], str):
        return canonical(json.dumps(node.head[0]))
    return canonical(tree)
