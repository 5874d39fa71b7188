"""What of functions can be changed while code runs, beside what they hold: their defaults, their code, their text, and
the implementations of generic ones."""

from __future__ import annotations

import gc
from itertools import chain
from operator import attrgetter, is_not
from types import FunctionType, MappingProxyType
from typing import Any, Dict, List, Sequence, Tuple

from .holders import Holder
from .outlines import outlined
from .values.grammar import EncodeError

_FACETS = ("__defaults__", "__kwdefaults__", "__code__", "__doc__")
_facets_of = attrgetter(*_FACETS)


class Facets:
    """Looks at functions where the code names what can be changed of them."""

    def __init__(self, sources: Sequence[str]) -> None:
        self._is_named = any(name in source for source in sources for name in _FACETS)
        self._functions: List[FunctionType] = []
        self._paths: List[str] = []
        self._before: List[Tuple[Any, ...]] = []

    def take(self, function: FunctionType, path: str) -> None:
        """Look at one from now on."""
        if self._is_named:
            self._functions.append(function)
            self._paths.append(path)
            self._before.append(_facets_of(function))

    def taken(self) -> Dict[str, Any]:
        """Return what changed, encoded, by channel, and put it back."""
        now = [*map(_facets_of, self._functions)]
        if not any(map(is_not, chain.from_iterable(now), chain.from_iterable(self._before))):
            return {}
        changes: Dict[str, Any] = {}
        for index, function in enumerate(self._functions):
            for place, name in enumerate(_FACETS):
                facet, usual = now[index][place], self._before[index][place]
                if facet is not usual:
                    changes[f"function {self._paths[index]}.{name}"] = _told(facet)
                    setattr(function, name, usual)
        return changes


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
