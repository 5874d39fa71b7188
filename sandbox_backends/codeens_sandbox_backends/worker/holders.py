"""Objects that can be changed: how to see that they were, and how to put them back.

What holds other objects (a list, a dict, an instance) is looked at by the identity of what it holds, which is quick.
What cannot be looked into so (a buffer, a generator of random numbers, a queue, a subclass of a container) is looked at
as plain data, each time.
"""

from __future__ import annotations

import operator
from collections import Counter, OrderedDict, defaultdict, deque
from operator import length_hint
from typing import Any, Callable, Dict, List, Optional, Tuple

from .values.codec import encode
from .values.grammar import EncodeError
from .values.objects import is_foreign, mro_of, type_name

DICTS = (dict, OrderedDict, defaultdict, Counter)
_LARGEST = 1 << 20
"""Bytes of a buffer, up to which it is looked at."""
_MOST = 10_000
"""Items, likewise."""
_SHOWN = 100
"""Items of an array that are told; of more their digest."""
_same = operator.is_
_type_of: Callable[[Any], Any] = type
_text: Callable[[Any], str] = repr


class Holder:
    """One mutable object and what it held when it was first seen.

    Args:
        read: Returns what it holds.
        put: Puts that back.
        named: Names the places of what it holds; None where they have no names.
    """

    __slots__ = ("_named", "_put", "_read", "parts")

    def __init__(
        self, read: Callable[[], Any], put: Callable[[Any], None], named: Optional[Callable[[Any], Any]] = None
    ) -> None:
        self._read = read
        self._put = put
        self._named = named
        self.parts: Tuple[Any, ...] = tuple(read())

    def changed(self) -> bool:
        """Whether it holds other objects."""
        now = tuple(self._read())
        return len(now) != len(self.parts) or not all(map(_same, now, self.parts))

    def places(self) -> Tuple[Dict[Any, Any], Dict[Any, Any]]:
        """Return what it held and what it holds, by place; nothing where places have no names."""
        if self._named is None:
            return {}, {}
        return self._named(self.parts), self._named(tuple(self._read()))

    def restore(self) -> None:
        """Put everything back."""
        self._put(self.parts)


def _of_items(value: Any) -> Holder:
    def put(parts: Tuple[Any, ...]) -> None:
        value.clear()
        value.extend(parts)

    return Holder(lambda: value, put, _numbered)


def _numbered(parts: Tuple[Any, ...]) -> Dict[Any, Any]:
    return dict(enumerate(parts))


def _of_set(value: Any) -> Holder:
    def put(parts: Tuple[Any, ...]) -> None:
        value.clear()
        value.update(parts)

    return Holder(lambda: value, put)


def of_dict(value: Any) -> Holder:
    """Return the holder of a dict."""

    def read() -> List[Any]:
        return [*value, *value.values()]

    def put(parts: Tuple[Any, ...]) -> None:
        half = len(parts) // 2
        value.clear()
        for index in range(half):
            value[parts[index]] = parts[half + index]

    return Holder(read, put, _keyed)


def _keyed(parts: Tuple[Any, ...]) -> Dict[Any, Any]:
    half = len(parts) // 2
    return {key: parts[half + index] for index, key in enumerate(parts[:half]) if _type_of(key) in (str, int)}


def _of_bytes(value: bytearray) -> Holder:
    def put(parts: Tuple[int, ...]) -> None:
        value[:] = bytes(parts)

    return Holder(lambda: value, put)


HOLDERS: Dict[Any, Callable[[Any], Holder]] = {
    list: _of_items,
    deque: _of_items,
    set: _of_set,
    bytearray: _of_bytes,
    **dict.fromkeys(DICTS, of_dict),
}


# What is looked at as plain data


_One = Callable[[Any], Any]
_Two = Callable[[Any, Any], Any]


class _Look:
    """How to look into objects of one type.

    Args:
        kept: Returns all that is needed to put one back.
        told: Makes plain data of that.
        put: Puts it back.
        since: Tells what happened between two looks, where it cannot be put back.
    """

    __slots__ = ("kept", "put", "since", "told")

    def __init__(self, kept: _One, told: _One, put: _Two, since: Optional[_Two] = None) -> None:
        self.kept = kept
        self.told = told
        self.put = put
        self.since = since


