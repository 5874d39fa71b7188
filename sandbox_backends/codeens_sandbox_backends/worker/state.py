"""What a program keeps between calls: variables of the workspace's modules, attributes of its classes, and what its
functions hold in closures, default arguments and attributes.

A look at it compares identities only: of every variable, and of what every list, dict, set and instance below it holds.
What changed is encoded, and then put back, so that every call begins with the state that loading has left. What only
the function under test itself holds, but for attributes that are no tables, and what its implementation brings along
(`own`), is its own affair: nobody else looks at it. It is never put back, but for what is in its default arguments.
"""

from __future__ import annotations

import builtins
import operator
import sys
from enum import Enum
from functools import partial
from types import CellType, FunctionType, ModuleType
from typing import Any, Callable, Dict, Iterator, List, Optional, Set, Tuple

from .functions import Facets, implementations_of, is_dispatching
from .holders import DICTS, HOLDERS, Holder, Inside, inside_of, of_dict
from .loader import Program
from .outlines import outlined
from .special import SPECIAL
from .values.grammar import EncodeError
from .values.objects import dictionary_of, names_of, type_name

_MOST_PARTS = 200_000
"""Bound on what is looked at after each call, in all."""
_type_of: Callable[[Any], Any] = type
_OWN = "own attribute"
_OWN_DEFAULT = "own default"
_WEAKREFS = ("weakref", "_weakref", "_weakrefset")
ABSENT = object()
"""Stands for the value of a variable that is not there."""
_same = operator.is_
_SCALARS = frozenset((type(None), bool, int, float, complex, str, bytes, FunctionType, ModuleType, type))


class Variable:
    """A place that holds a value: a module's name, an attribute of a class, a cell, a default argument."""

    __slots__ = ("_before", "aliases", "channel", "holders", "put", "read", "value")

    def __init__(self, channel: str, read: Callable[[], Any], put: Callable[[Any], None]) -> None:
        self.channel = channel
        self.read = read
        self.put = put
        self.value = read()
        self.holders: List[Holder] = []
        self.aliases: List[Variable] = []
        """Variables that hold some of the same objects, of which only this one has the holders."""
        self._before: Any = None

    def rebound(self) -> bool:
        """Whether it holds another object."""
        return self.read() is not self.value

    def refilled(self) -> bool:
        """Whether what it holds, holds other objects."""
        return any(holder.changed() for holder in self.holders)

    def before(self) -> Any:
        """Return the encoded value that it had at first, and has again; null where that has no encoding."""
        if self._before is None:
            try:
                self._before = [outlined(self.value)]
            except EncodeError:
                self._before = [None]
        return self._before[0]

    def restore(self) -> None:
        """Put everything back."""
        for holder in self.holders:
            if holder.changed():
                holder.restore()
        if self.rebound():
            self.put(self.value)


class _Space:
    """The names of a module or a class."""

    __slots__ = ("_names", "_values", "keys", "make", "variables")

    def __init__(self, names: Any, make: Callable[[Any], Variable]) -> None:
        self._names = names
        self.make = make
        self.keys = tuple(names)
        self._values = tuple(names.values())
        self.variables: Dict[Any, Variable] = {}

    def changed(self, counts: Callable[[Any], bool]) -> List[Variable]:
        """Return variables that hold other objects, or were not there before."""
        names = self._names
        if len(names) == len(self._values) and all(map(_same, names.values(), self._values)):
            return []
        found = [variable for variable in self.variables.values() if variable.rebound()]
        for key in set(names).difference(self.keys):
            if counts(key):
                variable = self.make(key)
                variable.value = ABSENT
                found.append(variable)
        return found


