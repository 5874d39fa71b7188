"""From values to trees. The format is described in `codec`."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter, OrderedDict, defaultdict, deque
from enum import Enum, Flag
from itertools import islice
from json import JSONEncoder
from math import isfinite
from types import BuiltinFunctionType, FunctionType
from typing import Any, Callable, Collection, Dict, List, Set, Tuple

from .arrays import encode_array, encode_scalar, is_scalar
from .moments import encode_moment, encode_zone
from .objects import (
    PLAIN_TYPES,
    dictionary_of,
    hidden_fields,
    is_lazy,
    is_namedtuple,
    is_plain,
    names_of,
    reference,
    state_of,
    type_name,
)
from .refusing import EncodeError
from .tables import PANDAS

MAX_DEPTH = 150
"""Of containers in containers; a few Python frames each must fit under the usual recursion limit."""
MAX_SIZE = 32 << 20
"""Bound on a tree, in characters; an item of a container counts as `_ITEM` of them."""
_ITEM = 24
"""So that no tree has more nodes than the judge takes."""
MAX_ITERATED = 10_000
"""Items taken from an iterator."""
_EXACT_INT = 1 << 53
_TUPLE: Any = tuple
_type_of: Callable[[Any], Any] = type

_dumps = JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False, allow_nan=False).encode


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
        EncodeError: It holds something that has no exact encoding, itself, or too much.
    """
    return Encoder(classes, iterators).encode(value)


