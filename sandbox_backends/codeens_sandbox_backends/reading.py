"""The one way from foreign data to our types, from any thread.

msgspec learns what a Struct holds when it is first read, and shows it to other threads while it is still learning: one
that reads the same Struct just then ends the process with a segmentation fault (msgspec 0.22). So types are learned by
one thread at a time, and read after that by any number.
"""

from __future__ import annotations

import threading
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_learning = threading.Lock()
_decoders: dict[object, msgspec.json.Decoder[Any]] = {}


def decoded(data: bytes | str, kind: type[T]) -> T:
    """JSON as one of our types.

    Raises:
        msgspec.MsgspecError, UnicodeDecodeError, RecursionError: it is none.
    """
    return _decoder(kind).decode(data)


def converted(value: object, kind: type[T]) -> T:
    """Plain values as one of our types.

    Raises:
        msgspec.ValidationError, UnicodeEncodeError, RecursionError: they are none.
    """
    _decoder(kind)
    return msgspec.convert(value, kind)


def _decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    known = _decoders.get(kind)
    if known is None:
        with _learning:
            known = _decoders.get(kind) or msgspec.json.Decoder(kind)
            _decoders[kind] = known
    return known
