"""Kinds of the language and its standard library that name no class: numbers, texts, containers, dates and times.

Modules that a worker has no other reason to import are imported when such a value is decoded.
"""

from __future__ import annotations

from base64 import b64decode
from collections import Counter, OrderedDict, defaultdict, deque
from importlib import import_module
from itertools import combinations, permutations
from typing import Any, Callable, Dict, Iterator, List, Tuple

from .coding import PLAIN_TYPES, Decoder, Encoder, json_text
from .grammar import Below, Decode, DecodeError, Encode, EncodeError, Head, Kind, row
from .objects import lookup, reference, type_name

_type_of: Callable[[Any], Any] = type

# Numbers and texts


def _scalar(encoder: Encoder, value: Any) -> Any:
    return encoder.encode(value)


def _surrogates(_: Decoder, encoded: List[Any]) -> str:
    return bytes.fromhex(encoded[1]).decode("utf-8", "surrogatepass")


def _base64(tag: str) -> Encode:
    return lambda encoder, value: [tag, encoder.base64(value)]


def _bytes(_: Decoder, encoded: List[Any]) -> bytes:
    return b64decode(encoded[1])


def _bytearray(_: Decoder, encoded: List[Any]) -> bytearray:
    return bytearray(b64decode(encoded[1]))


_NAN = float("nan")
"""One object for all: `in`, sets and dicts find the same one, `==` finds none, so that inputs tell these apart."""


def _float(_: Decoder, encoded: List[Any]) -> float:
    return _NAN if encoded[1] == "nan" else float(encoded[1])


def _complex(encoder: Encoder, value: Any) -> Any:
    return ["complex", encoder.encode(value.real), encoder.encode(value.imag)]


def _fraction(encoder: Encoder, value: Any) -> Any:
    parts = (value.numerator, value.denominator)
    if not all(type(part) is int for part in parts):
        raise EncodeError("fractions:Fraction", "of something else than two ints")
    return ["Fraction", *encoder.each(value, parts)]


def _decimal(encoder: Encoder, value: Any) -> Any:
    # The context may ask for a small e.
    return ["Decimal", encoder.text(str(value).replace("e", "E"))]


def _path(encoder: Encoder, value: Any) -> Any:
    return ["path", encoder.text(str(value))]


def _triple(tag: str) -> Encode:
    return lambda encoder, value: [tag, *encoder.each(value, (value.start, value.stop, value.step))]


_UNICODE = 32
_FLAGS = tuple(
    sorted(i + m + s + x + a for i in (0, 2) for m in (0, 8) for s in (0, 16) for x in (0, 64) for a in (0, 256))
)
"""All of IGNORECASE, MULTILINE, DOTALL, VERBOSE and ASCII; UNICODE is told by the pattern, and DEBUG prints."""


def _pattern(encoder: Encoder, value: Any) -> Any:
    flags = value.flags & ~_UNICODE
    if flags not in _FLAGS:
        raise EncodeError("re:Pattern", "with these flags has no exact encoding")
    return ["pattern", flags, *encoder.each(value, [value.pattern])]


def _compiled(decoder: Decoder, encoded: List[Any]) -> Any:
    return import_module("re").compile(decoder.decode(encoded[2]), encoded[1])


# Identity


def _labelled(decoder: Decoder, encoded: List[Any]) -> Any:
    value = decoder.labelled[encoded[1]] = decoder.decode(encoded[2])
    return value


def _met_again(decoder: Decoder, encoded: List[Any]) -> Any:
    if encoded[1] not in decoder.labelled:
        raise DecodeError(f"nothing has the label {encoded[1]}")
    return decoder.labelled[encoded[1]]


# Containers


def _items(tag: str) -> Encode:
    return lambda encoder, value: [tag, *encoder.each(value, value)]


def _set_items(tag: str) -> Encode:
    """Sort the items, or where the receiver is to see the caller's order, and can (`in_order`), leave them in it."""

    def encode(encoder: Encoder, value: Any) -> Any:
        items = encoder.each(value, value)
        kept = not encoder.classes and all(map(_hashes_alike, value))
        return [tag, *(items if kept else sorted(items, key=json_text))]

    return encode


