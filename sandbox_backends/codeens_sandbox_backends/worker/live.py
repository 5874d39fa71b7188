"""Which function is called under the target's name once its module was loaded, and where its code is from.

A definition may be in a branch that this Python does not take, or be replaced further down in its module; a command, a
route or a registry may hold the function and stand in its place. So the function is found by its code, and its place is
told to the judge, who compares.
"""

from __future__ import annotations

import gc
import sys
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional

from .loader import LoadError, Program, import_module_of, innermost, look_up, path_of, resolve
from .values.objects import type_name

_MAX_LOOKED_AT = 5000
_FUNCTIONS = (FunctionType, MethodType, BuiltinFunctionType)
_referents = gc.get_referents


class Live(NamedTuple):
    """What a program's qualified name came to."""

    call: Callable[..., Any]
    """What callers call; the function itself where something else holds it."""
    watched: List[FunctionType]
    """The functions whose calls are its calls."""
    place: Dict[str, Any]
    """JSON of `wire.LivePlace`."""


def load(program: Program) -> Live:
    """Import the program's module and return what is to be called.

    Raises:
        LoadError: There is no such function, or it is inside another one.
        BaseException: Whatever the module raises when it is imported.
    """
    return find(import_module_of(program), program)


def find(module: ModuleType, program: Program) -> Live:
    """Return what is called under the qualified name; if that is other code, its `place` says so.

    Raises:
        LoadError: There is no such function, or it is inside another one.
    """
    definition = program.get("definition")
    if definition is None:
        found = resolve(module, program["qualname"])
        return _called_as(found, innermost(found))
    wanted = _Wanted(path_of(program), program["qualname"].rpartition(".")[2], definition)
    try:
        found = look_up(module, program["qualname"])
    except LoadError:
        found = None
    if not callable(found):
        return _held(found, wanted)
    core = innermost(found)
    if core is not None and wanted.is_made(core):
        return _called_as(found, core)
    made = _reached_from(found, wanted)
    if isinstance(found, _FUNCTIONS) or hasattr(found, "__wrapped__"):
        return _called_as(found, core, made)
    return _called_as(found, core) if made is None else _held(found, wanted)


class _Wanted(NamedTuple):
    """The definition: its file, its name and its lines."""

    path: str
    name: str
    lines: Mapping[str, int]

    def is_made(self, function: FunctionType) -> bool:
        """Return whether the definition made this function."""
        code: CodeType = function.__code__
        first = code.co_firstlineno
        return (
            code.co_filename == self.path
            and code.co_name == self.name
            and self.lines["line"] <= first <= self.lines["end_line"]
        )


def _called_as(found: Any, core: Optional[FunctionType], made: Optional[FunctionType] = None) -> Live:
    function = made or core
    code = None if function is None else function.__code__
    place = _place(code.co_filename if code else "", code.co_firstlineno if code else 0)
    if code is None:
        place["what"] = _name_of(found)
    return Live(found, [] if core is None else [core], place)


def _held(holder: Any, wanted: _Wanted) -> Live:
    """Return the function itself, wherever it is kept."""
    gc.collect()  # a function that nobody can call any more may still be waiting for that
    made = [thing for thing in gc.get_objects() if type(thing) is FunctionType and wanted.is_made(thing)]
    if not made:
        return _called_as(holder, None)
    place = _place(made[0].__code__.co_filename, made[0].__code__.co_firstlineno)
    return Live(made[0], made, {**place, "holder": type_name(type(holder))})


def _place(path: str, line: int) -> Dict[str, Any]:
    return {"path": path, "line": line, "python": "%d.%d" % sys.version_info[:2]}


def _name_of(found: Any) -> str:
    """Return how a thing that has no Python code is called: `math.gcd`."""
    names = (getattr(found, "__module__", None), getattr(found, "__qualname__", None))
    told = ".".join(name for name in names if isinstance(name, str))
    return told or type_name(type(found))


def _reached_from(found: Any, wanted: _Wanted) -> Optional[FunctionType]:
    """Return the function if a wrapper, a closure or an attribute leads to it; modules and classes do not."""
    pending: List[Any] = [found]
    seen: Dict[int, Any] = {}
    while pending and len(seen) < _MAX_LOOKED_AT:
        thing = pending.pop(0)
        if id(thing) in seen or isinstance(thing, (ModuleType, CodeType)):
            continue
        seen[id(thing)] = thing
        if isinstance(thing, FunctionType):
            if wanted.is_made(thing):
                return thing
            pending += _kept_by(thing)
        elif thing is found or not isinstance(thing, type):
            pending += _referents(thing)
    return None


def _kept_by(function: FunctionType) -> Iterable[Any]:
    """Return what a function holds beside its module: where a decorator keeps what it wraps."""
    cells: List[CellType] = list(function.__closure__ or ())
    return [*_referents(*cells), function.__dict__, *(function.__defaults__ or ()), function.__kwdefaults__]
