"""Objects of the standard library that calls change: buffers, namespaces, generators of random numbers."""

from __future__ import annotations

from base64 import b64decode
from importlib import import_module
from typing import Any, Dict, List, Tuple

from .coding import Decoder, Encoder
from .grammar import DecodeError, EncodeError, Kind, row

_RANDOM_VERSION = 3
_ROW: Dict[str, Any] = {"mutable": True}


def _encode_buffer(tag: str, nothing: Any) -> Any:
    def encode(encoder: Encoder, value: Any) -> Any:
        if value.closed:
            return [tag, encoder.encode(nothing), None]
        return [tag, encoder.encode(value.getvalue()), value.tell()]

    return encode


def _decode_buffer(tag: str) -> Any:
    def decode(decoder: Decoder, encoded: List[Any]) -> Any:
        made = getattr(import_module("io"), tag)(decoder.decode(encoded[1]))
        if encoded[2] is None:
            made.close()
        else:
            made.seek(encoded[2])
        return made

    return decode


def _encode_array(encoder: Encoder, value: Any) -> Any:
    return ["array", value.typecode, *encoder.each(value, value)]


def _decode_array(decoder: Decoder, encoded: List[Any]) -> Any:
    return import_module("array").array(encoded[1], decoder.rest(encoded, 2))


def _encode_namespace(encoder: Encoder, value: Any) -> Any:
    fields = sorted(value.__dict__.items())
    values = encoder.each(value, [field for _, field in fields])
    return ["SimpleNamespace", *([encoder.field_name(name), values[at]] for at, (name, _) in enumerate(fields))]


def _decode_namespace(decoder: Decoder, encoded: List[Any]) -> Any:
    return import_module("types").SimpleNamespace(**{name: decoder.decode(value) for name, value in encoded[1:]})


def _encode_random(encoder: Encoder, value: Any) -> Any:
    version, numbers, gauss = value.getstate()
    if version != _RANDOM_VERSION:
        raise EncodeError("random:Random")
    data = b"".join(number.to_bytes(4, "little") for number in numbers)
    return ["Random", encoder.base64(data), encoder.encode(gauss)]


def _decode_random(decoder: Decoder, encoded: List[Any]) -> Any:
    made = import_module("random").Random(0)
    data = b64decode(encoded[1])
    numbers = [int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data), 4)]
    try:
        made.setstate((_RANDOM_VERSION, tuple(numbers), decoder.decode(encoded[2])))
    except (ValueError, TypeError) as error:
        raise DecodeError(f"no state of random numbers: {error}") from error
    return made


_TEXT_FILES, _BYTE_FILES = ("StringIO", "TextIO"), ("BytesIO", "BinaryIO")
STATEFUL: Tuple[Kind, ...] = (
    row(
        "StringIO",
        ("_io:StringIO",),
        (),
        ("str", "int|NoneType"),
        _encode_buffer("StringIO", ""),
        _decode_buffer("StringIO"),
        shown="<StringIO of $1 at $2>",
        annotations=_TEXT_FILES,
        **_ROW,
    ),
    row(
        "BytesIO",
        ("_io:BytesIO",),
        (),
        ("bytes", "int|NoneType"),
        _encode_buffer("BytesIO", b""),
        _decode_buffer("BytesIO"),
        shown="<BytesIO of $1 at $2>",
        annotations=_BYTE_FILES,
        **_ROW,
    ),
    row(
        "array",
        ("array:array",),
        ("word",),
        "items",
        _encode_array,
        _decode_array,
        shown="<array $1 of $*>",
        annotations=("array",),
        **_ROW,
    ),
    row(
        "SimpleNamespace",
        ("types:SimpleNamespace",),
        (),
        "fields",
        _encode_namespace,
        _decode_namespace,
        shown="SimpleNamespace($*)",
        **_ROW,
    ),
    row(
        "Random",
        ("random:Random",),
        ("text",),
        ("float|NoneType",),
        _encode_random,
        _decode_random,
        shown="<Random in some state>",
        annotations=("Random",),
        **_ROW,
    ),
)