def _hashes_alike(value: Any) -> bool:
    """Whether a value has the same hash in every process, so that sets of such values iterate alike."""
    kind = _type_of(value)
    return kind in (int, float, bool) or (kind is tuple and all(map(_hashes_alike, value)))


_WAYS: Tuple[Callable[[List[Any]], Any], ...] = (
    lambda items: items,
    frozenset,
    dict.fromkeys,
    set,
    lambda items: set(frozenset(items)),
)
"""Ways in which programs come to a set of the same items: the size of its table, and so the order, depends on them."""
_MOST_ORDERED = 1000
_ALL_ORDERS = 5
_MOST_SWAPS = 40


def _insertions(items: List[Any]) -> Iterator[List[Any]]:
    """Yield orders in which the items may have been inserted: of two that want the same slot the first gets it."""
    yield items
    yield items[::-1]
    if len(items) <= _ALL_ORDERS:
        yield from map(list, permutations(items))
    elif len(items) <= _MOST_SWAPS:
        for one, other in combinations(range(len(items)), 2):
            swapped = items[:]
            swapped[one], swapped[other] = items[other], items[one]
            yield swapped


def _in_order(kind: Callable[[Any], Any]) -> Callable[[Decoder, List[Any]], Any]:
    """Make a set that iterates in the order of the encoded items, if one of the usual ways to make it gives one."""

    def decode(decoder: Decoder, encoded: List[Any]) -> Any:
        items = decoder.rest(encoded)
        if len(items) <= _MOST_ORDERED and all(map(_hashes_alike, items)):
            for order in _insertions(items):
                for way in _WAYS:
                    made = kind(way(order))
                    if list(made) == items:
                        return made
        return kind(items)

    return decode


def _pairs(tag: str) -> Encode:
    return lambda encoder, value: [tag, *encoder.pairs(value)]


def _ordered(decoder: Decoder, encoded: List[Any]) -> Any:
    return OrderedDict(decoder.pairs(encoded))


def _counter(decoder: Decoder, encoded: List[Any]) -> Any:
    made: Counter[Any] = Counter()
    made.update(decoder.pairs(encoded))
    return made


def _encode_deque(encoder: Encoder, value: Any) -> Any:
    return ["deque", encoder.encode(value.maxlen), *encoder.each(value, value)]


def _deque(decoder: Decoder, encoded: List[Any]) -> Any:
    return deque(decoder.rest(encoded, 2), decoder.decode(encoded[1]))


def _encode_defaultdict(encoder: Encoder, value: Any) -> Any:
    factory = value.default_factory
    if factory is None:
        return ["defaultdict", None, *encoder.pairs(value)]
    ref = reference(factory) or ""
    if ref.startswith("builtins:") and type(factory) is type:
        return ["defaultdict", ref.partition(":")[2], *encoder.pairs(value)]
    return ["defaultdict", encoder.name(factory, _type_of(factory)), *encoder.pairs(value)]


def _defaultdict(decoder: Decoder, encoded: List[Any]) -> Any:
    name = encoded[1]
    if name is None or name in PLAIN_TYPES:
        factory: Any = name and PLAIN_TYPES[name]
    elif decoder.classes:
        factory = lookup(name if ":" in name else f"builtins:{name}")
    else:
        raise DecodeError(f"defaultdict of {name} is not plain data")
    return defaultdict(factory, decoder.pairs(encoded, 2))


# Dates and times: ISO text says everything of a moment but the fold and a time zone that is more than an offset.


def _moment(encoder: Encoder, value: Any) -> Any:
    zone, tag = value.tzinfo, type(value).__name__
    if not value.fold and (zone is None or _is_offset(zone)):
        return [tag, value.isoformat()]
    return ["zoned", value.fold, encode_zone(encoder, zone), [tag, value.replace(tzinfo=None, fold=0).isoformat()]]


def _is_offset(zone: Any) -> bool:
    return type_name(type(zone)) == "datetime:timezone" and len(zone.__getinitargs__()) == 1


