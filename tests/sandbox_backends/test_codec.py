"""The encoded format: what goes in comes out, with exact types, and the rest is refused."""

from __future__ import annotations

import collections
import datetime as dt
import decimal
import enum
import fractions
import json
import pathlib
import random
import re
import uuid
import zoneinfo
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest

from codeens_sandbox_backends.values.check import well_formed
from codeens_sandbox_backends.worker.values.codec import decode, encode, is_mutable
from codeens_sandbox_backends.worker.values.coding import MAX_DEPTH, MAX_ITERATED, MAX_SIZE, json_text
from codeens_sandbox_backends.worker.values.grammar import DecodeError, EncodeError


class Colour(enum.Enum):
    RED = "r"


class Point(NamedTuple):
    x: int
    y: Any


@dataclass(frozen=True)
class Frozen:
    number: int
    items: list[int] = field(default_factory=list[int])


class Slotted:
    __slots__ = ("__hidden", "shown", "unset")

    def __init__(self) -> None:
        self.shown = 1
        self.__hidden = [2]

    def hidden(self) -> list[int]:
        return self.__hidden


class Mixed(Slotted):
    def __init__(self) -> None:
        super().__init__()
        self.more = {"a": 1}


class Oops(Exception):
    pass


class Liar:
    """Every question about it is an error."""

    def __init__(self) -> None:
        self.value = 1

    def _asked(self, *_: object) -> Any:
        raise AssertionError("the codec asked a candidate's object")

    __eq__ = __hash__ = __len__ = __iter__ = __repr__ = __str__ = __bool__ = __getattr__ = __reduce_ex__ = _asked


class MyList(list[int]):
    pass


class MyInt(int):
    pass


class MyDict(dict[str, int]):
    pass


class Dice(random.Random):
    pass


class Zone(dt.tzinfo):
    pass


def through_json(encoded: Any) -> Any:
    return json.loads(json.dumps(encoded))


