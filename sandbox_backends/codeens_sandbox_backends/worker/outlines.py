"""Values that hold functions, encoded for comparing only: a function is where it is found, or else just a function."""

from __future__ import annotations

from collections import deque
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, Callable, List

from .holders import DICTS
from .values.codec import encode
from .values.grammar import EncodeError
from .values.objects import reference, type_name

_FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodType)
_ITEMS = (list, tuple, deque)
_SETS = (set, frozenset)
_DEEPEST = 20
_type_of: Callable[[Any], Any] = type
_text: Callable[[Any], str] = repr


def outlined(value: Any, depth: int = 0) -> Any:
    """Return the encoded value, in which functions and classes that have no encoding are named.

    Raises:
        EncodeError: something else in it has none.
    """
    try:
        return encode(value, iterators=False)
    except EncodeError:
        kind = _type_of(value)
        if depth > _DEEPEST:
            raise
        if kind in _FUNCTIONS or issubclass(kind, type):
            return ["tuple", "made by", name_of(value)]
        if kind in DICTS:
            return ["dict", *([*_all((key, value[key]), depth)] for key in value)]
        if kind in _ITEMS:
            return ["list", *_all(value, depth)]
        if kind in _SETS:
            return ["list", *sorted(_all(value, depth), key=_text)]
        raise


def name_of(value: Any) -> str:
    """Return where a function or class is found; of what is made while code runs, only its kind."""
    return reference(value) or type_name(_type_of(value))


def _all(values: Any, depth: int) -> List[Any]:
    return [outlined(value, depth + 1) for value in values]
