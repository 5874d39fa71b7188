"""Kinds of the language and its standard library that name no class: numbers, texts, containers, dates and times.

Modules that a worker has no other reason to import are imported when such a value is decoded.
"""

from __future__ import annotations

from base64 import b64decode
from collections import Counter, OrderedDict, defaultdict, deque
from importlib import import_module
from typing import Any, Callable, Dict, FrozenSet, List, Tuple

from .coding import PLAIN_TYPES, Decoder, Encoder, json_text
from .grammar import (
    ANY,
    BOUND,
    COUNT,
    FACTORY,
    FLOAT,
    INT,
    ITEMS,
    PAIRS,
    STR,
    TEXT,
    Below,
    Decode,
    DecodeError,
    Encode,
    EncodeError,
    Head,
    Kind,
)
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


# Containers


def _items(tag: str) -> Encode:
    return lambda encoder, value: [tag, *encoder.each(value, value)]


def _sorted(tag: str) -> Encode:
    return lambda encoder, value: [tag, *sorted(encoder.each(value, value), key=json_text)]


def _pairs(tag: str) -> Encode:
    return lambda encoder, value: [tag, *encoder.pairs(value)]


def _counter(decoder: Decoder, encoded: List[Any]) -> Any:
    made: Counter[Any] = Counter()
    made.update(decoder.pairs(encoded))
    return made


def _bounded(encoder: Encoder, value: Any) -> Any:
    return ["deque", encoder.encode(value.maxlen), *encoder.each(value, value)]


def _deque(decoder: Decoder, encoded: List[Any]) -> Any:
    return deque(decoder.rest(encoded, 2), decoder.decode(encoded[1]))


def _with_factory(encoder: Encoder, value: Any) -> Any:
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


def _timezone(decoder: Decoder, encoded: List[Any]) -> Any:
    return import_module("datetime").timezone(*(decoder.decode(part) for part in encoded[1:] if part is not None))


# Rows


def _called(module: str, name: str, method: str = "") -> Decode:
    """Decode by calling a class of the standard library, or one of its methods, with the decoded rest."""

    def decode(decoder: Decoder, encoded: List[Any]) -> Any:
        kind = getattr(import_module(module), name)
        return (getattr(kind, method) if method else kind)(*decoder.rest(encoded))

    return decode


def _builtin(of: Any, encode: Encode, decode: Decode, head: Head = (), below: Below = (), **more: Any) -> Kind:
    more.setdefault("source", "")
    return Kind(of.__name__, (of,), head, below, encode, decode, **more)


def _container(of: Any, encode: Encode, decode: Decode, below: Below = ITEMS, **more: Any) -> Kind:
    more.setdefault("source", "" if of.__module__ == "builtins" else f"from collections import {of.__name__}")
    more.setdefault("shrinks", "items")
    return _builtin(of, encode, decode, below=below, **more)


def _of_stdlib(
    tag: str, of: str, encode: Encode, head: Head = (), below: Below = (), method: str = "", **more: Any
) -> Kind:
    """Make the row of a class that is called with the parts of its values, in Python as on the wire."""
    module, _, name = of.partition(":")
    call = f"{name}.{method}" if method else name
    told: Dict[str, Any] = {
        "types": (of,),
        "decode": _called(module, name, method),
        "exact": True,
        "shown": f"{call}({'$1' if head else '$*'})",
        "source": f"from {module} import {name}",
        "annotations": (name,),
    }
    return Kind(tag, head=head, below=below, encode=encode, **{**told, **more})


def _singleton(tag: str, value: Any, shown: str) -> Kind:
    def encode(_: Encoder, __: Any) -> Any:
        return [tag]

    def decode(_: Decoder, __: List[Any]) -> Any:
        return value

    return Kind(tag, (type(value),), (), (), encode, decode, shown=shown, source="")


_INTS = ("int", "Integral", "SupportsInt", "SupportsIndex")
_FLOATS = ("float", "Real", "Number", "SupportsFloat")
_TEXTS = ("str", "Text", "AnyStr", "LiteralString")
_BYTES = ("bytes", "ByteString", "Buffer", "ReadableBuffer")
_PATHS = ("Path", "PurePath", "PurePosixPath", "PosixPath")
_PATH_TYPES = ("pathlib:PosixPath", "pathlib._local:PosixPath")
_NOTHING = frozenset({"NoneType"})
_ZONE: FrozenSet[str] = frozenset({"timezone", "zoneinfo", "NoneType"})
_DAYS = "timedelta(days=$1, seconds=$2, microseconds=$3)"

