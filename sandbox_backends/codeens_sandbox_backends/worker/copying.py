"""Makes a caller's objects be as the other process left its copies of them."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from typing import Any, Callable, List

_type_of: Callable[[Any], Any] = type
_DICTS = (dict, OrderedDict, defaultdict, Counter)


def copy_back(left: Any, own: Any) -> Any:
    """Change `own`, and what it holds, in place to equal `left`; returns what stands for `left` afterwards.

    Where both have a container of the same type at the same place the caller's stays the same object.
    """
    kind = _type_of(own)
    if kind is not _type_of(left):
        return left
    if kind is list:
        own[:] = _merged(left, own)
    elif kind is tuple:
        merged = _merged(left, own)
        same = len(merged) == len(own) and all(merged[index] is item for index, item in enumerate(own))
        return own if same else tuple(merged)
    elif kind in _DICTS:
        merged = {key: copy_back(value, own[key]) if key in own else value for key, value in left.items()}
        own.clear()
        own.update(merged)
    elif kind is set:
        own.clear()
        own.update(left)
    elif kind is bytearray:
        own[:] = left
    elif kind is deque:
        merged = _merged(left, own)
        own.clear()
        own.extend(merged)
    else:
        return left
    return own


def _merged(left: Any, own: Any) -> List[Any]:
    """Items of `left`, where possible as the caller's objects."""
    return [copy_back(item, own[index]) if index < len(own) else item for index, item in enumerate(left)]
