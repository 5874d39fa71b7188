"""The walk from values to encoded values and back. What it does with a value of each kind, the table says."""

from __future__ import annotations

from base64 import b64encode
from itertools import count, islice
from json import JSONEncoder
from math import isfinite
from typing import Any, Callable, Collection, Dict, Iterable, Iterator, List, Optional, Set, Tuple, cast

from .frames import MARK, lines_without_own_frames, without_own_frames
from .grammar import EXACT_INTS, DecodeError, Encode, EncodeError, Kind
from .objects import is_frozen, reference, type_name

MAX_DEPTH = 150
"""Of containers in containers; a few Python frames each must fit under the usual recursion limit."""
MAX_SIZE = 32 << 20
"""Bound on an encoded value, in characters; an item of a container counts as `_ITEM` of them."""
_ITEM = 24
"""So that no encoded value has more parts than the judge takes."""
MAX_ITERATED = 10_000
"""Items taken from an iterator."""
_type_of: Callable[[Any], Any] = type

_dumps = JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False, allow_nan=False).encode


def json_text(encoded: Any) -> str:
    """Return the JSON of an encoded value; `1`, `1.0` and `true` differ."""
    return _dumps(encoded)


class Drained:
    """An iterator's items, taken out of it; `more` when the bound was hit before its end."""

    __slots__ = ("items", "kind", "more")

    def __init__(self, kind: str, items: List[Any], more: bool) -> None:
        self.kind = kind
        self.items = items
        self.more = more


def drain(iterator: Any) -> Drained:
    """Take at most `MAX_ITERATED` items; whatever the iterator raises is raised."""
    items: List[Any] = list(islice(iterator, MAX_ITERATED + 1))
    more = len(items) > MAX_ITERATED
    return Drained(type(iterator).__name__, items[:MAX_ITERATED], more)


class KindTable:
    """The kinds by tag, by exact class, by the name of a class, and by what is asked of a class."""

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self.kinds: Dict[str, Kind] = {kind.tag: kind for kind in kinds}
        every: List[Tuple[Any, Encode]] = [(of, kind.encode) for kind in self.kinds.values() for of in kind.types]
        self.by_type: Dict[Any, Encode] = {of: encode for of, encode in every if type(of) is not str}
        self.by_name: Dict[str, Encode] = {of: encode for of, encode in every if type(of) is str}
        self.by_question: List[Tuple[Callable[[Any], bool], Encode]] = [
            (kind.when, kind.encode) for kind in self.kinds.values() if kind.when is not None
        ]

    def is_shareable(self, encoded: Any, value: Any) -> bool:
        """Whether a change of the value would be seen by all who hold it."""
        if not isinstance(encoded, list):
            return False
        parts = cast("List[Any]", encoded)
        if parts[0] == "object" and (parts[1].startswith("numpy:") or is_frozen(_type_of(value))):
            return False
        if parts[0] == "pandas" and parts[1] not in _TABLES:
            return False
        return self.kinds[parts[0]].mutable


_TABLES = ("Series", "DataFrame")
"""Of what pandas has, that which can be changed; indexes and scalars cannot."""


class Shared:
    """The mutable objects of several values that belong together, so that one that is met again is told as the same."""

    def __init__(self) -> None:
        self.known: Dict[int, Tuple[Any, List[Any], int]] = {}
        """By identity: the object, which stays alive, how it is encoded, and the size of that."""
        self.labels = 0

    def reference(self, encoded: List[Any]) -> List[Any]:
        """Return what stands for an object that is encoded already, which gets a label for it."""
        if encoded[0] != "shared":
            encoded[:] = ["shared", self.labels, [*encoded]]
            self.labels += 1
        return ["ref", encoded[1]]


_LINES = (list, tuple)
"""Containers that may hold the lines of a text, each of its items standing for itself."""


