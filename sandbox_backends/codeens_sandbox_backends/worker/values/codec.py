"""Encoding and decoding, by the one table of kinds. What an encoded value looks like is described in `grammar`."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple, cast

from .arrays import ARRAYS
from .callbacks import CALLBACKS
from .coding import Decoder, Encoder, KindTable, Shared
from .grammar import Kind
from .named import NAMED
from .plain import PLAIN
from .stateful import STATEFUL
from .tables import TABLES

TABLE = KindTable((*PLAIN, *ARRAYS, *TABLES, *STATEFUL, *CALLBACKS, *NAMED))
KINDS: Dict[str, Kind] = TABLE.kinds
"""By tag: everything that has an encoding, other than JSON's own scalars."""
_ALWAYS_THERE = frozenset(("builtins", "numpy"))
"""Modules that no program replaces."""


def encode(value: Any, *, classes: bool = True, iterators: bool = True, shared: Optional[Shared] = None) -> Any:
    """Return the encoded value.

    Args:
        value: What to encode.
        classes: Whether values that name a class or function are allowed, other than a few builtin types.
        iterators: Whether iterators are allowed; they are consumed.
        shared: Mutable objects met until now, where one that is met again is to be told.

    Raises:
        EncodeError: It holds something that has no exact encoding, itself, or too much.
    """
    return Encoder(TABLE, classes, iterators, shared).encode(value)


def decode(encoded: Any, *, classes: bool = True) -> Any:
    """Return a fresh value.

    Args:
        encoded: What `encode` made.
        classes: Whether values that name a class or function are allowed, other than a few builtin types; these import
            its module.

    Raises:
        DecodeError: The tag is unknown, or names a class where that is not allowed.
        ImportError, AttributeError: The class or function is not there.
    """
    return Decoder(TABLE, classes).decode(encoded)


def decode_all(args: List[Any], kwargs: Dict[str, Any]) -> Tuple[List[Any], Dict[str, Any]]:
    """Return fresh arguments of one call, in which labels hold for all of them. Raises what `decode` does."""
    decoder = Decoder(TABLE, True)
    return [decoder.decode(value) for value in args], {name: decoder.decode(value) for name, value in kwargs.items()}


def names_classes(encoded: Any) -> bool:
    """Return whether decoding this value imports what a program may bring along."""
    if not isinstance(encoded, list):
        return False
    parts = cast("List[Any]", encoded)
    kind = KINDS.get(parts[0]) if isinstance(parts[0], str) else None
    if kind is not None and "name" in kind.head and str(parts[1]).partition(":")[0] not in _ALWAYS_THERE:
        return True
    return any(map(names_classes, parts[1:]))


def is_mutable(encoded: Any) -> bool:
    """Return whether a call that gets this value could change it."""
    if not isinstance(encoded, list):
        return False
    parts = cast("List[Any]", encoded)
    kind = KINDS.get(parts[0]) if isinstance(parts[0], str) else None
    return (kind is not None and kind.mutable) or any(map(is_mutable, parts[1:]))