class Inside:
    """One such object, and how it was when it was last looked at."""

    __slots__ = ("_how", "_kept", "text", "value")

    def __init__(self, value: Any, how: _Look) -> None:
        self.value = value
        self._how = how
        self._kept = how.kept(value)
        self.text = _text(how.told(self._kept))

    def taken(self) -> Any:
        """Return what is in it now, encoded, if it has changed, else None; put it back."""
        now = self._how.kept(self.value)
        told = self._how.told(now)
        if _text(told) == self.text:
            return None
        if self._how.since is not None:
            told = self._how.since(self._kept, now)
        self._how.put(self.value, self._kept)
        # What cannot be put back is from now on as it is.
        self._kept = self._how.kept(self.value)
        self.text = _text(self._how.told(self._kept))
        return told


def inside_of(value: Any) -> Optional[Inside]:
    """Return what looks into an object; None where nothing here can, or it is too large."""
    kind = _type_of(value)
    how = _INSIDE.get(type_name(kind)) or (_of_subclass(kind) if is_foreign(kind) else None)
    if how is None:
        return None
    try:
        return Inside(value, how)
    except (EncodeError, ValueError, TypeError, AttributeError, OSError):
        return None


def _of_subclass(kind: Any) -> Optional[_Look]:
    """Return how to look into a container whose class somebody has derived, whatever methods that has."""
    bases: Tuple[Any, ...] = mro_of(kind)[1:]
    for base in bases:
        if base in _CONTAINERS:
            read, told, fill = _CONTAINERS[base]
            return _Look(_reading(getattr(base, read)), told, _putting(base, getattr(base, fill)))
        if type_name(base) in ("random:Random", "_thread:_local", "collections:UserDict", "collections:UserList"):
            return _INSIDE[type_name(base)]
    return None


def _reading(read: Callable[[Any], Any]) -> Callable[[Any], List[Any]]:
    return lambda value: [*read(value)]


