"""The one way to put an import off until what it brings is used: `codeens --help` and a first answer stay quick."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def load(place: str) -> Any:
    """Return what `module:attribute` names, or the module that `module` names, imported now."""
    module, _, attribute = place.partition(":")
    imported = import_module(module)
    return getattr(imported, attribute) if attribute else imported


def lazy_exports(package: str, places: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the `__getattr__` and `__dir__` of a package (PEP 562) whose names are imported when they are used.

    Args:
        package: the package's `__name__`.
        places: each name that it exports, and the module that defines it.
    """

    def get(name: str) -> Any:
        if name not in places:
            message = f"module {package!r} has no attribute {name!r}"
            raise AttributeError(message, name=name, obj=None)
        value = load(f"{places[name]}:{name}")
        setattr(import_module(package), name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(import_module(package)), *places})

    return get, names
