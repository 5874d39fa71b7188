"""From trees to values. The format is described in `codec`."""

from __future__ import annotations

from base64 import b64decode
from collections import Counter, OrderedDict, defaultdict, deque
from importlib import import_module
from typing import Any, Callable, Dict, List, cast

from .arrays import decode_array, decode_scalar
from .moments import decode_timezone, decode_zoned, decode_zoneinfo
from .objects import PLAIN_TYPES, lookup, make
from .refusing import DecodeError
from .tables import decode_pandas


def decode(tree: Any, *, classes: bool = True) -> Any:
    """A fresh value of a tree.

    Args:
        tree: What `encode` made.
        classes: Whether trees that name a class or function are allowed, other than a few builtin types; these import
            its module.

    Raises:
        DecodeError: The tag is unknown, or names a class where that is not allowed.
        ImportError, AttributeError: the class or function is not there.
    """
    return Decoder(classes).decode(tree)


class Decoder:
    def __init__(self, classes: bool) -> None:
        self.classes = classes

    def decode(self, tree: Any) -> Any:
        if not isinstance(tree, list):
            return tree
        return self.build(cast("List[Any]", tree))

    def build(self, tree: List[Any]) -> Any:
        tag = tree[0]
        plain = _PLAIN.get(tag)
        if plain is not None:
            return plain(self, tree)
        if tag == "type" and tree[1].partition(":")[2] in PLAIN_TYPES and tree[1].startswith("builtins:"):
            return lookup(tree[1])
        named = _NAMED.get(tag)
        if named is None:
            raise DecodeError(f"no value is encoded as {tag!r}")
        if not self.classes:
            raise DecodeError(f"{tag} {tree[1]} is not plain data")
        return named(self, tree)

    def rest(self, tree: List[Any], start: int = 1) -> List[Any]:
        return [self.decode(item) for item in tree[start:]]

    def pairs(self, tree: List[Any], start: int = 1) -> Dict[Any, Any]:
        return {self.decode(pair[0]): self.decode(pair[1]) for pair in tree[start:]}


def _int(_: Decoder, tree: List[Any]) -> int:
    return int(tree[1], 16)


def _counter(decoder: Decoder, tree: List[Any]) -> Any:
    made: Counter[Any] = Counter()
    made.update(decoder.pairs(tree))
    return made


def _defaultdict(decoder: Decoder, tree: List[Any]) -> Any:
    name = tree[1]
    if name is None or name in PLAIN_TYPES:
        factory: Any = name and PLAIN_TYPES[name]
    elif decoder.classes:
        factory = lookup(name if ":" in name else f"builtins:{name}")
    else:
        raise DecodeError(f"defaultdict of {name} is not plain data")
    return defaultdict(factory, decoder.pairs(tree, 2))


def _iterator(decoder: Decoder, tree: List[Any]) -> Any:
    if tree[-1] == ["more"]:
        raise DecodeError("an iterator that was not read to its end")
    return iter(decoder.rest(tree, 2))


def _of_stdlib(module: str, name: str, method: str = "") -> Callable[[Decoder, List[Any]], Any]:
    """Build by calling a class of the standard library, or one of its methods, with the decoded rest of the tree."""

    def build(decoder: Decoder, tree: List[Any]) -> Any:
        kind = getattr(import_module(module), name)
        return (getattr(kind, method) if method else kind)(*decoder.rest(tree))

    return build


def _enum(_: Decoder, tree: List[Any]) -> Any:
    return lookup(tree[1])[tree[2]]


def _flags(decoder: Decoder, tree: List[Any]) -> Any:
    return lookup(tree[1])(decoder.decode(tree[2]))


def _namedtuple(decoder: Decoder, tree: List[Any]) -> Any:
    base: Any = tuple
    return base.__new__(lookup(tree[1]), decoder.rest(tree, 2))


def _exception(decoder: Decoder, tree: List[Any]) -> Any:
    kind = lookup(tree[1])
    args = decoder.rest(tree, 2)
    made = kind.__new__(kind, *args)
    made.args = tuple(args)
    return made


def _object(decoder: Decoder, tree: List[Any]) -> Any:
    kind = lookup(tree[1])
    if tree[1].startswith("numpy:"):
        return decode_scalar(decoder, kind, tree)
    return make(kind, [(name, decoder.decode(value)) for name, value in tree[2:]])


_Builder = Callable[[Decoder, List[Any]], Any]

_PLAIN: Dict[str, _Builder] = {
    "int": _int,
    "float": lambda _, t: float(t[1]),
    "str": lambda _, t: bytes.fromhex(t[1]).decode("utf-8", "surrogatepass"),
    "complex": lambda d, t: complex(*d.rest(t)),
    "bytes": lambda _, t: b64decode(t[1]),
    "bytearray": lambda _, t: bytearray(b64decode(t[1])),
    "list": lambda d, t: d.rest(t),
    "tuple": lambda d, t: tuple(d.rest(t)),
    "set": lambda d, t: set(d.rest(t)),
    "frozenset": lambda d, t: frozenset(d.rest(t)),
    "dict": lambda d, t: d.pairs(t),
    "OrderedDict": lambda d, t: OrderedDict(d.pairs(t)),
    "Counter": _counter,
    "defaultdict": _defaultdict,
    "deque": lambda d, t: deque(d.rest(t, 2), d.decode(t[1])),
    "range": lambda d, t: range(*d.rest(t)),
    "slice": lambda d, t: slice(*d.rest(t)),
    "ellipsis": lambda _d, _t: ...,
    "notimplemented": lambda _d, _t: NotImplemented,
    "Decimal": _of_stdlib("decimal", "Decimal"),
    "Fraction": _of_stdlib("fractions", "Fraction"),
    "date": _of_stdlib("datetime", "date", "fromisoformat"),
    "time": _of_stdlib("datetime", "time", "fromisoformat"),
    "datetime": _of_stdlib("datetime", "datetime", "fromisoformat"),
    "timedelta": _of_stdlib("datetime", "timedelta"),
    "uuid": _of_stdlib("uuid", "UUID"),
    "path": _of_stdlib("pathlib", "Path"),
    "zoned": decode_zoned,
    "timezone": decode_timezone,
    "zoneinfo": decode_zoneinfo,
    "ndarray": decode_array,
    "pandas": decode_pandas,
    "iter": _iterator,
}

_NAMED: Dict[str, _Builder] = {
    "enum": _enum,
    "flags": _flags,
    "namedtuple": _namedtuple,
    "exception": _exception,
    "object": _object,
    "type": lambda _, t: lookup(t[1]),
    "function": lambda _, t: lookup(t[1]),
}

_MUTABLE = {"bytearray", "list", "set", "dict", "OrderedDict", "Counter", "defaultdict", "deque", "ndarray", "iter"} | {
    "object",
    "exception",
    "pandas",
}


def is_mutable(tree: Any) -> bool:
    """Whether a call that gets this value could change it."""
    if not isinstance(tree, list):
        return False
    items = cast("List[Any]", tree)
    return items[0] in _MUTABLE or any(is_mutable(item) for item in items[1:])