def _putting(base: Any, fill: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def put(value: Any, kept: Any) -> None:
        base.clear(value)
        fill(value, kept)

    return put


def _items(values: Any) -> Any:
    if len(values) > _MOST:
        raise ValueError("too large")
    return ["list", *map(_plain, values)]


def _in_any_order(values: Any) -> Any:
    return ["list", *sorted(_items(values)[1:], key=_text)]


def _plain(value: Any) -> Any:
    try:
        return encode(value, iterators=False)
    except EncodeError as error:
        return error.type_name


def _digest(data: Any) -> str:
    from hashlib import sha256

    return sha256(data if isinstance(data, bytes) else _text(data).encode("utf-8", "backslashreplace")).hexdigest()


def _put_text(value: Any, kept: Any) -> None:
    text, position = kept
    value.seek(0)
    value.truncate()
    value.write(text)
    value.seek(position)


def _file(value: Any) -> Any:
    """Return how far a file is; what was written to it is seen as a change of the file."""
    if value.closed:
        return "closed"
    if value.writable():
        value.flush()
    return value.tell() if value.seekable() else None


def _put_file(value: Any, kept: Any) -> None:
    if type(kept) is int and not value.closed:
        value.seek(kept)


def _array(value: Any) -> Any:
    if value.nbytes > _LARGEST or value.dtype.hasobject:
        raise ValueError("too large")
    return value.copy()


def _told_array(kept: Any) -> Any:
    return _plain(kept) if kept.size <= _SHOWN else [str(kept.dtype), [*kept.shape], _digest(kept.tobytes())]


def _put_array(value: Any, kept: Any) -> None:
    value[...] = kept


def _bounded(value: Any) -> bytes:
    data = value.tobytes()
    if len(data) > _LARGEST:
        raise ValueError("too large")
    return data


def _put_bytes(value: Any, kept: bytes) -> None:
    del value[:]
    value.frombytes(kept)


def _instance(value: Any) -> Dict[str, Any]:
    return dict(value.__dict__)


def _put_instance(value: Any, kept: Dict[str, Any]) -> None:
    value.__dict__.clear()
    value.__dict__.update(kept)


def _queued(value: Any) -> List[Any]:
    return [*value.queue]


def _put_queued(value: Any, kept: List[Any]) -> None:
    value.queue.clear()
    value.queue.extend(kept)


def _put_data(value: Any, kept: Any) -> None:
    value.data.clear()
    (value.data.update if isinstance(kept, dict) else value.data.extend)(kept)


def _put_maps(value: Any, kept: List[Dict[Any, Any]]) -> None:
    for index, own in enumerate(value.maps[: len(kept)]):
        own.clear()
        own.update(kept[index])


def _refill(value: Any, kept: List[Any]) -> None:
    value.clear()
    value.update(kept)


def _put_variable(value: Any, kept: Tuple[Any, ...]) -> None:
    if kept:
        value.set(*kept)


def _put_lock(value: Any, kept: bool) -> None:
    value.acquire() if kept else value.release()


def _put_event(value: Any, kept: bool) -> None:
    (value.set if kept else value.clear)()


def _put_count(value: Any, kept: int) -> None:
    value.__dict__["_value"] = kept


def _counted(value: Any) -> int:
    return int(_text(value)[len("count(") : -1].partition(",")[0])


def _cannot(_: Any, __: Any) -> None:
    """Nothing: it cannot be put back."""


def _itself(value: Any) -> Any:
    return value


def _difference(before: int, now: int) -> int:
    return now - before


def _in_context(value: Any) -> Tuple[Any, ...]:
    try:
        return (value.get(),)
    except LookupError:
        return ()


def _fields(kept: Dict[str, Any]) -> Any:
    return ["dict", *([name, _plain(kept[name])] for name in sorted(kept))]


_CONTAINERS: Dict[Any, Tuple[str, _One, str]] = {
    list: ("__iter__", _items, "extend"),
    deque: ("__iter__", _items, "extend"),
    set: ("__iter__", _in_any_order, "update"),
    **dict.fromkeys(DICTS, ("items", _items, "update")),
}
_DATA = _Look(_queued, _items, _put_queued)
_FILE = _Look(_file, _plain, _put_file)
_TEXT = _Look(lambda value: (value.getvalue(), value.tell()), _plain, _put_text)
_COUNT = _Look(lambda value: value.__dict__["_value"], _itself, _put_count)
_STEPS = _Look(lambda value: length_hint(value, -1), _itself, _cannot, _difference)
_INSIDE: Dict[str, _Look] = {
    "random:Random": _Look(lambda value: value.getstate(), _digest, lambda value, kept: value.setstate(kept)),
    "numpy.random._generator:Generator": _Look(
        lambda value: value.bit_generator.state,
        _digest,
        lambda value, kept: setattr(value.bit_generator, "state", kept),
    ),
    "numpy.random.mtrand:RandomState": _Look(
        lambda value: value.get_state(legacy=False),
        _digest,
        lambda value, kept: value.set_state(kept),
    ),
    "numpy:ndarray": _Look(_array, _told_array, _put_array),
    "array:array": _Look(_bounded, _digest, _put_bytes),
    "_io:StringIO": _TEXT,
    "_io:BytesIO": _TEXT,
    "_io:TextIOWrapper": _FILE,
    "_io:BufferedReader": _FILE,
    "_io:BufferedWriter": _FILE,
    "_io:BufferedRandom": _FILE,
    "_io:FileIO": _FILE,
    "types:SimpleNamespace": _Look(_instance, _fields, _put_instance),
    "argparse:Namespace": _Look(_instance, _fields, _put_instance),
    "_thread:_local": _Look(_instance, _fields, _put_instance),
    "_thread:lock": _Look(lambda value: value.locked(), _itself, _put_lock),
    "threading:Event": _Look(lambda value: value.is_set(), _itself, _put_event),
    **dict.fromkeys(("threading:Semaphore", "threading:BoundedSemaphore"), _COUNT),
    "queue:Queue": _DATA,
    "queue:LifoQueue": _DATA,
    "queue:PriorityQueue": _DATA,
    "collections:UserDict": _Look(lambda value: dict(value.data), lambda kept: _items([*kept.items()]), _put_data),
    **dict.fromkeys(
        ("weakref:WeakValueDictionary", "weakref:WeakKeyDictionary"),
        _Look(lambda value: [*value.items()], _items, _refill),
    ),
    "_weakrefset:WeakSet": _Look(lambda value: [*value], _in_any_order, _refill),
    "collections:UserList": _Look(lambda value: [*value.data], _items, _put_data),
    "collections:ChainMap": _Look(lambda value: [dict(each) for each in value.maps], _items, _put_maps),
    "_contextvars:ContextVar": _Look(_in_context, _items, _put_variable),
    "itertools:count": _Look(_counted, _itself, _cannot, _difference),
    **dict.fromkeys(("list_iterator", "tuple_iterator", "range_iterator", "itertools:repeat"), _STEPS),
}