PLAIN: Tuple[Kind, ...] = (
    _builtin(int, _scalar, lambda _, e: int(e[1], 16), (TEXT,), exact=True, annotations=_INTS),
    _builtin(
        float,
        _scalar,
        lambda _, e: float(e[1]),
        (("nan", "inf", "-inf"),),
        source=None,
        shown="$1",
        annotations=_FLOATS,
    ),
    _builtin(str, _scalar, _surrogates, (TEXT,), exact=True, annotations=_TEXTS),
    _builtin(bytes, _base64("bytes"), _bytes, (TEXT,), exact=True, annotations=_BYTES),
    _builtin(
        bytearray,
        _base64("bytearray"),
        lambda _, e: bytearray(b64decode(e[1])),
        (TEXT,),
        exact=True,
        mutable=True,
        annotations=("bytearray",),
    ),
    _builtin(complex, _complex, lambda d, e: complex(*d.rest(e)), below=(FLOAT, FLOAT), annotations=("complex",)),
    _builtin(
        range,
        _triple("range"),
        lambda d, e: range(*d.rest(e)),
        below=(INT, INT, INT),
        exact=True,
        annotations=("range",),
    ),
    _builtin(slice, _triple("slice"), lambda d, e: slice(*d.rest(e)), below=(ANY, ANY, ANY)),
    _singleton("ellipsis", ..., "..."),
    _singleton("notimplemented", NotImplemented, "NotImplemented"),
    _of_stdlib("Decimal", "decimal:Decimal", _decimal, (TEXT,)),
    _of_stdlib("Fraction", "fractions:Fraction", _fraction, below=(INT, INT)),
    _of_stdlib("uuid", "uuid:UUID", lambda _, v: ["uuid", v.hex], (TEXT,)),
    _of_stdlib("path", "pathlib:Path", _path, below=(STR,), types=_PATH_TYPES, annotations=_PATHS),
    _of_stdlib(
        "pattern",
        "re:Pattern",
        _pattern,
        (_FLAGS,),
        (STR | {"bytes"},),
        decode=_compiled,
        exact=False,
        shown="re.compile($2, $1)",
        source="import re",
    ),
    _of_stdlib("date", "datetime:date", lambda _, v: ["date", v.isoformat()], (TEXT,), method="fromisoformat"),
    _of_stdlib("time", "datetime:time", _moment, (TEXT,), method="fromisoformat"),
    _of_stdlib("datetime", "datetime:datetime", _moment, (TEXT,), method="fromisoformat"),
    _of_stdlib(
        "timedelta",
        "datetime:timedelta",
        lambda _, v: ["timedelta", v.days, v.seconds, v.microseconds],
        (COUNT, COUNT, COUNT),
        shown=_DAYS,
    ),
    _of_stdlib(
        "timezone",
        "datetime:timezone",
        encode_zone,
        below=(frozenset({"timedelta"}), STR | _NOTHING),
        decode=_timezone,
        source=None,
    ),
    _of_stdlib("zoneinfo", "zoneinfo:ZoneInfo", encode_zone, (TEXT,), exact=False, annotations=()),
    Kind(
        "zoned",
        (),
        ((0, 1),),
        (_ZONE, frozenset({"time", "datetime"})),
        _moment,
        _zoned,
        shown="$3.replace(fold=$1, tzinfo=$2)",
        source="",
    ),
    _container(list, _items("list"), lambda d, e: d.rest(e), mutable=True, shown="[$*]"),
    _container(tuple, _items("tuple"), lambda d, e: tuple(d.rest(e)), shrinks="places"),
    _container(set, _sorted("set"), lambda d, e: set(d.rest(e)), mutable=True, unordered=True),
    _container(frozenset, _sorted("frozenset"), lambda d, e: frozenset(d.rest(e)), unordered=True),
    _container(deque, _bounded, _deque, head=(BOUND,), mutable=True, shown="deque([$*], maxlen=$1)"),
    _container(dict, _pairs("dict"), lambda d, e: d.pairs(e), PAIRS, mutable=True, unordered=True, shown="{$*}"),
    _container(
        OrderedDict,
        _pairs("OrderedDict"),
        lambda d, e: OrderedDict(d.pairs(e)),
        PAIRS,
        mutable=True,
        shown="OrderedDict({$*})",
    ),
    _container(Counter, _pairs("Counter"), _counter, PAIRS, mutable=True, unordered=True, shown="Counter({$*})"),
    _container(
        defaultdict,
        _with_factory,
        _defaultdict,
        PAIRS,
        head=(FACTORY,),
        mutable=True,
        unordered=True,
        source=None,
        shown="defaultdict($1, {$*})",
    ),
)
