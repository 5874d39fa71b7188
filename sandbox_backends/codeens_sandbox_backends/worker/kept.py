"""Which mutable parts of a result or of arguments somebody else still holds: a cache, a buffer, a variable.

Whoever gets such a result and changes it, changes what others see; so does who changes what he has given. References
are counted: those that the result itself and its arguments hold are known, and each more is somebody else's. What is
only held by garbage is collected first.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from itertools import islice
from sys import getrefcount
from typing import Any, Callable, Dict, Iterable, List, Set, Tuple

from .values.coding import Drained, Shared
from .values.objects import is_plain, state_of

_TUPLE: Any = tuple
_type_of: Callable[[Any], Any] = type
_SCALARS = frozenset((type(None), bool, int, float, complex, str, bytes))
_IMMUTABLE = (tuple, frozenset)
_ITEMS = (list, set, deque, *_IMMUTABLE)
_DICTS = (dict, OrderedDict, defaultdict, Counter)
_MOST_ARRAYS = 50
_MOST = 20_000
"""Parts of a result that are looked at."""


class KeptParts:
    """Knows how many references an object has that nobody else holds; to be made once."""

    def __init__(self) -> None:
        self._usual = self._usual_given = 0
        fresh: List[Any] = [[]]
        shared = Shared()
        shared.known[id(fresh[0])] = (fresh[0], [], 0)
        while self._held(fresh, shared, 0):
            self._usual += 1
        while self._given(fresh, shared, 1):
            self._usual_given += 1
        gc.collect()
        gc.freeze()  # what is here now need not be looked at when garbage is collected after a call

    def of(self, holder: List[Any], shared: Shared, before: int) -> List[int]:
        """Return the places, in the order of their encoding, of parts that somebody else holds.

        Args:
            holder: A list that holds the result, which nothing else does.
            shared: What was encoded.
            before: How many objects had been encoded before the result: the arguments.
        """
        found = self._held(holder, shared, before)
        if found:
            gc.collect()
            found = self._held(holder, shared, before)
        return found

    def given(self, holders: List[Any], shared: Shared, before: int) -> List[int]:
        """Return the places, in the order of their encoding, of parts of the arguments that somebody else holds.

        Args:
            holders: The list of arguments, the dict of those by name, and the list that holds the result; nothing else
                does.
            shared: What was encoded.
            before: How many of these objects are of the arguments.
        """
        if not before:
            return []
        found = self._given(holders, shared, before)
        if found:
            gc.collect()
            found = self._given(holders, shared, before)
        return found

    def _given(self, holders: List[Any], shared: Shared, before: int) -> List[int]:
        _, counts = _parts(holders, set())
        return [
            place
            for place, (key, known) in enumerate(islice(shared.known.items(), before))
            if counts.get(key) and getrefcount(known[0]) - counts[key] > self._usual_given and _can_change(known[0])
        ]

    def _held(self, holder: List[Any], shared: Shared, before: int) -> List[int]:
        known = list(shared.known)
        parts, counts = _parts(holder, set(known[:before]))
        relevant = _with_mutable(parts, set(known[before:]))
        held = [
            place
            for place, part in enumerate(relevant)
            if getrefcount(part) - counts[id(part)] - (id(part) in shared.known) > self._usual
        ]
        below = {id(part) for place in held for part in _parts([*_children(relevant[place])], set())[0]}
        return [place for place in held if id(relevant[place]) not in below]


def _can_change(value: Any) -> bool:
    """Whether what is in it may be another thing later: an instance without fields has nothing in it, and one that is
    hashed by what is in it stays as it is.
    """
    kind = _type_of(value)
    if not is_plain(kind):
        return True
    return bool(state_of(value)) and kind.__hash__ in (None, object.__hash__)


def shared_memory(shared: Shared, before: int) -> List[Tuple[int, int]]:
    """Return arrays of the result that are views of others, as pairs of their places among arrays.

    Args:
        shared: What was encoded.
        before: How many objects had been encoded before the result.
    """
    numpy = sys.modules.get("numpy")
    if numpy is None or len(shared.known) == before:
        return []
    arrays = [(place, known[0]) for place, known in enumerate(shared.known.values()) if type(known[0]) is numpy.ndarray]
    return [
        (first, second)
        for second, (place, array) in enumerate(arrays[:_MOST_ARRAYS])
        for first, (_, other) in enumerate(arrays[:second])
        if place >= before and numpy.may_share_memory(array, other)
    ]


def _parts(holder: List[Any], given: Set[int]) -> Tuple[List[Any], Dict[int, int]]:
    """Return containers and instances below, without those that were given, and how often each is held there."""
    parts: List[Any] = []
    counts: Dict[int, int] = {}
    todo: List[Any] = [holder]
    while todo:
        for child in _children(todo.pop()):
            key = id(child)
            counts[key] = counts.get(key, 0) + 1
            if counts[key] == 1 and key not in given and type(child) not in _SCALARS:
                parts.append(child)
                todo.append(child)
        if len(parts) > _MOST:
            return [], {}
    return parts, counts


def _with_mutable(parts: List[Any], mutable: Set[int]) -> List[Any]:
    """Return parts that can be changed, or hold what can be, in their order."""
    found: Set[int] = set()
    for part in reversed(parts):
        if id(part) in mutable or (type(part) in _IMMUTABLE and any(id(child) in found for child in _children(part))):
            found.add(id(part))
    return [part for part in parts if id(part) in found]


def _children(value: Any) -> Iterable[Any]:
    kind: Any = _type_of(value)
    if kind in _ITEMS:
        return value
    if kind in _DICTS:
        return [*value, *value.values()]
    if kind is Drained:
        return value.items
    if issubclass(kind, tuple):
        return _TUPLE.__getitem__(value, slice(None))
    if is_plain(kind):
        return [field for _, field in state_of(value) or ()]
    return ()
