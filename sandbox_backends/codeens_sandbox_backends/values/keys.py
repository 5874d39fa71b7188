"""Whether encoded values can be the items of one set, or the keys of one dict: hashable, and no two of them equal."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from decimal import Decimal
from itertools import count
from typing import Any, cast

from codeens_sandbox_backends.programs import Encoded
from codeens_sandbox_backends.worker.values.codec import KINDS

_BY_IDENTITY = frozenset({"exception", "function", "iter", "object", "pattern", "ref", "type"})
"""Two of them can be written alike and be two all the same."""
_MUTABLE = frozenset(tag for tag, kind in KINDS.items() if kind.mutable or kind.below == "pairs") | {"ndarray"}
_UNHASHABLE = _MUTABLE - _BY_IDENTITY
_TUPLES = frozenset({"tuple", "namedtuple"})
_LARGEST_EXPONENT = 400
"""Of a Decimal that is held against other numbers; a larger one is equal to none that is likely."""
_LONGEST = 200


def can_be_keys(keys: Sequence[Encoded]) -> bool:
    """Return whether there can be a set of these values, which are known to be well-formed."""
    if all(type(key) is str for key in keys):
        return len(set(keys)) == len(keys)
    number = count()
    seen: set[str] = set()
    for key in keys:
        identity = _identity(key, number)
        if identity is None or identity in seen:
            return False
        seen.add(identity)
    return True


def _identity(encoded: Encoded, number: count[int]) -> str | None:
    """Return a text that only equal values share; None for what has no hash. Does not recurse."""
    done: list[str] = []
    todo: list[tuple[Any, int]] = [(encoded, -1)]
    while todo:
        value, start = todo.pop()
        if not isinstance(value, list):
            done.append(_number(value) if isinstance(value, (int, float)) else f"s{value!r}")
            continue
        parts = cast("list[Any]", value)
        tag = parts[0]
        if tag in _UNHASHABLE:
            return None
        if start >= 0:
            below = done[start:] if tag != "frozenset" else sorted(done[start:])
            done[start:] = [_short(f"{'tuple' if tag in _TUPLES else tag}({','.join(below)})")]
        elif tag in _TUPLES or tag == "frozenset":
            todo.append((parts, len(done)))
            todo += [(part, -1) for part in reversed(parts[2 if tag == "namedtuple" else 1 :])]
        elif tag == "shared":
            todo.append((parts[-1], -1))
        else:
            done.append(f"#{next(number)}" if tag in _BY_IDENTITY else _tagged(parts, number))
    return done[0]


def _tagged(parts: list[Any], number: count[int]) -> str:
    match parts:
        case ["int", str(digits)]:
            return _ratio(int(digits, 16), 1)
        case ["float", "nan"]:
            return f"#{next(number)}"
        case ["Fraction", above, below]:
            return _ratio(_integer(above), _integer(below))
        case ["complex", real, int() | float() as imaginary] if not imaginary and isinstance(real, (int, float)):
            return _number(real)
        case ["Decimal", str(text)]:
            decimal = Decimal(text)
            if decimal.is_nan():
                return f"#{next(number)}"
            if decimal.is_finite() and abs(decimal.adjusted()) < _LARGEST_EXPONENT:
                return _ratio(*decimal.as_integer_ratio())
            return _short(repr(decimal.normalize())) if decimal.is_finite() else f"float{decimal}"
        case ["float", word]:
            return f"float{'-' * word.startswith('-')}Infinity"
        case _:
            return _short(repr(parts))


def _integer(encoded: Encoded) -> int:
    return int(cast("list[str]", encoded)[1], 16) if isinstance(encoded, list) else encoded


def _number(value: float) -> str:
    return _ratio(*value.as_integer_ratio())


def _ratio(above: int, below: int) -> str:
    return _short(f"{above:x}/{below:x}")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
