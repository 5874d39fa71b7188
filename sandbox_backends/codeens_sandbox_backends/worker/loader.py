"""Modules from memory, and the function that a job is about."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import FunctionType, ModuleType
from typing import Any, Dict, List, Optional, Sequence, Tuple

from .values.frames import own_files

Program = Dict[str, Any]
"""JSON of `programs.Program`."""
_MAX_WRAPPERS = 50


class LoadError(Exception):
    """The module was loaded, and the function is not in it or cannot be reached."""


class MemoryModules:
    """A meta-path finder and loader of modules whose source was sent."""

    def __init__(self, modules: Sequence[Dict[str, Any]]) -> None:
        self._modules = {module["name"]: module for module in modules}

    def find_spec(self, name: str, *_: Any) -> Optional[ModuleSpec]:
        """Answer the import system whether this finder has a module."""
        if name not in self._modules:
            return None
        file = self.path_of(name)
        is_package = file.endswith("__init__.py")
        loader: Any = self
        spec = ModuleSpec(name, loader, origin=file, is_package=is_package)
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations = [file.rpartition("/")[0]]
        return spec

    def path_of(self, name: str) -> str:
        """Return what `__file__` of a module says."""
        return _path(self._modules[name])

    def create_module(self, spec: ModuleSpec) -> Optional[ModuleType]:
        """None: the import system makes the module."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the source in the module."""
        name = module.__name__
        code = compile(self._modules[name]["source"], self.path_of(name), "exec", dont_inherit=True)
        exec(code, module.__dict__)

    def get_source(self, name: str) -> str:
        """Return the text of a module, for tracebacks and `inspect`."""
        return self._modules[name]["source"]

    def sources(self) -> List[Tuple[str, str]]:
        """Return the path and text of each module."""
        return [(self.path_of(name), module["source"]) for name, module in self._modules.items()]


def install(program: Program) -> None:
    """Make the program's modules and folders importable."""
    sys.path[:0] = program["sys_path"]
    sys.meta_path.insert(0, MemoryModules(program["modules"]))
    own_files(map(_path, program["modules"]))


def import_module_of(program: Program) -> ModuleType:
    """Import the program's module.

    Raises:
        BaseException: Whatever the module raises when it is imported.
    """
    return _module(program["module"])


def path_of(program: Program) -> str:
    """Return what `__file__` of the program's module says; empty where the module was not sent."""
    return next((_path(module) for module in program["modules"] if module["name"] == program["module"]), "")


def _path(module: Dict[str, Any]) -> str:
    return module["path"] or f"/codeens/modules/{module['name'].replace('.', '/')}.py"


def _module(name: str) -> ModuleType:
    """Import a module; one that was sent by itself without asking the whole import system for it."""
    sent = sys.meta_path[0]
    if not isinstance(sent, MemoryModules) or "." in name or name in sys.modules:
        return import_module(name)
    spec = sent.find_spec(name)
    if spec is None or spec.submodule_search_locations is not None:
        return import_module(name)
    module = sys.modules[name] = ModuleType(name)
    module.__dict__.update(__file__=spec.origin, __loader__=sent, __package__="", __spec__=spec)
    try:
        sent.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return sys.modules[name]


def resolve(module: ModuleType, qualname: str) -> Any:
    """Return the callable of a qualified name in a module.

    Methods and properties come as the underlying function (`args[0]` is the instance), class methods bound.

    Raises:
        LoadError: There is no such function, or it is inside another one.
    """
    found = look_up(module, qualname)
    if not callable(found):
        raise LoadError(f"{qualname} of module {module.__name__} is not a function")
    return found


def look_up(module: ModuleType, qualname: str) -> Any:
    """Return whatever stands under a qualified name in a module; see `resolve`.

    Raises:
        LoadError: There is nothing, or it is inside a function.
    """
    if "<locals>" in qualname:
        raise LoadError(f"{qualname} is defined inside a function and cannot be called from outside")
    *outer, name = qualname.split(".")
    owner: Any = module
    for part in outer:
        owner = _member(owner, part, qualname)
    found = _member(owner, name, qualname)
    if isinstance(owner, type):
        found = _underlying(owner, name, found)
    return found


def _member(owner: Any, name: str, qualname: str) -> Any:
    try:
        return getattr(owner, name)
    except AttributeError:
        raise LoadError(f"{owner.__name__} has no {name!r} (wanted: {qualname})") from None


def _underlying(owner: type, name: str, found: Any) -> Any:
    """Return the function behind a property; anything else as attribute access on the class gives it."""
    static: Any = next((cls.__dict__[name] for cls in owner.__mro__ if name in cls.__dict__), None)
    if isinstance(static, property):
        return static.fget
    if type(static).__name__ == "cached_property":
        return static.func
    return found


def innermost(function: Any) -> Any:
    """Return the Python function at the bottom of a chain of `__wrapped__`, or None."""
    for _ in range(_MAX_WRAPPERS):
        function = getattr(function, "__func__", function)
        if not hasattr(function, "__wrapped__"):
            break
        function = function.__wrapped__
    return function if isinstance(function, FunctionType) else None


def show_sources() -> None:
    """Make tracebacks show the texts in memory, also where another file lies at the path."""
    import linecache

    for finder in sys.meta_path:
        if isinstance(finder, MemoryModules):
            for path, source in finder.sources():
                linecache.cache[path] = (len(source), None, source.splitlines(keepends=True), path)
