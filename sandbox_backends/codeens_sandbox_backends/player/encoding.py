"""From values to trees. The format is described in `codec`."""

from __future__ import annotations

import sys
from base64 import b64encode
from collections import Counter, OrderedDict, defaultdict, deque
from enum import Enum
from itertools import islice
from json import JSONEncoder
from math import isfinite
from types import BuiltinFunctionType, FunctionType
from typing import Any, Callable, Collection, Dict, List, Set, Tuple

from .objects import PLAIN_TYPES, is_plain, reference, state_of, type_name

MAX_DEPTH = 150
"""Of containers in containers; a few Python frames each must fit under the usual recursion limit."""
MAX_SIZE = 32 << 20
"""Bound on a tree, in nodes plus characters."""
MAX_ITERATED = 10_000
"""Items taken from an iterator."""
_EXACT_INT = 1 << 53
_TUPLE: Any = tuple
_PLAIN_TYPES: Dict[Any, str] = {kind: f"builtins:{name}" for name, kind in PLAIN_TYPES.items()}
_type_of: Callable[[Any], Any] = type

_dumps = JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False, allow_nan=False).encode


class Unencodable(Exception):
    """A value has no exact encoding."""

    def __init__(self, type_name: str, why: str = "has no exact encoding") -> None:
        super().__init__(f"{type_name} {why}")
        self.type_name = type_name


class Drained:
    """An iterator's items, taken out of it; `more` when the bound was hit before its end."""

    __slots__ = ("items", "kind", "more")

    def __init__(self, kind: str, items: List[Any], more: bool) -> None:
        self.kind = kind
        self.items = items
        self.more = more


def canonical(tree: Any) -> str:
    """JSON text of a tree; equal trees have equal texts, and `1`, `1.0` and `true` differ."""
    return _dumps(tree)


def is_lazy(kind: type) -> bool:
    """Whether instances are generators or iterators of the language itself."""
    return kind.__module__ in ("builtins", "itertools") and hasattr(kind, "__next__")


def drain(iterator: Any) -> Drained:
    """Take at most `MAX_ITERATED` items; whatever the iterator raises is raised."""
    items: List[Any] = list(islice(iterator, MAX_ITERATED + 1))
    more = len(items) > MAX_ITERATED
    return Drained(type(iterator).__name__, items[:MAX_ITERATED], more)


def encode(value: Any, *, classes: bool = True, iterators: bool = True) -> Any:
    """The tree of a value.

    Args:
        value: What to encode.
        classes: Whether values that name a class or function are allowed, other than a few builtin types.
        iterators: Whether iterators are allowed; they are consumed.

    Raises:
        Unencodable: It holds something that has no exact encoding, itself, or too much.
    """
    return _Encoder(classes, iterators).encode(value)


