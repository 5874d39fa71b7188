"""What of functions and classes can be changed while code runs, beside what they hold: defaults, code, texts, names,
bases, and the implementations of generic functions."""

from __future__ import annotations

import gc
from itertools import chain
from operator import attrgetter, is_not
from types import FunctionType, MappingProxyType
from typing import Any, Dict, List, Sequence, Tuple

from .holders import Holder
from .outlines import outlined
from .values.grammar import EncodeError
from .values.objects import type_name

_FACETS = ("__defaults__", "__kwdefaults__", "__code__", "__doc__", "__name__", "__qualname__", "__module__")
_OF_CLASSES = ("__name__", "__qualname__", "__bases__")
_of_function = attrgetter(*_FACETS)
_BEFORE_NAMES = (".", "'", '"')
"""What stands before a name where something of another is set: as an attribute, or by a text."""


class Facets:
    """Looks at functions and classes where the code names what can be changed of them."""

    def __init__(self, sources: Sequence[str]) -> None:
        names = (*_FACETS, *_OF_CLASSES)
        self._is_named = any(
            f"{mark}{name}" in source for source in sources for name in names for mark in _BEFORE_NAMES
        )
        self.are_annotations_named = any("__annotations__" in source for source in sources)
        self._owners: List[Any] = []
        self._paths: List[str] = []
        self._before: List[Tuple[Any, ...]] = []

    def take(self, owner: Any, path: str) -> None:
        """Look at a function or class from now on."""
        if self._is_named:
            self._owners.append(owner)
            self._paths.append(path)
            self._before.append(_facets_of(owner))

    def taken(self) -> Dict[str, Any]:
        """Return what changed, encoded, by channel, and put it back."""
        now = [*map(_facets_of, self._owners)]
        if not any(map(is_not, chain.from_iterable(now), chain.from_iterable(self._before))):
            return {}
        changes: Dict[str, Any] = {}
        for index, owner in enumerate(self._owners):
            for place, name in enumerate(_names_for(owner)):
                facet, usual = now[index][place], self._before[index][place]
                if facet is not usual:
                    kind = "function" if type(owner) is FunctionType else "class"
                    changes[f"{kind} {self._paths[index]}.{name}"] = (
                        ["list", *map(type_name, facet)] if name == "__bases__" else _told(facet)
                    )
                    setattr(owner, name, usual)
        return changes


def _names_for(owner: Any) -> Tuple[str, ...]:
    return _FACETS if type(owner) is FunctionType else _OF_CLASSES


def _facets_of(owner: Any) -> Tuple[Any, ...]:
    return _of_function(owner) if type(owner) is FunctionType else _of_class(owner)


def _of_class(cls: Any) -> Tuple[Any, ...]:
    return tuple(type.__dict__[name].__get__(cls) for name in _OF_CLASSES)


def _told(facet: Any) -> Any:
    try:
        return outlined(facet)
    except EncodeError as error:
        return error.type_name


def is_dispatching(function: FunctionType) -> bool:
    """Whether a function has been made by `functools.singledispatch`."""
    own = vars(function)
    return "dispatch" in own and type(own.get("registry")) is MappingProxyType


def implementations_of(function: FunctionType) -> Tuple[Dict[Any, Any], Holder]:
    """Return the implementations by class of such a function, and what holds them."""
    own: Dict[str, Any] = vars(function)
    table: Dict[Any, Any] = gc.get_referents(own["registry"])[0]

    def put(parts: Tuple[Any, ...]) -> None:
        half = len(parts) // 2
        table.clear()
        for index in range(half):
            table[parts[index]] = parts[half + index]
        own["_clear_cache"]()

    return table, Holder(lambda: [*table, *table.values()], put)