PLAIN: list[Any] = [
    collections.OrderedDict(b=1, a=2),
    collections.Counter("hello"),
    collections.defaultdict(list, {"a": [1]}),
    collections.defaultdict(None, {1: 2}),
    collections.deque([1, [2]], maxlen=4),
    decimal.Decimal("1.20"),
    decimal.Decimal("-NaN"),
    fractions.Fraction(1 << 70, 3),
    dt.date(2024, 2, 29),
    dt.time(1, 2, 3, 4),
    dt.datetime(2024, 2, 29, 1, 2, 3, 4, tzinfo=dt.UTC),
    dt.datetime(2024, 2, 29, fold=1, tzinfo=dt.UTC),
    dt.datetime(2024, 2, 29, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")),
    dt.time(1, tzinfo=dt.timezone(dt.timedelta(0), "named")),
    dt.timezone(dt.timedelta(hours=-3)),
    zoneinfo.ZoneInfo("Asia/Tokyo"),
    dt.timedelta(-1, 5, 7),
    range(10, 0, -3),
    slice(None, 5, 1 << 60),
    ...,
    NotImplemented,
    uuid.UUID(int=7),
    pathlib.Path("/a/b"),
    pathlib.Path("a\udcff"),
    re.compile("a|\udcff", re.IGNORECASE),
    re.compile(rb"[\x00-\xff]+"),
]


@pytest.mark.parametrize("value", [*PLAIN, int, [dict]], ids=repr)
def test_plain_values_of_the_standard_library_come_back_exactly(value: object) -> None:
    encoded = through_json(encode(value, classes=False))
    assert well_formed(encoded)
    assert repr(decode(encoded, classes=False)) == repr(value)
    assert type(decode(encoded, classes=False)) is type(value)


@pytest.mark.parametrize("value", [Colour.RED, Point(1, [2]), Frozen(1, [2]), Oops("a", 1), Frozen, json_text, len])
def test_values_that_name_a_class_or_function_come_back_where_names_are_allowed(value: object) -> None:
    encoded = through_json(encode(value))
    assert well_formed(encoded)
    assert repr(decode(encoded)) == repr(value)
    with pytest.raises(EncodeError):
        encode([value], classes=False)
    with pytest.raises(DecodeError):
        decode(["list", encoded], classes=False)


def test_an_instance_comes_back_with_slots_and_dictionary_as_they_were() -> None:
    value = Mixed()
    value.hidden().append(3)
    again = decode(through_json(encode(value)))
    assert type(again) is Mixed
    assert (again.shown, again.hidden(), again.more, hasattr(again, "unset")) == (1, [2, 3], {"a": 1}, False)


def test_no_method_of_an_encoded_object_is_called() -> None:
    encoded = encode([Liar()])
    assert encoded == ["list", ["object", f"{__name__}:Liar", ["value", 1]]]


def test_one_and_true_and_a_float_of_the_same_size_have_different_texts() -> None:
    assert len({json_text(encode(value)) for value in (1, True, 1.0, "1", -0.0, 0.0, 0, False)}) == 8


def test_sets_have_one_encoding_whatever_their_history() -> None:
    there, back = set[int](), set[int]()
    for number in (8, 0, 16, 1):
        there.add(number)
    for number in (1, 16, 0, 8):
        back.add(number)
    assert encode(there) == encode(back) == ["set", 0, 1, 16, 8]


def noted(error: Exception) -> Exception:
    error.add_note("more than its arguments")
    return error


def forged_fraction() -> fractions.Fraction:
    made = fractions.Fraction(1, 2)
    made._numerator = "1"  # type: ignore[attr-defined]  # what hostile code may do
    return made


nothing: dict[str, int] = {}
numbers: list[int] = []
REFUSED: list[Any] = [
    MyList([1]),
    MyInt(3),
    MyDict(a=1),
    Dice(),
    re.compile(b"a", re.LOCALE),
    object(),
    lambda: 0,
    nothing.keys(),
    numbers.append,
    memoryview(b""),
    pathlib.PurePosixPath("a"),
    dt.datetime(2024, 1, 1, tzinfo=Zone()),
    collections.defaultdict[str, int](lambda: 0),
    OSError(2, "no", "file"),
    noted(ValueError(1)),
    forged_fraction(),
]


@pytest.mark.parametrize("value", REFUSED, ids=lambda value: type(value).__name__)
def test_what_has_no_exact_encoding_is_refused(value: object) -> None:
    with pytest.raises(EncodeError):
        encode([value])


def test_an_instance_of_a_class_that_can_not_be_found_by_its_name_is_refused() -> None:
    class Local:
        pass

    with pytest.raises(EncodeError, match="own name"):
        encode(Local())


def test_cycles_depth_and_size_are_bounded() -> None:
    cycle: list[Any] = []
    cycle.append({"a": cycle})
    deep: list[Any] = []
    for _ in range(MAX_DEPTH):
        deep = [deep]
    for value in (cycle, deep, "x" * (MAX_SIZE + 1)):
        with pytest.raises(EncodeError):
            encode(value)
    encode(deep[0])


def test_a_value_that_is_held_twice_is_no_cycle() -> None:
    shared = [1]
    assert encode([shared, shared]) == ["list", ["list", 1], ["list", 1]]


def test_iterators_are_read_up_to_a_bound() -> None:
    assert encode(iter([1, 2])) == ["iter", "list_iterator", 1, 2]
    assert encode(number for number in (1, 2)) == ["iter", "generator", 1, 2]
    endless = encode(iter(int, 1))
    assert endless[:2] == ["iter", "callable_iterator"]
    assert endless[-1] == ["more"]
    assert len(endless) == MAX_ITERATED + 3
    assert list(decode(["iter", "generator", 1, ["list"]])) == [1, []]
    with pytest.raises(DecodeError):
        decode(endless)


def test_iterators_are_left_alone_where_they_are_not_to_be_consumed() -> None:
    numbers = iter([1])
    with pytest.raises(EncodeError):
        encode([numbers], iterators=False)
    assert list(numbers) == [1]


def test_only_values_that_a_call_can_change_are_mutable() -> None:
    for value in (1, "a", (1, (2,)), frozenset([1]), decimal.Decimal(1), Colour.RED, range(3)):
        assert not is_mutable(encode(value))
    changeable: list[Any] = [[], (1, [2]), {}, Frozen(1), bytearray(), Oops()]
    assert all(is_mutable(encode(value)) for value in changeable)