def _zoned(decoder: Decoder, encoded: List[Any]) -> Any:
    _, fold, zone, moment = encoded
    return decoder.decode(moment).replace(fold=fold, tzinfo=decoder.decode(zone))


def encode_zone(encoder: Encoder, zone: Any) -> Any:
    """Encode a time zone or None.

    Raises:
        EncodeError: It is neither of `datetime.timezone` nor a named one of `zoneinfo`.
    """
    name = type_name(type(zone))
    if zone is None:
        return None
    if name == "datetime:timezone":
        offset, *label = zone.__getinitargs__()
        return ["timezone", encoder.encode(offset), encoder.encode(label[0] if label else None)]
    if name == "zoneinfo:ZoneInfo" and type(zone.key) is str:
        return ["zoneinfo", encoder.encode(zone.key)]
    raise EncodeError(name)


def _timedelta(_: Encoder, value: Any) -> Any:
    return ["timedelta", value.days, value.seconds, value.microseconds]


def _timezone(decoder: Decoder, encoded: List[Any]) -> Any:
    return import_module("datetime").timezone(*(decoder.decode(part) for part in encoded[1:] if part is not None))


# Rows


def _called(module: str, name: str, method: str = "") -> Decode:
    """Decode by calling a class of the standard library, or one of its methods, with the decoded rest."""

    def decode(decoder: Decoder, encoded: List[Any]) -> Any:
        kind = getattr(import_module(module), name)
        return (getattr(kind, method) if method else kind)(*decoder.rest(encoded))

    return decode


def _of_stdlib(
    tag: str, of: str, encode: Encode, head: Head = (), below: Below = (), method: str = "", **more: Any
) -> Kind:
    """Make the row of a class that is called with the parts of its values, in Python as on the wire."""
    module, _, name = of.partition(":")
    decode = more.pop("decode", _called(module, name, method))
    more.setdefault("shown", f"{name}.{method}($1)" if method else f"{name}({'$1' if head else '$*'})")
    told: Dict[str, Any] = {"exact": True, "source": f"from {module} import {name}", "annotations": (name,)}
    return row(tag, more.pop("types", (of,)), head, below, encode, decode, **{**told, **more})


def _builtin(of: Any, head: Head, below: Below, encode: Encode, decode: Decode, **more: Any) -> Kind:
    told: Dict[str, Any] = {"annotations": (of.__name__,), "source": ""}
    return row(of.__name__, (of,), head, below, encode, decode, **{**told, **more})


def _singleton(tag: str, value: Any, shown: str) -> Kind:
    return row(tag, (_type_of(value),), (), (), lambda _, __: [tag], lambda _, __: value, shown=shown, source="")


def _container(of: Any, encode: Encode, decode: Decode, below: Below = "items", head: Head = (), **more: Any) -> Kind:
    source = "" if of.__module__ == "builtins" else f"from collections import {of.__name__}"
    return row(of.__name__, (of,), head, below, encode, decode, **{"source": source, "shrinks": "items", **more})


_TEXT: Head = ("text",)
_COUNTS: Head = ("count", "count", "count")
_INTS = ("int", "Integral", "SupportsInt", "SupportsIndex")
_FLOATS = ("float", "Real", "Number", "SupportsFloat")
_TEXTS = ("str", "Text", "AnyStr", "LiteralString")
_BYTES = ("bytes", "ByteString", "Buffer", "ReadableBuffer")
_PATHS = ("Path", "PurePath", "PurePosixPath", "PosixPath")
_PATH_TYPES = ("pathlib:PosixPath", "pathlib._local:PosixPath")
_ZONE = "timezone|zoneinfo|NoneType"
_OFFSET = ("timedelta", "str|NoneType")
_COMPILED: Dict[str, Any] = {
    "decode": _compiled,
    "shown": "re.compile($2, $1)",
    "source": "import re",
    "exact": False,
}
_DEFAULT: Dict[str, Any] = {"source": None, "shown": "defaultdict($1, {$*})"}
_MAPPING: Dict[str, Any] = {"mutable": True, "unordered": True}
_DAYS = "timedelta(days=$1, seconds=$2, microseconds=$3)"
_REPLACED = "$3.replace(fold=$1, tzinfo=$2)"