class Encoder:
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
            return value if -_EXACT_INT < value < _EXACT_INT else self.large(value)
        if kind is float:
            return value if isfinite(value) else ["float", str(value)]
        if kind is str:
            return self.text(value)
        handler = _HANDLERS.get(kind)
        if handler is not None:
            return handler(self, value)
        return self.special(value, kind)

    def large(self, value: int) -> Any:
        self.spend(value, value.bit_length() // 4)
        return ["int", format(value, "x")]

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
            raise EncodeError(type_name(_type_of(value)), f"is larger than {MAX_SIZE} characters and items")

    def each(self, container: Any, values: Collection[Any]) -> List[Any]:
        """Encode what a container holds, with the container on the path."""
        key = id(container)
        if key in self.path:
            raise EncodeError(type_name(_type_of(container)), "refers to itself")
        if len(self.path) >= MAX_DEPTH:
            raise EncodeError(type_name(_type_of(container)), f"is nested deeper than {MAX_DEPTH}")
        self.spend(container, _ITEM * len(values))
        self.path.add(key)
        trees = [self.encode(value) for value in values]
        self.path.discard(key)
        return trees

    def pairs(self, container: Dict[Any, Any]) -> List[Any]:
        keys = self.each(container, container)
        values = self.each(container, container.values())
        return [[key, values[index]] for index, key in enumerate(keys)]

    def base64(self, data: Any) -> str:
        self.spend(data, len(data))
        return b64encode(data).decode("ascii")

    def name(self, thing: Any, kind: type) -> str:
        """The reference of a class or function, where references are allowed and it has one."""
        ref = reference(thing) if self.classes else None
        if ref is None:
            why = "is not found under its own name" if self.classes else "is not plain data"
            raise EncodeError(type_name(kind), why)
        return ref

    def special(self, value: Any, kind: Any) -> Any:
        """Everything that is not a builtin type."""
        handler = _NAMED.get(type_name(kind))
        if handler is not None and reference(kind) is not None:
            return handler(self, value)
        if self.iterators and is_lazy(kind):
            return _drained(self, drain(value))
        if issubclass(kind, type):
            return ["type", _plain_reference(value) or self.name(value, kind)]
        if issubclass(kind, Enum):
            return _enum(self, value, kind)
        if issubclass(kind, BaseException):
            return _exception(self, value, kind)
        if is_namedtuple(kind) and not dictionary_of(value):
            return ["namedtuple", self.name(kind, kind), *self.each(value, _items(value))]
        if is_scalar(kind):
            return encode_scalar(self, value)
        if is_plain(kind):
            return ["object", self.name(kind, kind), *self.fields(value)]
        raise EncodeError(type_name(kind))

    def fields(self, value: Any) -> List[Any]:
        state = state_of(value)
        if state is None:
            raise EncodeError(type_name(_type_of(value)), "hides its state")
        trees = self.each(value, [field for _, field in state])
        return [[self.field_name(state[index][0]), tree] for index, tree in enumerate(trees)]

    def field_name(self, name: Any) -> str:
        encoded = self.text(name) if type(name) is str else None
        if type(encoded) is not str:
            raise EncodeError("attribute", "has a name that is not a plain string")
        return encoded


_Handler = Callable[[Encoder, Any], Any]


_args_of: Any = BaseException.__dict__["args"].__get__


def _items(value: Any) -> Tuple[Any, ...]:
    """The items of a tuple, whatever its class makes of `__iter__`."""
    return _TUPLE.__getitem__(value, slice(None))


def _sorted(encoder: Encoder, value: Any) -> List[Any]:
    return sorted(encoder.each(value, value), key=canonical)


def _defaultdict(encoder: Encoder, value: Any) -> Any:
    factory = value.default_factory
    if factory is None:
        return ["defaultdict", None, *encoder.pairs(value)]
    ref = reference(factory) or ""
    if ref.startswith("builtins:") and _type_of(factory) is type:
        return ["defaultdict", ref.partition(":")[2], *encoder.pairs(value)]
    return ["defaultdict", encoder.name(factory, _type_of(factory)), *encoder.pairs(value)]


def _plain_reference(kind: Any) -> str:
    return next((f"builtins:{name}" for name, plain in PLAIN_TYPES.items() if plain is kind), "")


def _drained(encoder: Encoder, value: Drained) -> Any:
    trees = encoder.each(value, value.items)
    return ["iter", value.kind, *trees, ["more"]] if value.more else ["iter", value.kind, *trees]


def _function(encoder: Encoder, value: Any) -> Any:
    return ["function", encoder.name(value, _type_of(value))]


def _enum(encoder: Encoder, value: Any, kind: Any) -> Any:
    state = dictionary_of(value) or {}
    name = state.get("_name_")
    if type(name) is str and names_of(kind)["_member_map_"].get(name) is value:
        return ["enum", encoder.name(kind, kind), encoder.field_name(name)]
    if issubclass(kind, Flag) and type(state.get("_value_")) is int:
        return ["flags", encoder.name(kind, kind), encoder.encode(state["_value_"])]
    raise EncodeError(type_name(kind), "is no member of its class")


def _exception(encoder: Encoder, value: BaseException, kind: Any) -> Any:
    if hidden_fields(value):
        raise EncodeError(type_name(kind), "holds more than its arguments")
    return ["exception", encoder.name(kind, kind), *encoder.each(value, _args_of(value))]


def _fraction(encoder: Encoder, value: Any) -> Any:
    parts = (value.numerator, value.denominator)
    if not all(type(part) is int for part in parts):
        raise EncodeError("fractions:Fraction", "of something else than two ints")
    return ["Fraction", *encoder.each(value, parts)]


def _path(encoder: Encoder, value: Any) -> Any:
    return ["path", encoder.text(str(value))]


def _decimal(encoder: Encoder, value: Any) -> Any:
    # The context may ask for a small e.
    return ["Decimal", encoder.text(str(value).replace("e", "E"))]


_HANDLERS: Dict[type, _Handler] = {
    complex: lambda e, v: ["complex", e.encode(v.real), e.encode(v.imag)],
    bytes: lambda e, v: ["bytes", e.base64(v)],
    bytearray: lambda e, v: ["bytearray", e.base64(v)],
    list: lambda e, v: ["list", *e.each(v, v)],
    tuple: lambda e, v: ["tuple", *e.each(v, v)],
    set: lambda e, v: ["set", *_sorted(e, v)],
    frozenset: lambda e, v: ["frozenset", *_sorted(e, v)],
    dict: lambda e, v: ["dict", *e.pairs(v)],
    OrderedDict: lambda e, v: ["OrderedDict", *e.pairs(v)],
    Counter: lambda e, v: ["Counter", *e.pairs(v)],
    defaultdict: _defaultdict,
    deque: lambda e, v: ["deque", e.encode(v.maxlen), *e.each(v, v)],
    range: lambda e, v: ["range", e.encode(v.start), e.encode(v.stop), e.encode(v.step)],
    slice: lambda e, v: ["slice", *e.each(v, (v.start, v.stop, v.step))],
    type(...): lambda _e, _v: ["ellipsis"],
    type(NotImplemented): lambda _e, _v: ["notimplemented"],
    FunctionType: _function,
    BuiltinFunctionType: _function,
    Drained: _drained,
}

# Types of modules that the worker has no other reason to import.
_NAMED: Dict[str, _Handler] = {
    "decimal:Decimal": _decimal,
    "fractions:Fraction": _fraction,
    "datetime:date": lambda _, v: ["date", v.isoformat()],
    "datetime:time": encode_moment,
    "datetime:datetime": encode_moment,
    "datetime:timedelta": lambda _, v: ["timedelta", v.days, v.seconds, v.microseconds],
    "datetime:timezone": encode_zone,
    "zoneinfo:ZoneInfo": encode_zone,
    "uuid:UUID": lambda _, v: ["uuid", v.hex],
    "pathlib:PosixPath": _path,
    "pathlib._local:PosixPath": _path,
    "numpy:ndarray": encode_array,
    **PANDAS,
}
