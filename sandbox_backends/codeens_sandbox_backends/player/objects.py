"""Instances of plain classes: what their whole state is, and how to make one of that state."""

from __future__ import annotations

import sys
from importlib import import_module
from types import MemberDescriptorType
from typing import Any, Dict, List, Optional, Tuple

PLAIN_TYPES: Dict[str, Any] = {
    kind.__name__: kind for kind in (bool, bytes, complex, dict, float, frozenset, int, list, set, str, tuple)
}
"""Types that may be named where no other classes may."""
_HEAP_TYPE = 1 << 9
_POINTER = object.__basicsize__ // 2


def type_name(kind: Any) -> str:
    """`int` for builtins, else `module:qualname`."""
    module = str(getattr(kind, "__module__", "?"))
    return kind.__qualname__ if module == "builtins" else f"{module}:{kind.__qualname__}"


def reference(thing: Any) -> Optional[str]:
    """`module:qualname` of a class or function that is found there again, else None."""
    module, qualname = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if type(module) is not str or type(qualname) is not str:
        return None
    found: Any = sys.modules.get(module)
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return f"{module}:{qualname}" if found is thing else None


def lookup(ref: str) -> Any:
    """What `module:qualname` names; imports the module.

    Raises:
        ImportError, AttributeError: it is not there.
    """
    module, _, qualname = ref.partition(":")
    found: Any = import_module(module)
    for part in qualname.split("."):
        found = getattr(found, part)
    return found


def _slots_of(cls: type) -> Dict[str, Any]:
    if "__slots__" not in cls.__dict__:
        return {}
    return {name: member for name, member in cls.__dict__.items() if type(member) is MemberDescriptorType}


def _adds_hidden_state(cls: type) -> bool:
    """Whether instances hold more than their base's state, slots, a dictionary and a weak-reference list."""
    base: Any = cls.__base__
    pointers = len(_slots_of(cls))
    for offset in ("__dictoffset__", "__weakrefoffset__"):
        own = getattr(cls, offset)
        pointers += own > 0 and own != getattr(base, offset)
    return cls.__basicsize__ - base.__basicsize__ != pointers * _POINTER


def is_plain(kind: type) -> bool:
    """Whether `__dict__` and slots are all the state that instances of this class have."""
    if kind is object or kind.__itemsize__:
        return False
    if any(cls.__module__.startswith("pathlib") for cls in kind.__mro__):  # their slots are caches, filled by looking
        return False
    return all(cls.__flags__ & _HEAP_TYPE and not _adds_hidden_state(cls) for cls in kind.__mro__[:-1])


def state_of(value: Any) -> List[Tuple[str, Any]]:
    """Fields of a plain instance, sorted by name."""
    fields: Dict[str, Any] = {}
    for cls in type(value).__mro__:
        for name, member in _slots_of(cls).items():
            try:
                fields.setdefault(name, member.__get__(value))
            except AttributeError:
                continue
    if type(value).__dictoffset__:
        fields.update(object.__getattribute__(value, "__dict__"))
    return sorted(fields.items())


def make(kind: Any, fields: List[Tuple[str, Any]]) -> Any:
    """An instance with that state; no method of the class is run."""
    made: Any = object.__new__(kind)
    slots: Dict[str, Any] = {}
    for cls in reversed(kind.__mro__):
        slots.update(_slots_of(cls))
    for name, value in fields:
        if name in slots:
            slots[name].__set__(made, value)
        else:
            object.__getattribute__(made, "__dict__")[name] = value
    return made
