"""Kinds that name a class or function, and iterators: all that is read off the interpreter's own records."""

from __future__ import annotations

from enum import Enum, Flag
from types import BuiltinFunctionType, FunctionType
from typing import Any, Callable, Dict, List, Tuple

from .arrays import decode_scalar, encode_scalar, is_scalar
from .coding import PLAIN_TYPES, Decoder, Drained, Encoder, drain
from .grammar import DecodeError, EncodeError, Head, Kind, row
from .objects import (
    dictionary_of,
    hidden_fields,
    is_lazy,
    is_namedtuple,
    is_plain,
    lookup,
    make,
    names_of,
    state_of,
    type_name,
)

_TUPLE: Any = tuple
_type_of: Callable[[Any], Any] = type
_args_of: Any = BaseException.__dict__["args"].__get__


def _encode_iterator(encoder: Encoder, value: Any) -> Any:
    if type(value) is not Drained:
        if not encoder.iterators:
            raise EncodeError(type_name(_type_of(value)))
        value = drain(value)
    encoded = ["iter", value.kind, *encoder.each(value, value.items)]
    return [*encoded, ["more"]] if value.more else encoded


def _decode_iterator(decoder: Decoder, encoded: List[Any]) -> Any:
    if encoded[-1] == ["more"]:
        raise DecodeError("an iterator that was not read to its end")
    return iter(decoder.rest(encoded, 2))


def _encode_type(encoder: Encoder, value: Any) -> Any:
    plain = next((f"builtins:{name}" for name, plain in PLAIN_TYPES.items() if plain is value), "")
    return ["type", plain or encoder.name(value, _type_of(value))]


def _encode_function(encoder: Encoder, value: Any) -> Any:
    return ["function", encoder.name(value, _type_of(value))]


def _encode_enum(encoder: Encoder, value: Any) -> Any:
    kind, state = _type_of(value), dictionary_of(value) or {}
    name = state.get("_name_")
    if type(name) is str and names_of(kind)["_member_map_"].get(name) is value:
        return ["enum", encoder.name(kind, kind), encoder.field_name(name)]
    if issubclass(kind, Flag) and type(state.get("_value_")) is int:
        return ["flags", encoder.name(kind, kind), encoder.encode(state["_value_"])]
    raise EncodeError(type_name(kind), "is no member of its class")


def _decode_enum(_: Decoder, encoded: List[Any]) -> Any:
    return lookup(encoded[1])[encoded[2]]


def _decode_flags(decoder: Decoder, encoded: List[Any]) -> Any:
    return lookup(encoded[1])(decoder.decode(encoded[2]))


def _encode_exception(encoder: Encoder, value: BaseException) -> Any:
    kind: Any = _type_of(value)
    if hidden_fields(value):
        raise EncodeError(type_name(kind), "holds more than its arguments")
    return ["exception", encoder.name(kind, kind), *encoder.each(value, _args_of(value))]


def _decode_exception(decoder: Decoder, encoded: List[Any]) -> Any:
    kind = lookup(encoded[1])
    args = decoder.rest(encoded, 2)
    made = kind.__new__(kind, *args)
    made.args = tuple(args)
    return made


def _encode_namedtuple(encoder: Encoder, value: Any) -> Any:
    kind = _type_of(value)
    if dictionary_of(value):
        raise EncodeError(type_name(kind))
    items: Tuple[Any, ...] = _TUPLE.__getitem__(value, slice(None))  # whatever its class makes of `__iter__`
    return ["namedtuple", encoder.name(kind, kind), *encoder.each(value, items)]


def _decode_namedtuple(decoder: Decoder, encoded: List[Any]) -> Any:
    return _TUPLE.__new__(lookup(encoded[1]), decoder.rest(encoded, 2))


def _has_fields(kind: Any) -> bool:
    return is_scalar(kind) or is_plain(kind)


def _encode_object(encoder: Encoder, value: Any) -> Any:
    kind = _type_of(value)
    if is_scalar(kind):
        return encode_scalar(encoder, value)
    name, state = encoder.name(kind, kind), state_of(value)
    if state is None:
        raise EncodeError(type_name(kind), "hides its state")
    fields = encoder.each(value, [field for _, field in state])
    return ["object", name, *([encoder.field_name(state[place][0]), field] for place, field in enumerate(fields))]


def _decode_object(decoder: Decoder, encoded: List[Any]) -> Any:
    kind, fields = lookup(encoded[1]), [(name, decoder.decode(value)) for name, value in encoded[2:]]
    return decode_scalar(kind, dict(fields)) if encoded[1].startswith("numpy:") else make(kind, fields)


def _looked_up(_: Decoder, encoded: List[Any]) -> Any:
    return lookup(encoded[1])


def _subclasses_of(base: type) -> Callable[[Any], bool]:
    return lambda kind: issubclass(kind, base)


_NAME: Head = ("name",)
_ITERATOR: Dict[str, Any] = {"shown": "<$1 of [$*]>", "mutable": True}
_MEMBER: Dict[str, Any] = {"shown": "$1.$2", "source": "$1"}
_PLACES: Dict[str, Any] = {"shown": "$1($*)", "source": "$1", "shrinks": "places"}
_STATE: Dict[str, Any] = {"shown": "$1($*)", "mutable": True}
_is_exception = _subclasses_of(BaseException)
_FUNCTIONS = (FunctionType, BuiltinFunctionType)

NAMED: Tuple[Kind, ...] = (
    row("iter", (Drained,), ("word",), "iterated", _encode_iterator, _decode_iterator, when=is_lazy, **_ITERATOR),
    row("type", (), _NAME, (), _encode_type, _looked_up, when=_subclasses_of(type), shown="$1"),
    row("function", _FUNCTIONS, _NAME, (), _encode_function, _looked_up, shown="<function $1>"),
    row("enum", (), ("name", "word"), (), _encode_enum, _decode_enum, when=_subclasses_of(Enum), **_MEMBER),
    row("flags", (), _NAME, ("int",), _encode_enum, _decode_flags, shown="$1($*)"),
    row("exception", (), _NAME, "items", _encode_exception, _decode_exception, when=_is_exception, **_STATE),
    row("namedtuple", (), _NAME, "items", _encode_namedtuple, _decode_namedtuple, when=is_namedtuple, **_PLACES),
    row("object", (), _NAME, "fields", _encode_object, _decode_object, when=_has_fields, shrinks="texts", **_STATE),
)
"""What is asked of a class is asked in this order."""
