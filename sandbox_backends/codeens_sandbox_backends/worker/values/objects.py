"""Classes and instances as the interpreter knows them: names, and what the whole state of a plain instance is.

Nothing here asks an object or a class about itself in a way that its own code could answer.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import BuiltinFunctionType, FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import Any, Callable, Dict, List, Optional, Tuple

PLAIN_TYPES: Dict[str, Any] = {
    kind.__name__: kind for kind in (bool, bytes, complex, dict, float, frozenset, int, list, set, str, tuple)
}
"""Types that may be named where no other classes may."""
_HEAP_TYPE = 1 << 9
_IMMUTABLE_TYPE = 1 << 8
_type_of: Callable[[Any], Any] = type
_POINTER = object.__basicsize__ // 2


def _field(name: str) -> Callable[[Any], Any]:
    """Reads a field of a class, whatever its metaclass would answer."""
    return type.__dict__[name].__get__


mro_of = _field("__mro__")
names_of = _field("__dict__")
_module_of, _qualname_of, _flags_of = _field("__module__"), _field("__qualname__"), _field("__flags__")
_base_of, _size_of, _item_size_of = _field("__base__"), _field("__basicsize__"), _field("__itemsize__")
_OFFSETS = (_field("__dictoffset__"), _field("__weakrefoffset__"))


def _text(value: Any) -> Optional[str]:
    return value if type(value) is str and value.isprintable() and ":" not in value else None


def _module(kind: Any) -> Optional[str]:
    try:
        return _text(_module_of(kind))
    except AttributeError:
        return None


def type_name(kind: Any) -> str:
    """`int` for builtins, else `module:qualname`."""
    module, qualname = _module(kind) or "?", _text(_qualname_of(kind)) or "?"
    return qualname if module == "builtins" else f"{module}:{qualname}"


def is_foreign(kind: Any) -> bool:
    """Whether a class was made by a `class` statement, or could have been."""
    return bool(_flags_of(kind) & _HEAP_TYPE) and not _flags_of(kind) & _IMMUTABLE_TYPE


def is_lazy(kind: Any) -> bool:
    """Whether instances are generators or iterators of the language itself."""
    if is_foreign(kind) or _module(kind) not in ("builtins", "itertools"):
        return False
    return any("__next__" in names_of(cls) for cls in mro_of(kind))


def is_namedtuple(kind: Any) -> bool:
    """Whether it is a tuple whose items have names."""
    return issubclass(kind, tuple) and any("_fields" in names_of(cls) for cls in mro_of(kind))


def is_frozen(kind: Any) -> bool:
    """Whether it is a dataclass whose instances are not changed."""
    return any(getattr(names_of(cls).get("__dataclass_params__"), "frozen", False) for cls in mro_of(kind))


def reference(thing: Any) -> Optional[str]:
    """`module:qualname` of a class or function that is found there again, else None."""
    if issubclass(type(thing), type):
        module, qualname = _module(thing), _text(_qualname_of(thing))
    elif type(thing) in (FunctionType, BuiltinFunctionType):
        module, qualname = _text(thing.__module__), _text(thing.__qualname__)
    else:
        return None
    if module is None or qualname is None:
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


def _slots_of(cls: Any) -> Dict[str, Any]:
    names = names_of(cls)
    if "__slots__" not in names:
        return {}
    return {name: member for name, member in names.items() if type(member) is MemberDescriptorType}


def _adds_hidden_state(cls: Any) -> bool:
    """Whether instances hold more than their base's state, slots, a dictionary and a weak-reference list."""
    base: Any = _base_of(cls)
    pointers = len(_slots_of(cls))
    for offset_of in _OFFSETS:
        own = offset_of(cls)
        pointers += own > 0 and own != offset_of(base)
    return _size_of(cls) - _size_of(base) != pointers * _POINTER


def is_plain(kind: Any) -> bool:
    """Whether `__dict__` and slots are all the state that instances of this class have."""
    if kind is object or _item_size_of(kind):
        return False
    classes = mro_of(kind)
    if any((_module(cls) or "").startswith("pathlib") for cls in classes):  # their slots are caches, filled by looking
        return False
    return all(_flags_of(cls) & _HEAP_TYPE and not _adds_hidden_state(cls) for cls in classes[:-1])


def dictionary_of(value: Any) -> Optional[Dict[str, Any]]:
    """The real `__dict__` of an instance; empty where it has none, None where its class hides it."""
    kind = _type_of(value)
    if not _OFFSETS[0](kind):
        return {}
    for cls in mro_of(kind):
        member = names_of(cls).get("__dict__")
        if type(member) is GetSetDescriptorType:
            return member.__get__(value)
        if member is not None:
            return None
    return None


def state_of(value: Any) -> Optional[List[Tuple[str, Any]]]:
    """Fields of a plain instance, sorted by name; None where its class hides them."""
    fields: Dict[str, Any] = {}
    for cls in mro_of(type(value)):
        for name, member in _slots_of(cls).items():
            try:
                fields.setdefault(name, member.__get__(value))
            except AttributeError:
                continue
    own = dictionary_of(value)
    if own is None or not all(type(name) is str for name in own):
        return None
    return sorted({**fields, **own}.items(), key=lambda field: field[0])


def hidden_fields(error: BaseException) -> bool:
    """Whether an exception holds more than its arguments: attributes, or fields such as those of `OSError`."""
    if dictionary_of(error) != {}:
        return True
    args = BaseException.__dict__["args"].__get__(error)
    for cls in mro_of(type(error)):
        own: Dict[str, Any] = {} if cls is BaseException else names_of(cls)
        for member in own.values():
            if _type_of(member) is MemberDescriptorType and not _is_given(_read(member, error), args):
                return True
    return False


def _read(member: Any, error: BaseException) -> Any:
    try:
        return member.__get__(error)
    except AttributeError:  # a slot that was never set
        return None


def _is_given(field: Any, args: Tuple[Any, ...]) -> bool:
    return field is None or any(field is arg or (type(field) is type(arg) is int and field == arg) for arg in args)


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
