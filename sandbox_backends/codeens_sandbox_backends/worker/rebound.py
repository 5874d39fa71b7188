"""At which places of a program's variables another object stands: who has the one before does not see the new one.

`HISTORY.clear()` and `HISTORY = []` leave equal variables, and only the first is seen by `from history import HISTORY`.
What nobody else has a name for (`_history`) is told only where a variable of the program holds it too (`state`).
"""

from __future__ import annotations

from typing import Any, Iterable, List, Mapping

from .parts import can_change
from .state import Variable

_NEW = "new"


def rebound_places(changed: Iterable[Variable]) -> List[Any]:
    """Return the places, before anything is put back, each with where the object stood before, or `new`."""
    found: List[Any] = []
    for variable in changed:
        if not variable.channel.startswith(("global ", "class ")) or _is_private(variable.channel.rpartition(".")[2]):
            continue
        if _is_another(variable.value, variable.read()):
            found.append(["tuple", variable.channel, _NEW])
        for number, holder in enumerate(variable.holders):
            if holder.changed():
                found += [["tuple", variable.channel, number, *moved] for moved in _moved(*holder.places())]
    return found


def _moved(before: Mapping[Any, Any], now: Mapping[Any, Any]) -> List[Any]:
    stood = {id(value): repr(name) for name, value in before.items()}
    return [
        [repr(name), stood.get(id(value), _NEW)]
        for name, value in now.items()
        if name in before and not _is_private(name) and _is_another(before[name], value)
    ]


def _is_another(before: Any, now: Any) -> bool:
    return before is not now and can_change(before) and can_change(now)


def _is_private(name: Any) -> bool:
    return type(name) is str and name.startswith("_")
