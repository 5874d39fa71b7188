"""Made-up subclasses: a call through one of them shows whether code asks for the class at hand or names its own."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from types import MethodType
from typing import Any, Callable, Dict, Generator, List, Tuple

from .calling import Arguments
from .values.objects import is_foreign, is_namedtuple, is_plain, mro_of, names_of, reference

_type_of: Callable[[Any], Any] = type
_PREFIX = "SubclassOf"


class _Nothing:
    """Stands above a made-up class that is done with: it is no subclass of anything that a program knows."""


def has_classes(function: Callable[..., Any], arguments: Arguments) -> bool:
    """Return whether a call is one of a class, or is given instances of one, of which a subclass can be made up."""
    return any(map(_can_be_extended, [_owner(function), *map(_type_of, _given(arguments))]))


@contextmanager
def as_subclasses(function: Callable[..., Any], arguments: Arguments) -> Generator[Callable[..., Any], None, None]:
    """Within it the instances are of made-up subclasses; yields the function as it is of that of its class."""
    owner = _owner(function)
    instances = [(value, _type_of(value)) for value in _given(arguments) if _can_be_extended(_type_of(value))]
    kinds = {kind for _, kind in instances}.union([owner] if _can_be_extended(owner) else ())
    made = {kind: _subclass_of(kind) for kind in kinds}
    for value, kind in instances:
        object.__setattr__(value, "__class__", made[kind])
    try:
        yield MethodType(_function_of(function), made[owner]) if owner in made else function
    finally:
        _put_back(instances, made)


def extended(name: str) -> str:
    """Return the name of the class that a made-up one extends; empty for any other class."""
    module, _, qualname = name.partition(":")
    return f"{module}:{qualname[len(_PREFIX) :]}" if qualname.startswith(_PREFIX) else ""


def _put_back(instances: List[Tuple[Any, Any]], made: Dict[Any, Any]) -> None:
    for value, kind in instances:
        if _type_of(value) is made[kind]:
            object.__setattr__(value, "__class__", kind)
    for subclass in made.values():
        with suppress(TypeError):  # of another layout
            subclass.__bases__ = (_Nothing,)


def _given(arguments: Arguments) -> List[Any]:
    return [*arguments[0], *arguments[1].values()]


def _owner(function: Any) -> Any:
    """Return the class of which a class method is called; None of any other function."""
    return function.__self__ if _type_of(function) is MethodType else None


def _function_of(function: Any) -> Any:
    return function.__func__


def _can_be_extended(kind: Any) -> bool:
    """Whether it is a plain class of a program, which does nothing when it is extended."""
    if _type_of(kind) is not type or not is_foreign(kind) or is_namedtuple(kind) or not is_plain(kind):
        return False
    return not any("__init_subclass__" in names_of(cls) for cls in mro_of(kind)[:-1]) and reference(kind) is not None


def _subclass_of(kind: Any) -> Any:
    return type(f"{_PREFIX}{kind.__name__}", (kind,), {"__module__": kind.__module__, "__slots__": ()})
