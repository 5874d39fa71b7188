"""Strategies for the scalar types that an annotation can name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from fractions import Fraction

from hypothesis import strategies as st

from codeens_server.evidence.strategies.leaves import Leaves, Trees

_EARLIEST = dt.datetime.fromisoformat("1970-01-01")
_SECONDS = 130 * 365 * 86_400
"""Up to the year 2100."""
_SECONDS_PER_DAY = 86_400
_FOLDERS = ("a", "b.txt", "src", "data.tar.gz", ".hidden", "with space", "..")


def _complexes(leaves: Leaves) -> Trees:
    return st.tuples(leaves.floats(), leaves.floats()).map(lambda parts: ["complex", *parts])


def _decimals(_: Leaves) -> Trees:
    digits = st.tuples(st.integers(-1_000_000, 1_000_000), st.integers(0, 4))
    return digits.map(lambda drawn: ["Decimal", _shifted(*drawn)])


def _shifted(number: int, places: int) -> str:
    sign, text = "-" * (number < 0), str(abs(number)).rjust(places + 1, "0")
    return f"{sign}{text[:-places]}.{text[-places:]}" if places else sign + text


def _fractions(_: Leaves) -> Trees:
    return st.builds(Fraction, st.integers(-200, 200), st.integers(1, 60)).map(
        lambda value: ["Fraction", value.numerator, value.denominator]
    )


def _datetimes(_: Leaves) -> Trees:
    moments = st.tuples(st.integers(0, _SECONDS), st.sampled_from([0, 0, 1, 500_000, 999_999]))
    return moments.map(lambda drawn: ["datetime", _moment(*drawn)])


def _moment(seconds: int, microseconds: int) -> str:
    return (_EARLIEST + dt.timedelta(seconds=seconds, microseconds=microseconds)).isoformat()


def _dates(leaves: Leaves) -> Trees:
    return _datetimes(leaves).map(lambda tree: ["date", tree[1].partition("T")[0]])


def _times(leaves: Leaves) -> Trees:
    return _datetimes(leaves).map(lambda tree: ["time", tree[1].partition("T")[2]])


def _timedeltas(_: Leaves) -> Trees:
    parts = st.tuples(st.integers(-400, 400), st.integers(0, _SECONDS_PER_DAY - 1), st.integers(0, 999_999))
    whole_days = st.integers(-30, 30).map(lambda days: (days, 0, 0))
    return st.one_of(whole_days, parts).map(lambda drawn: ["timedelta", *drawn])


def _paths(_: Leaves) -> Trees:
    parts = st.lists(st.sampled_from(_FOLDERS), min_size=1, max_size=4)
    return st.tuples(st.sampled_from(["", "", "/"]), parts).map(lambda drawn: ["path", drawn[0] + "/".join(drawn[1])])


def _uuids(_: Leaves) -> Trees:
    return st.integers(0, (1 << 128) - 1).map(lambda number: ["uuid", f"{number:032x}"])


def _hashables(leaves: Leaves) -> Trees:
    return st.one_of(leaves.ints(), leaves.texts(long=False))


def _nones(_: Leaves) -> Trees:
    return st.none()


def _booleans(_: Leaves) -> Trees:
    return st.booleans()


SCALARS: Mapping[str, Callable[[Leaves], Trees]] = {
    **dict.fromkeys(("int", "Integral", "SupportsInt", "SupportsIndex"), Leaves.ints),
    **dict.fromkeys(("float", "Real", "Number", "SupportsFloat"), Leaves.floats),
    **dict.fromkeys(("str", "Text", "AnyStr", "LiteralString"), Leaves.texts),
    **dict.fromkeys(("bytes", "ByteString", "Buffer", "ReadableBuffer"), Leaves.bytes),
    **dict.fromkeys(("Path", "PurePath", "PurePosixPath", "PosixPath"), _paths),
    "bytearray": lambda leaves: leaves.bytes("bytearray"),
    "None": _nones,
    "NoneType": _nones,
    "bool": _booleans,
    "complex": _complexes,
    "Decimal": _decimals,
    "Fraction": _fractions,
    "datetime": _datetimes,
    "date": _dates,
    "time": _times,
    "timedelta": _timedeltas,
    "UUID": _uuids,
    "Hashable": _hashables,
}
"""By the last part of the type's name."""
