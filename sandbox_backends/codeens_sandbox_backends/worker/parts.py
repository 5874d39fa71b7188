"""Which parts of the arguments are the same objects after a call: who holds one of them sees what becomes of it.

`self.items.append(x)` and `self.items = [*self.items, x]` leave equal arguments, and only the first changes the list
that others have.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from itertools import islice
from typing import Any, Callable, Dict, Iterable, List, Set, Tuple

from .calling import Arguments
from .values.objects import is_plain, state_of

_type_of: Callable[[Any], Any] = type
_SCALARS = frozenset((type(None), bool, int, float, complex, str, bytes))
_SEQUENCES = (list, tuple, deque)
_DICTS = (dict, OrderedDict, defaultdict, Counter)
_CONTAINERS = (list, set, deque, bytearray, *_DICTS)
_KEYS = (str, int)
_MOST_ITEMS = 5_000
"""That are looked at, of all containers together."""
_NEW = "new"


class Parts:
    """Holds the mutable parts of arguments from before a call."""

    def __init__(self, arguments: Arguments) -> None:
        self._before = _found(arguments)

    def replaced(self, arguments: Arguments) -> List[Any]:
        """Return the places at which another object stands than before, encoded, each with where it stood, if anywhere.

        Afterwards nothing is held any more.
        """
        before, self._before = self._before, {}
        places = {id(value): path for path, value in reversed(list(before.items()))}
        return sorted(
            ["tuple", path, places.get(id(value), _NEW)]
            for path, value in _found(arguments).items()
            if path in before and before[path] is not value
        )


def _found(arguments: Arguments) -> Dict[str, Any]:
    """Return what can be changed below the arguments, by where it stands; what is met again is passed over."""
    found: Dict[str, Any] = {}
    seen: Set[int] = set()
    given: List[Tuple[Any, Any]] = [*enumerate(arguments[0]), *arguments[1].items()]
    todo = [(str(name), value) for name, value in given]
    left = _MOST_ITEMS
    while todo and left > 0:
        path, value = todo.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        children = list(islice(_children(value), left))
        left -= len(children)
        for name, child in children:
            if _type_of(child) not in _SCALARS:
                todo.append((path + name, child))
                if can_change(child):
                    found[path + name] = child
    return found


def can_change(value: Any) -> bool:
    """Return whether it is a container, or an instance that is not hashed by what is in it."""
    kind: Any = _type_of(value)
    return kind in _CONTAINERS or (is_plain(kind) and kind.__hash__ in (None, object.__hash__))


def _children(value: Any) -> Iterable[Tuple[str, Any]]:
    kind: Any = _type_of(value)
    if kind in _SEQUENCES:
        return ((f"[{place}]", item) for place, item in enumerate(value))
    if kind in _DICTS:
        return ((f"[{key!r}]", item) for key, item in value.items() if _type_of(key) in _KEYS)
    if is_plain(kind):
        return ((f".{name}", field) for name, field in state_of(value) or ())
    return ()
