"""What code enters in tables of the interpreter that nobody can read back: noted as it is entered, and taken out again.

| channel            | encoded change                                                                 |
|--------------------|--------------------------------------------------------------------------------|
| `abstract classes` | tuples: an abstract class, and the class that was registered with it           |
| `codecs`           | tuples: the name of an error handler, or empty for one of encodings; who it is |
"""

from __future__ import annotations

import abc
import codecs
import sys
from contextlib import suppress
from types import FrameType
from typing import Any, Callable, Dict, List, Tuple

from .outlines import name_of
from .values.objects import mro_of, type_name

_classes: Dict[str, Any] = vars(sys.modules["_abc"]) if "_abc" in sys.modules else {}
_changes: Callable[[], object] = abc.get_cache_token
"""Another one after each registration."""
_frame_above: Any = vars(sys)["_getframe"]
_LIBRARY = frozenset(vars(sys).get("stdlib_module_names", ()))
"""Empty before Python 3.10."""
_LOADER = "importlib._bootstrap"


class Registrations:
    """Notes them from when it is made on."""

    def __init__(self) -> None:
        self._pairs: List[Tuple[Any, Any]] = []
        self._handlers: List[Tuple[str, Any, Any]] = []
        self._searches: List[Any] = []
        self._take_classes()
        self._take_codecs()

    def begin(self) -> None:
        """What was entered until now stays, and is told no more."""
        self._pairs.clear()
        self._handlers.clear()
        self._searches.clear()

    def told(self) -> Dict[str, Any]:
        """Return what was entered since `begin`, encoded, by channel."""
        changes: Dict[str, Any] = {}
        if self._pairs:
            changes["abstract classes"] = ["list", *(["tuple", *map(type_name, pair)] for pair in self._pairs)]
        if self._handlers or self._searches:
            entered = [(name, handler) for name, handler, _ in self._handlers]
            entered += [("", search) for search in self._searches]
            changes["codecs"] = ["list", *(["tuple", name, name_of(how)] for name, how in entered)]
        return changes

    def taken(self) -> Dict[str, Any]:
        """Return the same, and take it out again."""
        changes = self.told()
        if changes:
            for abstract, registered in reversed(self._pairs):
                _unregister(abstract, registered)
            for name, _, before in reversed(self._handlers):
                _register_error(name, before or _unknown(name))
            for search in self._searches:
                with suppress(AttributeError):  # of Python 3.10
                    codecs.unregister(search)
            self.begin()
        return changes

    def _take_classes(self) -> None:
        register, pairs = abc.ABCMeta.register, self._pairs

        def noting(cls: Any, subclass: Any) -> Any:
            before = _changes()
            registered = register(cls, subclass)
            if _changes() != before and not _is_library_loading(_frame_above(1)):
                pairs.append((cls, subclass))
            return registered

        abc.ABCMeta.register = noting

    def _take_codecs(self) -> None:
        handlers, searches, register = self._handlers, self._searches, codecs.register

        def noting_error(errors: Any, handler: Any) -> None:
            before = _handler(errors)
            _register_error(errors, handler)
            handlers.append((errors, handler, before))

        def noting(search_function: Any) -> None:
            register(search_function)
            searches.append(search_function)

        replaced: Any = codecs
        replaced.register_error, replaced.register = noting_error, noting


def _is_library_loading(frame: FrameType) -> bool:
    """Whether it comes of loading a module of the standard library, or one in C, which a warm worker may have."""
    module = frame.f_globals.get("__name__", "")
    return module == _LOADER or (frame.f_code.co_name == "<module>" and module.partition(".")[0] in _LIBRARY)


_register_error: Any = codecs.register_error


def _handler(name: Any) -> Any:
    try:
        return codecs.lookup_error(name)
    except LookupError:
        return None


def _unknown(name: str) -> Callable[[Any], Any]:
    def unknown(_: Any) -> Any:
        raise LookupError(f"unknown error handler name {name!r}")

    return unknown


def _unregister(abstract: Any, registered: Any) -> None:
    if not _classes:
        return
    others = [known() for known in _classes["_get_dump"](abstract)[0]]
    _classes["_reset_registry"](abstract)
    for base in mro_of(abstract):
        if isinstance(base, abc.ABCMeta):
            _classes["_reset_caches"](base)
    for other in others:
        if other is not None and other is not registered:
            _classes["_abc_register"](abstract, other)
