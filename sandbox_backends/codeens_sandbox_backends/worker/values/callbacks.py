"""Functions that callers give as arguments: made up, and each of their calls noted.

What one returns is picked among its values by a digest of what it is given, so that whoever calls it with the same gets
the same. How often, with what and in which order it was called is what it holds, and so part of how a call leaves its
arguments.
"""

from __future__ import annotations

from binascii import crc32
from typing import Any, Callable, Dict, List, Optional, Tuple

from .coding import Decoder, Encoder, json_text
from .grammar import EncodeError, Kind, row
from .objects import lookup

_SCALARS = frozenset((type(None), bool, int, float, str))
_MOST_NOTED = 1000
"""Calls of which all is told; of more their number."""
_MOST_CHANGES = 3
"""So that a caller that goes on until the list's end comes to it."""
_RAISES_FOR_ONE_IN = 3
RAISING = "raising"
"""The tag of those that raise; what they raise is named beside it."""
AWAITED = "awaited"
"""The tag of those that are awaited, around one of the others."""
_type_of: Callable[[Any], Any] = type
_text: Callable[[Any], str] = repr


class Callback:
    """Such a function."""

    __slots__ = ("_decoder", "calls", "entering", "order", "values")

    def __init__(self, decoder: Decoder, values: List[Any], calls: List[Any], order: List[int]) -> None:
        self._decoder = decoder
        self.values = values
        """Encoded."""
        self.calls = calls
        """What it was called with: encoded, or tuples of scalars."""
        self.order = order
        """The place of each call among those of all such functions of one call."""
        self.entering: Optional[Callable[[], None]] = None
        """What it does first when it is called."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Note the call, and return one of the values."""
        plain = not kwargs and _SCALARS.issuperset(map(_type_of, args))
        given = args if plain else _encoded(args, kwargs)
        self.order.append(next(self._decoder.called))
        if len(self.calls) < _MOST_NOTED:
            self.calls.append(given)
        if self.entering is not None:
            self.entering()
        return self._answer(_digest(given))

    def _answer(self, digest: int) -> Any:
        return self._decoder.decode(self.values[digest % len(self.values)])


class Raising(Callback):
    """Such a function that raises for some of what it is given, and not each time: some try again.

    One that has nothing to return raises whenever it is called.
    """

    __slots__ = ("raised",)

    def _answer(self, digest: int) -> Any:
        # One that is given nothing is given the same each time: what it may return tells it from others.
        if not self.values or (digest + len(self.order) + len(self.values)) % _RAISES_FOR_ONE_IN == 0:
            raise _made(lookup(self.raised))
        return super()._answer(digest)


def _made(kind: Any) -> BaseException:
    """Return an exception of a class, also of one that asks for more than a text."""
    try:
        return kind("as it does for some")
    except TypeError:
        return kind.__new__(kind)


class Turning(Callback):
    """Such a function that answers something else each time."""

    __slots__ = ()

    def _answer(self, digest: int) -> Any:
        return super()._answer(digest + len(self.order))


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


class Awaited:
    """Such a function that is awaited: what it does it does then."""

    __slots__ = ("function",)

    def __init__(self, function: Callback) -> None:
        self.function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return a coroutine that calls the function."""
        return _later(self.function, args, kwargs)


async def _later(function: Callback, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
    return function(*args, **kwargs)


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


_TAGS: Dict[Any, str] = {Callback: "callback", Raising: RAISING, Turning: "turning", Changing: "changing"}
_KINDS: Dict[str, Any] = {tag: kind for kind, tag in _TAGS.items()}


def _encode_callback(encoder: Encoder, value: Callback) -> Any:
    calls = [encoder.apart(given) if type(given) is tuple else given for given in value.calls]
    if len(value.order) > len(calls):
        calls.append(len(value.order))
    encoder.spend(value, len(json_text(calls)))
    alone = value.order == list(range(len(value.order)))
    return [
        _TAGS[_type_of(value)],
        ["list", *value.values],
        ["list", *calls],
        ["list", *([] if alone else value.order[:_MOST_NOTED])],
    ]


def _decode_callback(decoder: Decoder, encoded: List[Any]) -> Any:
    values, calls, order = (part[1:] for part in encoded[1:])
    none = [] if encoded[0] == RAISING else [None]
    return _KINDS[encoded[0]](decoder, values or none, [*calls], [*(order or range(len(calls)))])


def _encode_raising(encoder: Encoder, value: Raising) -> Any:
    tag, *rest = _encode_callback(encoder, value)
    return [tag, value.raised, *rest]


def _decode_raising(decoder: Decoder, encoded: List[Any]) -> Any:
    made = _decode_callback(decoder, [encoded[0], *encoded[2:]])
    made.raised = encoded[1]
    return made


def _encode_changing(encoder: Encoder, value: Changing) -> Any:
    return [*_encode_callback(encoder, value), *encoder.each(value, [value.target])]


def _decode_changing(decoder: Decoder, encoded: List[Any]) -> Any:
    made = _decode_callback(decoder, encoded[:4])
    made.target = decoder.decode(encoded[4])
    return made


def _encode_awaited(encoder: Encoder, value: Awaited) -> Any:
    return [AWAITED, *encoder.each(value, [value.function])]


def _decode_awaited(decoder: Decoder, encoded: List[Any]) -> Any:
    return Awaited(decoder.decode(encoded[1]))


def _row(kind: Any, shown: str) -> Kind:
    below = ("list", "list", "list")
    return row(_TAGS[kind], (kind,), (), below, _encode_callback, _decode_callback, shown=shown, mutable=True)


CALLBACKS: Tuple[Kind, ...] = (
    _row(Callback, "<a function that returns one of $1, called with $2>"),
    row(
        RAISING,
        (Raising,),
        ("name",),
        ("list", "list", "list"),
        _encode_raising,
        _decode_raising,
        shown="<a function that raises $1 or returns one of $2, called with $3>",
        mutable=True,
    ),
    _row(Turning, "<a function that returns another of $1 each time, called with $2>"),
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
    row(
        AWAITED,
        (Awaited,),
        (),
        ("|".join(_KINDS),),
        _encode_awaited,
        _decode_awaited,
        shown="<async: $1>",
        mutable=True,
    ),
)