class State:
    """All variables of a loaded program."""

    def __init__(self, program: Program) -> None:
        self._roots = tuple(folder.rstrip("/") + "/" for folder in program["sys_path"])
        self._sent = {module["name"] for module in program["modules"]}
        self._own = {f"{program['module']}.{name}" for name in program.get("own", ())}
        self._target = (program["module"], program["qualname"])
        self.modules: Dict[str, ModuleType] = {}
        """Of the workspace."""
        self._spaces: List[Tuple[str, _Space]] = []
        self._single: List[Variable] = []
        self._holding: List[Variable] = []
        self._inside: Dict[str, List[Inside]] = {}
        """What is looked at as plain data, by the channel of its variable."""
        self._plain: List[FunctionType] = []
        """Functions without attributes."""
        self._targets: List[FunctionType] = []
        """Definitions under test of which the defaults were not taken yet."""
        self._remembering: List[Variable] = []
        """Their default arguments that hold something."""
        self._facets = Facets([module["source"] for module in program["modules"]])
        self._seen: Set[int] = set()
        self._owners: Dict[int, Variable] = {}
        """By identity of an object: the variable that has its holder."""
        self._parts = 0
        self._loaded = 0
        self._has_finalizers = False
        self.watched: Set[str] = set()
        """Names of the channels of data."""
        self.unwatched: List[str] = []
        """Names of what is too large to be looked at after each call."""
        self.look_again()

    def look_again(self) -> bool:
        """Take in modules that were loaded since; whether there are any."""
        if len(sys.modules) == self._loaded:
            return False
        self._loaded = len(sys.modules)
        new = [
            (name, module)
            for name, module in sorted(sys.modules.items())
            if name not in self.modules and self._is_of_workspace(name, module)
        ]
        self.modules.update(new)
        for name, module in new:
            self._take_space(name, vars(module), partial(_variable, f"global {name}", vars(module)))
        while self._targets:
            self._take_own_defaults(self._targets.pop())
        return bool(new)

    def _is_of_workspace(self, name: str, module: Any) -> bool:
        if name in self._sent:
            return True
        file = getattr(module, "__file__", None) if type(module) is ModuleType else None
        return type(file) is str and file.startswith(self._roots) and "site-packages" not in file

    def foreign(self) -> Dict[str, ModuleType]:
        """Return modules that are not of the workspace, and that its modules name, or see without naming them."""
        named = [value for module in self.modules.values() for value in vars(module).values()]
        found = {module.__name__: module for module in [sys, builtins, *named] if _type_of(module) is ModuleType}
        return {name: module for name, module in found.items() if name not in self.modules}

    def tells_of_ends(self) -> bool:
        """Return whether anybody is told when an object is gone: by `__del__` of a class, or by what `weakref` has."""
        named = [value for module in self.modules.values() for value in vars(module).values()]
        return self._has_finalizers or any(map(_is_of_weakref, named))

    def changes(self) -> List[Variable]:
        """Return what differs from what was first seen, sorted by channel."""
        found: Dict[str, Variable] = {}
        for path, space in self._spaces:
            found.update((variable.channel, variable) for variable in space.changed(partial(self._counts, path)))
        for variable in self._single:
            if variable.rebound():
                found[variable.channel] = variable
        refilled = [variable for variable in self._holding if variable.refilled()]
        while refilled:
            variable = refilled.pop()
            found[variable.channel] = variable
            refilled += [alias for alias in variable.aliases if alias.channel not in found]
        if any(map(_attributes, self._plain)):
            for function in filter(_attributes, self._plain):
                variable = _attributes_of(function)
                variable.value = ABSENT
                found[variable.channel] = variable
        return [found[channel] for channel in sorted(found) if not _is_memory(found[channel])]

    def taken_inside(self) -> Dict[str, Any]:
        """Return what changed inside of objects that are looked at as plain data, by channel, and put it back."""
        found = {channel: [each.taken() for each in inside] for channel, inside in self._inside.items()}
        found.pop(_OWN_DEFAULT, None)
        inside = {f"inside {channel}": ["list", *told] for channel, told in found.items() if any(map(_is_told, told))}
        return {**inside, **self._facets.taken()}

    def forgotten(self) -> bool:
        """Put back what the function under test has in its default arguments; whether anything was another."""
        changed = [variable for variable in self._remembering if variable.refilled()]
        for variable in changed:
            variable.restore()
        return bool(changed)

    def told(self) -> Dict[str, Any]:
        """Return what is in all variables, by channel; of what has no encoding, its type. Functions are no data."""
        variables = [variable for _, space in self._spaces for variable in space.variables.values()]
        found: Dict[str, Any] = {}
        for variable in (*variables, *self._single, *self._holding):
            if not variable.channel.endswith(f" {'.'.join(self._target)}") and not _is_code(variable.value):
                before = variable.before()
                found[variable.channel] = type_name(_type_of(variable.value)) if before is None else before
        found.update((f"inside {channel}", [each.text for each in inside]) for channel, inside in self._inside.items())
        return found

    def _counts(self, path: str, name: Any) -> bool:
        is_told = type(name) is str and (not name.startswith("__") or name in SPECIAL)
        return is_told and f"{path}.{name}" not in self._own

    # Looking for variables

    def _take_space(self, path: str, names: Any, make: Callable[[Any], Variable]) -> None:
        space = _Space(names, make)
        self._spaces.append((path, space))
        for key in sorted(key for key in names if self._counts(path, key)):
            variable = make(key)
            if self._take(variable, f"{path}.{key}"):
                space.variables[key] = variable

    def _take(self, variable: Variable, path: str) -> bool:
        """Watch what a variable holds; False where that is too much."""
        value, kind = variable.value, _type_of(variable.value)
        if kind in (staticmethod, classmethod, property):
            value = value.fget if kind is property else value.__func__
            kind = _type_of(value)
        elif type_name(kind) == "functools:singledispatchmethod":
            value, kind = value.dispatcher, FunctionType
        if kind is FunctionType:
            self._take_function(value, path)
        elif issubclass(kind, type):
            self._take_class(value, path)
        for holder in self._below(value, variable):
            variable.holders.append(holder)
            self._parts += len(holder.parts)
            if self._parts > _MOST_PARTS:
                self.unwatched.append(variable.channel)
                return False
        if variable.holders:
            self._holding.append(variable)
        special = variable.channel.rpartition(".")[2].startswith("__")
        if kind not in (FunctionType, ModuleType) and not issubclass(kind, type) and not special:
            self.watched.add(variable.channel)
        return True

    def _take_function(self, function: FunctionType, path: str) -> None:
        """Take what a function of the workspace holds; the target itself holds it for nobody else."""
        wrapped = _attributes(function).get("__wrapped__")
        is_target = (function.__module__, function.__qualname__) == self._target and wrapped is None
        if id(function) in self._seen or function.__module__ not in self.modules:
            return
        self._seen.add(id(function))
        self._facets.take(function, path)
        if self._facets.are_annotations_named:
            annotations = function.__annotations__
            self._take(Variable(f"annotations {path}", lambda: annotations, _cannot), path)
        if is_target:
            self._take_space(_OWN, _attributes(function), partial(_variable, _OWN, _attributes(function)))
            self._targets.append(function)
            return
        for index, cell in enumerate(function.__closure__ or ()):
            name = function.__code__.co_freevars[index]
            variable = _cell(f"closure {path}.{name}", cell)
            if self._take(variable, f"{path}.{name}"):
                self._single.append(variable)
        defaults = _defaults_of(function)
        if any(_type_of(value) in HOLDERS for value in defaults):
            self._take(Variable(f"default {path}", lambda: defaults, _cannot), path)
        if not _attributes(function):
            self._plain.append(function)
            return
        self._take(_attributes_of(function), path)
        if is_dispatching(function):
            table, holder = implementations_of(function)
            variable = Variable(f"implementations {path}", lambda: table, _cannot)
            variable.holders.append(holder)
            self._holding.append(variable)
            self.watched.add(variable.channel)
        if type(wrapped) is FunctionType:
            self._take_function(wrapped, f"{path}.__wrapped__")

    def _take_own_defaults(self, function: FunctionType) -> None:
        """Take what only the defaults of the function under test hold: what others hold too was taken before."""
        defaults = _defaults_of(function)
        variable = Variable(_OWN_DEFAULT, lambda: defaults, _cannot)
        variable.holders.extend(self._below(defaults, variable))
        if any(_type_of(value) in HOLDERS for value in defaults):
            self._remembering.append(variable)

    def _take_class(self, cls: Any, path: str) -> None:
        if id(cls) in self._seen or issubclass(cls, Enum) or _module_of(cls) not in self.modules:
            return
        self._seen.add(id(cls))
        self._has_finalizers = self._has_finalizers or "__del__" in names_of(cls)
        self._facets.take(cls, path)
        self._take_space(path, names_of(cls), partial(_attribute, f"class {path}", cls))

    def _below(self, value: Any, variable: Variable) -> Iterator[Holder]:
        """Every mutable object from a value downwards that was not met before; who has met it is told otherwise."""
        todo = [value]
        while todo:
            current = todo.pop()
            kind = _type_of(current)
            if kind is tuple:
                todo.extend(current)
                continue
            if id(current) in self._seen:
                owner = self._owners.get(id(current), variable)
                if owner is not variable and variable not in owner.aliases:
                    owner.aliases.append(variable)
                continue
            holder = self._holder(current, kind)
            if holder is not None:
                self._seen.add(id(current))
                self._owners[id(current)] = variable
                yield holder
                todo.extend(holder.parts)
            inside = None if kind in _SCALARS else inside_of(current)
            if inside is not None:
                self._seen.add(id(current))
                self._inside.setdefault(variable.channel, []).append(inside)

    def _holder(self, value: Any, kind: Any) -> Optional[Holder]:
        if kind in HOLDERS:
            return HOLDERS[kind](value)
        if type(kind) is type and _module_of(kind) in self.modules:
            own = dictionary_of(value)
            return None if own is None else of_dict(own)
        return None


