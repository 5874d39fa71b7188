"""Functions that callers give as arguments: made up, and each of their calls noted.

What one returns is picked among its values by a digest of what it is given, so that whoever calls it with the same gets
the same. How often, with what and in which order it was called is what it holds, and so part of how a call leaves its
arguments.
"""

from __future__ import annotations

from binascii import crc32
from typing import Any, Callable, Dict, List, Tuple

from .coding import Decoder, Encoder, json_text
from .grammar import EncodeError, Kind, row

_SCALARS = frozenset((type(None), bool, int, float, str))
_MOST_NOTED = 1000
"""Calls of which all is told; of more their number."""
_MOST_CHANGES = 3
"""So that a caller that goes on until the list's end comes to it."""
_type_of: Callable[[Any], Any] = type
_text: Callable[[Any], str] = repr


class Callback:
    """Such a function."""

    __slots__ = ("_decoder", "calls", "order", "values")

    def __init__(self, decoder: Decoder, values: List[Any], calls: List[Any], order: List[int]) -> None:
        self._decoder = decoder
        self.values = values
        """Encoded."""
        self.calls = calls
        """What it was called with: encoded, or tuples of scalars."""
        self.order = order
        """The place of each call among those of all such functions of one call."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Note the call, and return one of the values."""
        plain = not kwargs and _SCALARS.issuperset(map(_type_of, args))
        given = args if plain else _encoded(args, kwargs)
        self.order.append(next(self._decoder.called))
        if len(self.calls) < _MOST_NOTED:
            self.calls.append(given)
        return self._decoder.decode(self.values[_digest(given) % len(self.values)])


class Changing(Callback):
    """Such a function that changes a list in its first calls: what it is called for, and what the caller measures."""

    __slots__ = ("target",)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Note the call, put an item behind or take one away, and return one of the values."""
        value = super().__call__(*args, **kwargs)
        if _type_of(self.target) is list and self.target and len(self.order) <= _MOST_CHANGES:
            if _digest(self.calls[-1]) % 2:
                self.target.pop()
            else:
                self.target.append(self.target[0])
        return value


def _digest(given: Any) -> int:
    text = _text(given) if type(given) is tuple else json_text(given)
    return crc32(text.encode("utf-8", "surrogatepass"))


def _encoded(args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
    """Encode what was given as it is now; of what has no encoding the type counts."""
    named = [["dict", *([name, _value(value)] for name, value in kwargs.items())]] if kwargs else []
    return ["tuple", *map(_value, args), *named]


def _value(value: Any) -> Any:
    from .codec import encode

    try:
        return encode(value, iterators=False)
    except EncodeError as error:
        return f"<{error.type_name}>"


def _encode_callback(encoder: Encoder, value: Callback) -> Any:
    calls = [encoder.apart(given) if type(given) is tuple else given for given in value.calls]
    if len(value.order) > len(calls):
        calls.append(len(value.order))
    encoder.spend(value, len(json_text(calls)))
    alone = value.order == list(range(len(value.order)))
    return [
        "callback",
        ["list", *value.values],
        ["list", *calls],
        ["list", *([] if alone else value.order[:_MOST_NOTED])],
    ]


def _decode_callback(decoder: Decoder, encoded: List[Any]) -> Any:
    values, calls, order = (part[1:] for part in encoded[1:])
    return Callback(decoder, values or [None], [*calls], [*(order or range(len(calls)))])


def _encode_changing(encoder: Encoder, value: Changing) -> Any:
    return ["changing", *_encode_callback(encoder, value)[1:], *encoder.each(value, [value.target])]


def _decode_changing(decoder: Decoder, encoded: List[Any]) -> Any:
    values, calls, order = (part[1:] for part in encoded[1:4])
    made = Changing(decoder, values or [None], [*calls], [*(order or range(len(calls)))])
    made.target = decoder.decode(encoded[4])
    return made


CALLBACKS: Tuple[Kind, ...] = (
    row(
        "callback",
        (Callback,),
        (),
        ("list", "list", "list"),
        _encode_callback,
        _decode_callback,
        shown="<a function that returns one of $1, called with $2>",
        mutable=True,
    ),
    row(
        "changing",
        (Changing,),
        (),
        ("list", "list", "list", ""),
        _encode_changing,
        _decode_changing,
        shown="<a function that changes $4 and returns one of $1, called with $2>",
        mutable=True,
    ),
)