PLAIN: Tuple[Kind, ...] = (
    row("shared", (), ("count",), ("",), _scalar, _labelled, shown="#$1=$2"),
    row("ref", (), ("count",), (), _scalar, _met_again, shown="#$1#"),
    _builtin(int, _TEXT, (), _scalar, lambda _, e: int(e[1], 16), exact=True, annotations=_INTS),
    _builtin(float, (("nan", "inf", "-inf"),), (), _scalar, _float, shown="$1", source=None, annotations=_FLOATS),
    _builtin(str, _TEXT, (), _scalar, _surrogates, exact=True, annotations=_TEXTS),
    _builtin(bytes, _TEXT, (), _base64("bytes"), _bytes, exact=True, annotations=_BYTES),
    _builtin(bytearray, _TEXT, (), _base64("bytearray"), _bytearray, exact=True, mutable=True),
    _builtin(complex, (), ("float", "float"), _complex, _called("builtins", "complex")),
    _builtin(range, (), ("int", "int", "int"), _triple("range"), _called("builtins", "range"), exact=True),
    _builtin(slice, (), ("", "", ""), _triple("slice"), _called("builtins", "slice"), annotations=()),
    _singleton("ellipsis", ..., "..."),
    _singleton("notimplemented", NotImplemented, "NotImplemented"),
    _of_stdlib("Decimal", "decimal:Decimal", _decimal, _TEXT),
    _of_stdlib("Fraction", "fractions:Fraction", _fraction, below=("int", "int")),
    _of_stdlib("uuid", "uuid:UUID", lambda _, v: ["uuid", v.hex], _TEXT),
    _of_stdlib("path", "pathlib:Path", _path, below=("str",), types=_PATH_TYPES, annotations=_PATHS),
    _of_stdlib("pattern", "re:Pattern", _pattern, (_FLAGS,), ("str|bytes",), **_COMPILED),
    _of_stdlib("date", "datetime:date", lambda _, v: ["date", v.isoformat()], _TEXT, method="fromisoformat"),
    _of_stdlib("time", "datetime:time", _moment, _TEXT, method="fromisoformat"),
    _of_stdlib("datetime", "datetime:datetime", _moment, _TEXT, method="fromisoformat"),
    _of_stdlib("timedelta", "datetime:timedelta", _timedelta, _COUNTS, shown=_DAYS),
    _of_stdlib("timezone", "datetime:timezone", encode_zone, (), _OFFSET, decode=_timezone, source=None),
    _of_stdlib("zoneinfo", "zoneinfo:ZoneInfo", encode_zone, _TEXT, exact=False, annotations=()),
    row("zoned", (), ((0, 1),), (_ZONE, "time|datetime"), _moment, _zoned, shown=_REPLACED, source=""),
    _container(list, _items("list"), lambda d, e: d.rest(e), shown="[$*]", mutable=True),
    _container(tuple, _items("tuple"), lambda d, e: tuple(d.rest(e)), shrinks="places"),
    _container(set, _set_items("set"), _in_order(set), mutable=True, unordered=True),
    _container(frozenset, _set_items("frozenset"), _in_order(frozenset), unordered=True),
    _container(deque, _encode_deque, _deque, head=("bound",), shown="deque([$*], maxlen=$1)", mutable=True),
    _container(dict, _pairs("dict"), lambda d, e: d.pairs(e), "pairs", shown="{$*}", **_MAPPING),
    _container(OrderedDict, _pairs("OrderedDict"), _ordered, "pairs", shown="OrderedDict({$*})", mutable=True),
    _container(Counter, _pairs("Counter"), _counter, "pairs", shown="Counter({$*})", **_MAPPING),
    _container(defaultdict, _encode_defaultdict, _defaultdict, "pairs", ("factory",), **_DEFAULT, **_MAPPING),
)
