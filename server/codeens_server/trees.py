"""Compares and shows encoded values. A tree may come from hostile code: whatever is malformed is an opaque value.

Nothing here recurses, so that no depth of a tree can end the judge, and texts are bounded while they are made.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

from codeens_sandbox_backends.base import CallInput, Died, Exotic, Outcome, Raised, Returned, TimedOut, Tree

_Result = TypeVar("_Result")

UNREADABLE = "?"
"""The tag of a node that is no encoding of anything."""
SETS = frozenset({"set", "frozenset"})
UNORDERED_DICTS = frozenset({"dict", "defaultdict", "Counter"})
DICTS = UNORDERED_DICTS | {"OrderedDict"}

_LONGEST_PLAIN = 1000
_BODIES: dict[str, int | str] = {
    "int": 0, "float": 0, "str": 0, "bytes": 0, "bytearray": 0, "Decimal": 0, "date": 0, "time": 0, "datetime": 0,
    "timedelta": 0, "ellipsis": 0, "notimplemented": 0, "enum": 0, "type": 0, "function": 0, "uuid": 0, "path": 0,
    "ndarray": 0, "complex": 2, "Fraction": 2, "range": 3, "slice": 3,
    "list": "items", "tuple": "items", "set": "items", "frozenset": "items", "deque": "items", "namedtuple": "items",
    "iter": "items", "exception": "items",
    "dict": "pairs", "OrderedDict": "pairs", "defaultdict": "pairs", "Counter": "pairs", "object": "pairs",
}  # fmt: skip


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_count(value: Any) -> bool:
    return type(value) is int


def _is_shape(value: Any) -> bool:
    return isinstance(value, list) and all(_is_count(length) for length in value)  # pyright: ignore[reportUnknownVariableType]