class _Encoder:
    """One encoding: the containers above the current value, and the size that is left."""

    def __init__(self, classes: bool, iterators: bool) -> None:
        self.classes = classes
        self.iterators = iterators
        self.left = MAX_SIZE
        self.path: Set[int] = set()

    def encode(self, value: Any) -> Any:
        kind = _type_of(value)
        if value is None or kind is bool:
            return value
        if kind is int:
            return value if -_EXACT_INT < value < _EXACT_INT else ["int", format(value, "x")]
        if kind is float:
            return value if isfinite(value) else ["float", str(value)]
        if kind is str:
            return self.text(value)
        handler = _HANDLERS.get(kind)
        if handler is not None:
            return handler(self, value)
        return self.special(value, kind)

    def text(self, value: str) -> Any:
        self.spend(value, len(value))
        if not value.isascii():
            try:
                value.encode("utf-8")
            except UnicodeEncodeError:
                return ["str", value.encode("utf-8", "surrogatepass").hex()]
        return value

    def spend(self, value: Any, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise Unencodable(type_name(_type_of(value)), f"is larger than {MAX_SIZE} characters and items")

    def each(self, container: Any, values: Collection[Any]) -> List[Any]:
        """Encode what a container holds, with the container on the path."""
        key = id(container)
        if key in self.path:
            raise Unencodable(type_name(_type_of(container)), "refers to itself")
        if len(self.path) >= MAX_DEPTH:
            raise Unencodable(type_name(_type_of(container)), f"is nested deeper than {MAX_DEPTH}")
        self.spend(container, len(values))
        self.path.add(key)
        trees = [self.encode(value) for value in values]
        self.path.discard(key)
        return trees

    def pairs(self, container: Dict[Any, Any]) -> List[Any]:
        keys = self.each(container, container)
        values = self.each(container, container.values())
        return [[key, values[index]] for index, key in enumerate(keys)]

    def name(self, thing: Any, kind: type) -> str:
        """The reference of a class or function, where references are allowed and it has one."""
        ref = reference(thing) if self.classes else None
        if ref is None:
            why = "is not found under its own name" if self.classes else "is not plain data"
            raise Unencodable(type_name(kind), why)
        return ref

    def special(self, value: Any, kind: Any) -> Any:
        """Everything that is not a builtin type."""
        handler = _NAMED.get(type_name(kind))
        if handler is not None and reference(kind) is not None:
            return handler(self, value)
        if self.iterators and is_lazy(kind):
            return _drained(self, drain(value))
        if isinstance(value, type):
            return ["type", _PLAIN_TYPES.get(value) or self.name(value, kind)]
        if isinstance(value, Enum):
            return _enum(self, value)
        if isinstance(value, BaseException):
            return ["exception", self.name(kind, kind), *self.each(value, value.args)]
        if issubclass(kind, _TUPLE) and hasattr(kind, "_fields") and not getattr(value, "__dict__", None):
            return ["namedtuple", self.name(kind, kind), *self.each(value, _items(value))]
        if kind.__module__ == "numpy" and isinstance(value, sys.modules["numpy"].generic):
            return _numpy_scalar(self, value)
        if is_plain(kind):
            ref = self.name(kind, kind)
            return ["object", ref, *self.fields(value)]
        raise Unencodable(type_name(kind))

    def fields(self, value: Any) -> List[Any]:
        state = state_of(value)
        trees = self.each(value, [field for _, field in state])
        return [[self.field_name(state[index][0]), tree] for index, tree in enumerate(trees)]

    def field_name(self, name: Any) -> str:
        encoded = self.text(name) if type(name) is str else None
        if type(encoded) is not str:
            raise Unencodable("attribute", "has a name that is not a plain string")
        return encoded


_Handler = Callable[[_Encoder, Any], Any]


def _items(value: Any) -> Tuple[Any, ...]:
    """The items of a tuple, whatever its class makes of `__iter__`."""
    return _TUPLE.__getitem__(value, slice(None))


def _sorted(encoder: _Encoder, value: Any) -> List[Any]:
    return sorted(encoder.each(value, value), key=canonical)


def _base64(encoder: _Encoder, data: bytes) -> str:
    encoder.spend(data, len(data))
    return b64encode(data).decode("ascii")


def _defaultdict(encoder: _Encoder, value: Any) -> Any:
    factory = value.default_factory
    if factory is None:
        return ["defaultdict", None, *encoder.pairs(value)]
    if isinstance(factory, type) and factory.__module__ == "builtins":
        return ["defaultdict", factory.__name__, *encoder.pairs(value)]
    return ["defaultdict", encoder.name(factory, _type_of(factory)), *encoder.pairs(value)]


def _drained(encoder: _Encoder, value: Drained) -> Any:
    trees = encoder.each(value, value.items)
    return ["iter", value.kind, *trees, ["more"]] if value.more else ["iter", value.kind, *trees]


def _function(encoder: _Encoder, value: Any) -> Any:
    return ["function", encoder.name(value, _type_of(value))]


def _enum(encoder: _Encoder, value: Enum) -> Any:
    kind = _type_of(value)
    ref, name = encoder.name(kind, kind), value._name_
    if kind.__members__.get(name) is not value:
        raise Unencodable(type_name(kind), "is a combination of flags")
    return ["enum", ref, name]


def _moment(_: _Encoder, value: Any) -> Any:
    """`time` and `datetime`: ISO text says everything but a named zone and the fold."""
    zone = value.tzinfo
    named = zone is not None and (type_name(type(zone)) != "datetime:timezone" or len(zone.__getinitargs__()) > 1)
    if named or value.fold:
        raise Unencodable(type_name(_type_of(value)), "has a named time zone or a fold")
    return [type(value).__name__, value.isoformat()]


def _numpy_scalar(encoder: _Encoder, value: Any) -> Any:
    kind = _type_of(value)
    if value.dtype.kind not in "biufcSU" or type(value.item()).__module__ != "builtins":
        raise Unencodable(type_name(kind))
    return ["object", encoder.name(kind, kind), ["value", encoder.encode(value.item())]]


def _ndarray(encoder: _Encoder, value: Any) -> Any:
    if value.dtype.kind not in "biufcSUmM":
        raise Unencodable("numpy:ndarray", f"of {value.dtype} has no exact encoding")
    return ["ndarray", value.dtype.str, list(value.shape), _base64(encoder, value.tobytes())]


_HANDLERS: Dict[type, _Handler] = {
    complex: lambda e, v: ["complex", e.encode(v.real), e.encode(v.imag)],
    bytes: lambda e, v: ["bytes", _base64(e, v)],
    bytearray: lambda e, v: ["bytearray", _base64(e, v)],
    list: lambda e, v: ["list", *e.each(v, v)],
    tuple: lambda e, v: ["tuple", *e.each(v, v)],
    set: lambda e, v: ["set", *_sorted(e, v)],
    frozenset: lambda e, v: ["frozenset", *_sorted(e, v)],
    dict: lambda e, v: ["dict", *e.pairs(v)],
    OrderedDict: lambda e, v: ["OrderedDict", *e.pairs(v)],
    Counter: lambda e, v: ["Counter", *e.pairs(v)],
    defaultdict: _defaultdict,
    deque: lambda e, v: ["deque", v.maxlen, *e.each(v, v)],
    range: lambda e, v: ["range", e.encode(v.start), e.encode(v.stop), e.encode(v.step)],
    slice: lambda e, v: ["slice", *e.each(v, (v.start, v.stop, v.step))],
    type(...): lambda _e, _v: ["ellipsis"],
    type(NotImplemented): lambda _e, _v: ["notimplemented"],
    FunctionType: _function,
    BuiltinFunctionType: _function,
    Drained: _drained,
}

# Types of modules that the player has no other reason to import.
_NAMED: Dict[str, _Handler] = {
    "decimal:Decimal": lambda _, v: ["Decimal", str(v)],
    "fractions:Fraction": lambda e, v: ["Fraction", e.encode(v.numerator), e.encode(v.denominator)],
    "datetime:date": lambda _, v: ["date", v.isoformat()],
    "datetime:time": _moment,
    "datetime:datetime": _moment,
    "datetime:timedelta": lambda _, v: ["timedelta", v.days, v.seconds, v.microseconds],
    "uuid:UUID": lambda _, v: ["uuid", v.hex],
    "pathlib:PosixPath": lambda _, v: ["path", str(v)],
    "pathlib._local:PosixPath": lambda _, v: ["path", str(v)],
    "numpy:ndarray": _ndarray,
}