class Encoder:
    """One encoding: the containers above the current value, and the size that is left."""

    def __init__(self, table: KindTable, classes: bool, iterators: bool, shared: Optional[Shared] = None) -> None:
        self.table = table
        self.shared = shared
        self.by_type = table.by_type
        self.classes = classes
        self.iterators = iterators
        self.left = MAX_SIZE
        self.path: Set[int] = set()
        self.has_frames = False
        """Whether a text since the last container had frames of the program's own files in it."""

    def encode(self, value: Any) -> Any:
        kind = _type_of(value)
        if value is None or kind is bool:
            return value
        if kind is int:
            return value if -EXACT_INTS < value < EXACT_INTS else self.large(value)
        if kind is float:
            return value if isfinite(value) else ["float", str(value)]
        if kind is str:
            return self.text(value)
        encode = self.by_type.get(kind) or self.special(kind)
        return encode(self, value) if self.shared is None else self.once(encode, value, self.shared)

    def once(self, encode: Encode, value: Any, shared: Shared) -> Any:
        """Encode a value, or refer to it where it is a mutable object that is encoded already."""
        known = shared.known.get(id(value))
        if known is not None and id(value) not in self.path:
            self.spend(value, known[2])
            return shared.reference(known[1])
        before = self.left
        encoded = encode(self, value)
        if self.table.is_shareable(encoded, value):
            shared.known[id(value)] = (value, encoded, before - self.left)
        return encoded

    def apart(self, value: Any) -> Any:
        """Encode a value that nobody can get at but through what holds it: it is the same as no other."""
        shared, self.shared = self.shared, None
        try:
            return self.encode(value)
        finally:
            self.shared = shared

    def special(self, kind: Any) -> Encode:
        """Find what encodes instances of a class that need not be there."""
        encode = self.table.by_name.get(type_name(kind))
        if encode is not None and reference(kind) is not None:
            return encode
        for applies, encode in self.table.by_question:
            if applies(kind):
                return encode
        raise EncodeError(type_name(kind))

    def large(self, value: int) -> Any:
        self.spend(value, value.bit_length() // 4)
        return ["int", format(value, "x")]

    def text(self, value: str) -> Any:
        if MARK in value:
            told, value = value, without_own_frames(value)
            self.has_frames = self.has_frames or told != value
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
        encoded = [self.encode(value) for value in values]
        self.path.discard(key)
        if self.has_frames:
            self.has_frames = False
            if _type_of(container) in _LINES:
                encoded = [*map(self.text, lines_without_own_frames(values))] or encoded
        return encoded

    def pairs(self, container: Dict[Any, Any]) -> List[Any]:
        keys = self.each(container, container)
        values = self.each(container, container.values())
        return [[key, values[index]] for index, key in enumerate(keys)]

    def base64(self, data: Any) -> str:
        self.spend(data, len(data))
        return b64encode(data).decode("ascii")

    def name(self, thing: Any, kind: type) -> str:
        """Return the reference of a class or function, where references are allowed and it has one."""
        ref = reference(thing) if self.classes else None
        if ref is None:
            why = "is not found under its own name" if self.classes else "is not plain data"
            raise EncodeError(type_name(kind), why)
        return ref

    def field_name(self, name: Any) -> str:
        encoded = self.text(name) if type(name) is str else None
        if type(encoded) is not str:
            raise EncodeError("attribute", "has a name that is not a plain string")
        return encoded


class Decoder:
    """One decoding, and whether classes and functions may be imported for it."""

    def __init__(self, table: KindTable, classes: bool) -> None:
        self.kinds = table.kinds
        self.classes = classes
        self.labelled: Dict[int, Any] = {}
        """Values that may be met again."""
        self.called: Iterator[int] = count()
        """Numbers the calls of functions that are made up (`callbacks`)."""

    def decode(self, encoded: Any) -> Any:
        if _type_of(encoded) is not list:
            return encoded
        kind = self.kinds.get(encoded[0])
        if kind is None:
            raise DecodeError(f"no value is encoded as {encoded[0]!r}")
        if not self.classes and "name" in kind.head and not is_plain_type(encoded):
            raise DecodeError(f"{kind.tag} {encoded[1]} is not plain data")
        return kind.decode(self, encoded)

    def rest(self, encoded: List[Any], start: int = 1) -> List[Any]:
        return [self.decode(part) for part in encoded[start:]]

    def pairs(self, encoded: List[Any], start: int = 1) -> Dict[Any, Any]:
        return {self.decode(pair[0]): self.decode(pair[1]) for pair in encoded[start:]}


PLAIN_TYPES: Dict[str, Any] = {
    kind.__name__: kind for kind in (bool, bytes, complex, dict, float, frozenset, int, list, set, str, tuple)
}
"""Types that may be named where no other classes may."""


def is_plain_type(encoded: List[Any]) -> bool:
    """Whether an encoded value is one of `PLAIN_TYPES`."""
    module, _, name = encoded[1].partition(":")
    return encoded[0] == "type" and module == "builtins" and name in PLAIN_TYPES
