"""Values as trees: JSON that carries the exact type of everything in it.

The scalars None, True, False, str without lone surrogates, int below 2**53 and finite float are JSON's own (a float
always has a point or an exponent). All else is a list whose first item is the tag:

    ["int", hex] ["float", "nan"|"inf"|"-inf"] ["str", hex of utf-8 with surrogatepass] ["complex", re, im]
    ["bytes", base64] ["bytearray", base64] ["list", *items] ["tuple", *items]
    ["set", *items] ["frozenset", *items]              items sorted by their canonical JSON
    ["dict", [k, v], …] ["OrderedDict", [k, v], …] ["Counter", [k, v], …] ["defaultdict", factory|null, [k, v], …]
    ["deque", maxlen|null, *items] ["range", start, stop, step] ["slice", start, stop, step]
    ["ellipsis"] ["notimplemented"] ["Decimal", text] ["Fraction", numerator, denominator]
    ["date", iso] ["time", iso] ["datetime", iso] ["timedelta", days, seconds, microseconds]
    ["zoned", fold, zone|null, time or datetime without them]
    ["timezone", timedelta, name|null] ["zoneinfo", key]
    ["uuid", hex] ["path", text] ["ndarray", dtype, [shape], "C"|"F", base64]
    ["pandas", kind, …]                                see `tables`
    ["iter", kind, *items]                             an iterator, consumed; ["more"] last where the bound was hit
    ["enum", "module:Qual", name] ["flags", "module:Qual", value]
    ["namedtuple", "module:Qual", *items] ["exception", "module:Qual", *args]
    ["object", "module:Qual", [field, value], …]       a plain instance by its exact state, fields sorted by name;
                                                       of a numpy scalar `value`, of its datetime64 also `unit`
    ["type", "module:Qual"] ["function", "module:Qual"]

A type is exactly that type: an instance of a subclass of a builtin container or number has no encoding. Nothing that a
class or its metaclass defines (`__eq__`, `__hash__`, `__len__`, `__iter__`, `__repr__`, `__class__`, `__dict__`,
`__reduce__`) is asked. Cycles are refused; a value that is held twice is encoded twice. Of an array the layout in
memory is kept only as far as C and Fortran order go, and does not count when arrays are compared.
"""

from __future__ import annotations

from .decoding import decode
from .encoding import Drained, canonical, drain, encode
from .objects import is_lazy
from .refusing import DecodeError, EncodeError

__all__ = ["DecodeError", "Drained", "EncodeError", "canonical", "decode", "drain", "encode", "is_lazy"]
