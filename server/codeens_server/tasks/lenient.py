"""Compares what a function returned with what a task file expects, where JSON and YAML have fewer types than Python.

What the file cannot say is not demanded: a list also stands for a tuple, and for a set in any order; a number stands
for the int and the float of that value, floats equal to one part in 10⁹; a text key of an object also stands for the
number, truth value or None that JSON writes so. What it can say is demanded: true is not 1, "1" is not 1, null is only
None.
"""

from __future__ import annotations

import json
import math

from codeens_sandbox_backends.base import Encoded
from codeens_sandbox_backends.values.check import DICTS, SCALAR, SETS, Node, open_node
from codeens_sandbox_backends.values.compare import all_match, canonical, in_order, match_exactly, pair_by_key, pair_up

_TOLERANCE = 1e-9
_ORDERED = frozenset({"list", "tuple", "deque"})


def matches(expected: Encoded, returned: Encoded) -> bool:
    """Whether a returned value is what a task file means by `expected` (the file's value, encoded)."""
    return all_match(expected, returned, _match)


def _match(expected: Node, returned: Node) -> list[tuple[Encoded, Encoded]] | None:
    if _is_number(expected) and _is_number(returned):
        close = math.isclose(expected.head[0], returned.head[0], rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
        exact = isinstance(expected.head[0], int) and isinstance(returned.head[0], int)
        return [] if (expected.head == returned.head if exact else close) else None
    if expected.tag == "list" and returned.tag in _ORDERED:
        return pair_up(expected.children, returned.children)
    if expected.tag == "list" and returned.tag in SETS:
        return pair_up(sorted(expected.children, key=in_order), sorted(returned.children, key=in_order))
    if expected.tag == "dict" and returned.tag in DICTS:
        return pair_by_key(expected, returned, _key)
    return match_exactly(expected, returned)


def _is_number(node: Node) -> bool:
    return node.tag == SCALAR and isinstance(node.head[0], (int, float)) and not isinstance(node.head[0], bool)


def _key(tree: Encoded) -> str:
    """A key as JSON would write it: all of JSON's keys are texts."""
    node = open_node(tree)
    if node.tag == SCALAR and not isinstance(node.head[0], str):
        return canonical(json.dumps(node.head[0]))
    return canonical(tree)