def _is_code(value: Any) -> bool:
    kind: Any = _type_of(value)
    return kind in (FunctionType, ModuleType, staticmethod, classmethod, property) or issubclass(kind, type)


def _is_memory(variable: Variable) -> bool:
    """Whether it is a table on the function itself, or a default of it: what it remembers of earlier calls."""
    is_table = variable.channel.startswith(f"{_OWN}.") and _type_of(variable.read()) in DICTS
    return is_table or variable.channel == _OWN_DEFAULT


def _is_told(told: Any) -> bool:
    return told is not None


def _module_of(cls: Any) -> Any:
    return type.__dict__["__module__"].__get__(cls) if isinstance(cls, type) else None


def _is_of_weakref(value: Any) -> bool:
    kind: Any = _type_of(value)
    if kind is ModuleType:
        return value.__dict__.get("__name__") in _WEAKREFS
    return (_module_of(value) if issubclass(kind, type) else type_name(kind).partition(":")[0]) in _WEAKREFS


def _defaults_of(function: FunctionType) -> List[Any]:
    return [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]


def _attributes(function: FunctionType) -> Dict[str, Any]:
    return function.__dict__


def _attributes_of(function: FunctionType) -> Variable:
    own = _attributes(function)

    def put(_: Any) -> None:
        own.clear()

    return Variable(f"attributes {function.__module__}.{function.__qualname__}", lambda: own, put)


def _cannot(_: Any) -> None:
    """Nothing: this place cannot be bound to another object."""


def _variable(prefix: str, names: Dict[str, Any], key: str) -> Variable:
    def put(value: Any) -> None:
        if value is ABSENT:
            names.pop(key, None)
        else:
            names[key] = value

    return Variable(f"{prefix}.{key}", lambda: names.get(key, ABSENT), put)


def _attribute(prefix: str, cls: Any, name: str) -> Variable:
    def put(value: Any) -> None:
        if value is ABSENT:
            type.__delattr__(cls, name)
        else:
            type.__setattr__(cls, name, value)

    return Variable(f"{prefix}.{name}", lambda: names_of(cls).get(name, ABSENT), put)


def _cell(channel: str, cell: CellType) -> Variable:
    def put(value: Any) -> None:
        cell.cell_contents = value

    return Variable(channel, lambda: cell.cell_contents if _filled(cell) else ABSENT, put)


def _filled(cell: CellType) -> bool:
    return cell != CellType()
