"""What an encoded value is: JSON that carries the exact type of everything in it.

The scalars None, True, False, str without lone surrogates, int below 2**53 and finite float are JSON's own (a float
always has a point or an exponent). All else is a list whose first item is the tag:

    ["int", hex] ["float", "nan"|"inf"|"-inf"] ["str", hex of utf-8 with surrogatepass] ["complex", re, im]
    ["bytes", base64] ["bytearray", base64] ["list", *items] ["tuple", *items]
    ["set", *items] ["frozenset", *items]              items sorted by their JSON
    ["dict", [k, v], …] ["OrderedDict", [k, v], …] ["Counter", [k, v], …] ["defaultdict", factory|null, [k, v], …]
    ["deque", maxlen|null, *items] ["range", start, stop, step] ["slice", start, stop, step]
    ["ellipsis"] ["notimplemented"] ["Decimal", text] ["Fraction", numerator, denominator]
    ["date", iso] ["time", iso] ["datetime", iso] ["timedelta", days, seconds, microseconds]
    ["zoned", fold, zone|null, time or datetime without them]
    ["timezone", timedelta, name|null] ["zoneinfo", key]
    ["uuid", hex] ["path", text] ["pattern", flags, text or bytes] ["ndarray", dtype, [shape], "C"|"F", base64]
    ["pandas", kind, …]                                see `tables`
    ["StringIO", text, position] ["BytesIO", bytes, position]   position null: closed
    ["iter", kind, *items]                             an iterator, consumed; ["more"] last where the bound was hit
    ["enum", "module:Qual", name] ["flags", "module:Qual", value]
    ["namedtuple", "module:Qual", *items] ["exception", "module:Qual", *args]
    ["object", "module:Qual", [field, value], …]       a plain instance by its exact state, fields sorted by name;
                                                       of a numpy scalar `value`, of its datetime64 also `unit`
    ["type", "module:Qual"] ["function", "module:Qual"]
    ["callback", [values], [calls], [places]]          a function made up for a call, with the calls made of it, and
                                                       their places among those of all such, unless 0, 1, …;
                                                       "turning" and, with a list, "changing" likewise
    ["raising", "module:Qual", [values], [calls], [places]]   the same, and the class of what it raises
    ["awaited", function]                              one of these as an async function
    ["shared", label, value] ["ref", label]            a mutable object that is held twice, and where it is met again

A type is exactly that type: an instance of a subclass of a builtin container or number has no encoding. Nothing that a
class or its metaclass defines (`__eq__`, `__hash__`, `__len__`, `__iter__`, `__repr__`, `__class__`, `__dict__`,
`__reduce__`) is asked. Cycles are refused. A value that is held twice is encoded twice, but where identity counts, in
what a call did: there labels hold for its arguments, its result and its effects. Of an array the layout in memory is
kept only as far as C and Fortran order go, and does not count when arrays are compared.

Each tag is one `Kind`: all that encodes, decodes, checks, compares, shows, writes, draws and shrinks values reads it.
"""

from __future__ import annotations

from typing import Any, Callable, Literal, NamedTuple, Optional, Tuple, Union

EXACT_INTS = 1 << 53
"""JSON numbers of this size and above are not exact everywhere."""


class EncodeError(Exception):
    """A value has no exact encoding."""

    def __init__(self, type_name: str, why: str = "has no exact encoding") -> None:
        super().__init__(f"{type_name} {why}")
        self.type_name = type_name


class DecodeError(Exception):
    """An encoded value cannot be turned into a value here."""


Form = Union[Literal["text", "word", "count", "name", "factory", "bound", "shape"], Tuple[Any, ...]]
"""What is written on a value, beside its tag. A tuple is one of what is in it; a `word` is a text that is shown as it
is, a `name` the `module:qualname` of a class or function, which is imported to decode the value, a `factory` such a
name, that of a builtin type, or null, and a `bound` an int that is not negative, or null."""
Head = Tuple[Form, ...]
Below = Union[Literal["items", "iterated", "pairs", "fields"], Tuple[str, ...]]
"""What stands below a value: any number of items; the same, with `["more"]` last where there are more; `[key, value]`;
`[name, value]`, sorted by name; or one value for each text of a tuple, which says what tags it may have (`a|b`; empty:
any). The tags of scalars are `int`, `float`, `str`, `bool` and `NoneType`."""
Encode = Callable[[Any, Any], Any]
"""From an `Encoder` and a value to the encoded value."""
Decode = Callable[[Any, Any], Any]
"""From a `Decoder` and an encoded value to a value."""


class Kind(NamedTuple):
    """One row of the table: a tag, what follows it, and what there is to know about such values."""

    tag: str
    types: Tuple[Any, ...]
    """Classes whose instances are encoded so; `module:qualname` of those in modules that need not be imported."""
    head: Head
    below: Below
    encode: Encode
    decode: Decode
    shown: str = ""
    """How a person reads it: `$1` and so on are what follows the tag, `$*` all that is below. Empty: `tag($*)`."""
    source: Optional[str] = None
    """The import without which `shown` is no source of the value, `$1` the import of that name, "" none; None where
    it is no source at all."""
    annotations: Tuple[str, ...] = ()
    """Last parts of the names of types that such values are drawn for."""
    shrinks: Literal["", "items", "places", "texts"] = ""
    """What becomes smaller: its items, of which each can be dropped; its places, all of which stay; or, for what may
    belong together, only texts in it. Empty: nothing."""
    exact: bool = False
    """Whether decoding is harmless and quick, so that a check can ask whether encoding again gives the same."""
    mutable: bool = False
    """Whether a call that gets such a value could change it."""
    unordered: bool = False
    """Whether the order of what is below does not count."""
    unseen: Tuple[int, ...] = ()
    """Places in the head that do not count when values are compared."""
    when: Optional[Callable[[Any], bool]] = None
    """Whether instances of another class are encoded so."""


def row(
    tag: str, types: Tuple[Any, ...], head: Head, below: Below, encode: Encode, decode: Decode, **more: Any
) -> Kind:
    """Return a `Kind`."""
    return Kind(tag, types, head, below, encode, decode, **more)
