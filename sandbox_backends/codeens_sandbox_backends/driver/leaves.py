"""What may follow a tag beside trees: texts and numbers, each in the one form that the encoder writes it in.

None of this runs what it reads, and all of it takes time in proportion to the length.
"""

from __future__ import annotations

import datetime as dt
import re
from base64 import b64encode
from binascii import Error, a2b_base64
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any, cast

_EXACT_INT = 1 << 53
_LONGEST_EXACT = 14
"""Hexadecimal digits of 2**53."""
_HEX = re.compile(r"-?[1-9a-f][0-9a-f]*")
_OCTETS = re.compile(r"(?:[0-9a-f]{2})*")
_UUID = re.compile(r"[0-9a-f]{32}")
_DTYPE = re.compile(r"[<>|]([biufcSUmM])(\d{1,9})(\[(?:[1-9]\d{0,9})?(?:Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?", re.ASCII)
_WIDTHS = {"b": (1,), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8), "f": (2, 4, 8), "c": (8, 16), "m": (8,), "M": (8,)}
_MOST_DIMENSIONS = 64
_UCS4 = 4
_A_DAY_S, _A_SECOND_US, _MOST_DAYS = 86_400, 1_000_000, 999_999_999


def is_text(part: Any) -> bool:
    """A text that UTF-8 can hold."""
    if type(part) is not str:
        return False
    if part.isascii():
        return True
    try:
        part.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def is_count(part: Any) -> bool:
    """An int that JSON holds exactly."""
    return type(part) is int and -_EXACT_INT < part < _EXACT_INT


def is_reference(part: Any) -> bool:
    """`module:qualname`."""
    module, _, name = part.partition(":") if is_text(part) else ("", "", "")
    return bool(module and name) and part.isprintable() and ":" not in name


def is_factory(part: Any) -> bool:
    """The name of a builtin type, or a reference, or null."""
    return part is None or (is_text(part) and part.isidentifier()) or is_reference(part)


def is_large_int(part: Any) -> bool:
    """The hexadecimal digits of an int that JSON does not hold exactly."""
    if type(part) is not str or _HEX.fullmatch(part) is None:
        return False
    digits = part.lstrip("-")
    return len(digits) > _LONGEST_EXACT or (len(digits) == _LONGEST_EXACT and int(digits, 16) >= _EXACT_INT)


def is_odd_text(part: Any) -> bool:
    """The bytes of a text that UTF-8 cannot hold."""
    if type(part) is not str or _OCTETS.fullmatch(part) is None:
        return False
    data = bytes.fromhex(part)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        try:
            return data.decode("utf-8", "surrogatepass").encode("utf-8", "surrogatepass") == data
        except UnicodeDecodeError:
            return False
    return False


def is_special_float(part: Any) -> bool:
    return type(part) is str and part in ("nan", "inf", "-inf")


def size_of_base64(part: Any) -> int:
    """How many bytes a base64 text stands for; -1 where it is none, or not the one that is written for these bytes."""
    if type(part) is not str or not part.isascii():
        return -1
    try:
        data = a2b_base64(part, strict_mode=True)
    except Error:
        return -1
    tail = part[-4:]
    return len(data) if not tail or b64encode(data[-3 + tail.count("=") :]).decode("ascii") == tail else -1


def is_base64(part: Any) -> bool:
    return size_of_base64(part) >= 0


def is_decimal(part: Any) -> bool:
    try:
        return type(part) is str and str(Decimal(part)) == part
    except ArithmeticError:
        return False


def is_uuid(part: Any) -> bool:
    return type(part) is str and _UUID.fullmatch(part) is not None


def is_path(part: Any) -> bool:
    return is_text(part) and str(PurePosixPath(part)) == part


def iso(kind: type[dt.date | dt.time]) -> Callable[[Any], bool]:
    """Whether it is ISO text as a class writes it."""

    def fits(part: Any) -> bool:
        try:
            return type(part) is str and kind.fromisoformat(part).isoformat() == part
        except ValueError:
            return False

    return fits


def are_days(parts: list[Any]) -> bool:
    """Days, seconds and microseconds as `timedelta` keeps them."""
    if len(parts) != 3 or not all(map(is_count, parts)):
        return False
    days, seconds, micros = parts
    return abs(days) <= _MOST_DAYS and 0 <= seconds < _A_DAY_S and 0 <= micros < _A_SECOND_US


def is_less_than_a_day(parts: list[Any]) -> bool:
    """The same for the offset of a time zone, in either direction."""
    return are_days(parts) and (parts[0] == 0 or (parts[0] == -1 and parts[1:] != [0, 0]))


def is_array(parts: list[Any]) -> bool:
    """Type, shape, order and data of an array that has no more and no fewer items than its shape says."""
    if len(parts) != 4 or parts[2] not in ("C", "F") or type(parts[0]) is not str or not _is_shape(parts[1]):
        return False
    dtype, size = _DTYPE.fullmatch(parts[0]), size_of_base64(parts[3])
    if dtype is None or size < 0:
        return False
    kind, width, unit = dtype[1], int(dtype[2]), dtype[3]
    if not width or width not in _WIDTHS.get(kind, (width,)) or (unit and kind not in "mM"):
        return False
    return _items(parts[1], size) * width * (_UCS4 if kind == "U" else 1) == size


def _items(shape: list[int], at_most: int) -> int:
    """How many items there are, or more than `at_most`."""
    items = 0 if 0 in shape else 1
    for length in shape:
        items *= length
        if items > at_most:
            break
    return items


def _is_shape(part: Any) -> bool:
    lengths = cast("list[Any]", part) if isinstance(part, list) else [-1]
    return len(lengths) <= _MOST_DIMENSIONS and all(is_count(length) and length >= 0 for length in lengths)


def are_sorted_names(names: list[Any]) -> bool:
    """Names of fields: texts, in order, none twice."""
    return all(map(is_text, names)) and all(a < b for a, b in pairwise(names))
