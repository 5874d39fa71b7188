"""Hypothesis strategies for encoded values: never an object is drawn.

Sizes are mixed: mostly small edge cases, some of a few hundred elements, since the same inputs are used for timing.
Floats are finite, but for those that the constants say the function asks for: NaN and infinities would make most
rewrites of arithmetic differ where nobody cares.
"""

from __future__ import annotations

import base64
import calendar
import datetime as dt
import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, TypeAlias

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from codeens_sandbox_backends.programs import Encoded
from codeens_sandbox_backends.values.check import SCALAR, open_node, well_formed
from codeens_sandbox_backends.values.compare import canonical
from codeens_sandbox_backends.worker.values.callbacks import AWAITED
from codeens_sandbox_backends.worker.values.codec import KINDS, decode, encode
from codeens_sandbox_backends.worker.values.grammar import Form, Kind

Samples: TypeAlias = "SearchStrategy[Encoded]"

_MOST_RETURNED = 4
"""Values of which a function that is made up returns one."""
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_PRINTABLE = "".join(map(chr, range(32, 127)))
_BEYOND = "\t\n\r\0éßñçÅİ\u0131\u017fΩжשע中日한😀👩\u0301\u200d\u2028\u00a0"
"""Characters whose case, width or class is not what ASCII code expects."""
CLASSES = "aZ9\u0664\u00e9 _-"
"""One character of each class that code asks for, and a digit and a letter beyond ASCII: beside each other."""
_WORDS = (
    *("a", "b", "ab", "abc", "hello", "Hello World", "racecar", "level", "the quick brown fox", "x=1", "foo_bar", "A"),
)
_FLOATS = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 0.1, 100.0, 1e-9, 1e9)
_CODES = 1 << 44
"""Numbers are made from one drawn code each: drawing in several steps takes several times as long."""
_SCATTER = 2_654_435_761
"""Spreads small codes over a large range (Knuth's multiplicative hashing)."""
_KEYS = ("a", "b")
"""Of trees: so few that two of them, and two levels of one, have the same ones."""
_MOST_BRANCHES = 3
_MOST_KEYS = 4
"""Of the function's own texts that are keys of trees too."""
_BETWEEN = ("a", "1", "2", "10")
"""What stands between separators and marks of the function."""
ENCLOSING = ("[]", "()", "{}", "<>", '""', "''")
"""What stands around a part of a text."""
_MOST_PIECES = 12
_LONGEST_PIECE = 3
_MARK = re.compile(r"[^\w\s]")
_MARK_OR_LETTER = re.compile(r"(?<!\\)[A-Za-z]|[-:/=,;@#%&<>]")
"""In a pattern letters stand for themselves but for those behind a backslash, and so do these."""
_LONGEST_CONSTANT = 40
_LARGEST_CONSTANT = 1 << 40
_EARLIEST = dt.datetime.fromisoformat("1970-01-01")
_SECONDS = 130 * 365 * 86_400
"""Up to the year 2100."""
_PATTERNS = ("a", "[a-z]+", r"\d+", r"\w+", r"\s*", "^a|b$", "(a)(b)?", ".", "[^,]+", r"(?P<name>\w)=(\d*)")
_FOLDERS = ("a", "b.txt", "src", "data.tar.gz", ".hidden", "with space", "..")


class Sampler:
    """Strategies for values of the kinds in the table, and of any plain kind.

    Args:
        constants: What the function's own text has in it; such values are among those that are drawn.
        formats: Texts of the forms that it reads.
    """

    def __init__(self, constants: Iterable[object] = (), formats: Iterable[str] = ()) -> None:
        known = list(constants)
        ints = [c for c in known if type(c) is int and abs(c) <= _LARGEST_CONSTANT]
        self._ints = sorted({number + step for number in ints for step in (-1, 0, 1)})
        self._floats = [*_FLOATS, *(encode(c) for c in known if type(c) is float)]
        self._formats = list(dict.fromkeys(formats))
        self._texts = [c for c in known if type(c) is str and len(c) <= _LONGEST_CONSTANT]
        self._pieces = list(dict.fromkeys(piece for text in self._texts for piece in _pieces_of(text)))[:_MOST_PIECES]
        self.zones = [encode(c) for c in known if isinstance(c, dt.tzinfo)]
        """Those that times are in, beside none."""

    def named(self, name: str) -> Samples | None:
        """Return values of a type, by the last part of its name; None where none are drawn for it alone."""
        if name in _UNTAGGED:
            return _UNTAGGED[name](self)
        return self.of(_BY_ANNOTATION[name]) if name in _BY_ANNOTATION else None

    def of(self, kind: Kind) -> Samples:
        """Return values of a kind; where nothing better is known, of all that its parts may be."""
        if kind.tag in _DRAWN:
            return _DRAWN[kind.tag](self)
        below = () if isinstance(kind.below, str) else kind.below
        parts = [*map(self._written, kind.head), *(self._tagged(tags) for tags in below)]
        return st.tuples(*parts).map(lambda drawn: [kind.tag, *drawn]).filter(_is_value)

    def _written(self, form: Form) -> Samples:
        if isinstance(form, str):
            return self.ints() if form == "count" else self.texts(long=False)
        return st.sampled_from(form)

    def _tagged(self, tags: str) -> Samples:
        return st.one_of([self.of(KINDS[tag]) if tag in KINDS else st.none() for tag in tags.split("|")])

    def ints(self) -> Samples:
        return st.integers(0, _CODES).map(self.int_of)

    def int_of(self, code: int) -> int:
        """Return mostly small integers and constants of the function; some large ones of both signs."""
        kind, number = code % 16, code // 16
        if kind < 6:
            return number % 11
        if kind < 9:
            return number % 41 - 10
        if kind < 11 and self._ints:
            return self._ints[number % len(self._ints)]
        if kind < 14:
            return number % 2_001 - 1_000
        return number % 100_001 if kind == 14 else number * _SCATTER % (2 << 40) - (1 << 40)

    def floats(self) -> Samples:
        return st.integers(0, _CODES).map(self.float_of)

    def float_of(self, code: int) -> Encoded:
        """Return mostly plain numbers and quarters; some with many digits, some large."""
        kind, number = code % 8, code // 8
        if kind < 3:
            return self._floats[number % len(self._floats)]
        if kind < 6:
            return (number % 2_001 - 1_000) / 4
        scattered = number * _SCATTER % (2 << 40) - (1 << 40)
        return scattered / (1 << 31) if kind == 6 else scattered / 3.0

    def texts(self, *, long: bool = True) -> Samples:
        words = st.sampled_from([*_WORDS, *self._texts])
        short = st.one_of(
            words,
            st.text("ab", max_size=6),
            st.text(_LETTERS + " ", max_size=20),
            st.text(_PRINTABLE, max_size=20),
            st.text("0123456789.-+ ", max_size=8),
            st.lists(words, max_size=5).map(" ".join),
            st.text(_PRINTABLE + _BEYOND, max_size=12),
            st.text(CLASSES, max_size=8),
        )
        if self._formats:
            short = weighted((4, short), (1, st.sampled_from(self._formats)))
        if self._pieces:
            short = weighted((1, short), (1, self._written_alike()))
        return weighted((5, short), (1, st.text(_LETTERS + " \n", min_size=50, max_size=300))) if long else short

    def _written_alike(self) -> Samples:
        """Return texts as the function may read them: some of its marks in their order, with something between, or
        something in its brackets, as parts between one of them; and all in any order.
        """
        pieces, between = self._pieces, st.sampled_from(_BETWEEN)
        places = st.integers(0, len(pieces) - 1)
        marked = st.lists(st.tuples(places, between), max_size=3, unique_by=itemgetter(0)).map(sorted)
        part = st.tuples(marked, st.sampled_from(("", *_BETWEEN))).map(
            lambda drawn: "".join(value + pieces[place] for place, value in drawn[0]) + drawn[1]
        )
        around = [both for both in ENCLOSING if both[0] in pieces and both[1] in pieces]
        enclosed = [
            (1, st.tuples(st.sampled_from(around), between).map(lambda drawn: drawn[1].join(drawn[0])))
            for _ in around[:1]
        ]
        parts = weighted((1, part), (2, between), *enclosed)
        joined = st.tuples(places, st.lists(parts, max_size=4)).map(lambda drawn: pieces[drawn[0]].join(drawn[1]))
        return weighted((1, part), (2, joined), (1, st.lists(st.one_of(between, st.sampled_from(pieces))).map("".join)))

    def bytes(self, tag: str = "bytes") -> Samples:
        ascii_only = st.text(_PRINTABLE, max_size=20).map(lambda text: text.encode("ascii"))
        return st.one_of(st.binary(max_size=20), ascii_only, st.binary(min_size=50, max_size=200)).map(
            lambda data: [tag, base64.b64encode(data).decode("ascii")]
        )

    def plain(self) -> Samples:
        """Return values of any plain type, for parameters of which no type is known."""
        scalars = self._scalars()
        return st.one_of(scalars, listed(self.ints()), listed(self.texts(long=False)), listed(scalars))

    def anything(self) -> Samples:
        """Return values of any plain type, some of which hold such ones."""
        return weighted((3, self.plain()), (1, self.trees("dict", "list")))

    def records(self, tag: str = "dict") -> Samples:
        """Return mappings from texts to anything: of any keys, and of the few that trees have."""
        flat = mapped(self.texts(long=False), self.plain(), tag)
        return weighted((1, flat), (1, self.trees("dict").map(lambda tree: [tag, *tree[1:]])))

    def trees(self, *outermost: str) -> Samples:
        """Return dicts and lists that hold such ones, down to three levels; two of them have keys in common."""
        leaves = (self.ints(), self.texts(long=False), self._scalars(), st.one_of(st.none(), self.ints()))
        kinds = [(top, tags) for top in outermost for tags in ((top,), ("dict", "list"))]
        return weighted(*((1, self._branch(top, self._below(leaf, tags), 1)) for top, tags in kinds for leaf in leaves))

    def _below(self, leaf: Samples, tags: Sequence[str]) -> Samples:
        inner = weighted((2, leaf), *((1, self._branch(tag, leaf)) for tag in tags))
        return weighted((1, leaf), *((1, self._branch(tag, inner)) for tag in tags))

    def _branch(self, tag: str, item: Samples, fewest: int = 0) -> Samples:
        if tag == "list":
            return st.lists(item, min_size=fewest, max_size=_MOST_BRANCHES).map(tagged(tag))
        keys = st.sampled_from([*_KEYS, *self._texts[:_MOST_KEYS]])
        pairs = st.tuples(keys, item).map(list)
        return st.lists(pairs, min_size=fewest, max_size=_MOST_BRANCHES, unique_by=_key_of).map(tagged(tag))

    def _scalars(self) -> Samples:
        return st.one_of(self.ints(), self.texts(long=False), self.floats(), st.booleans(), st.none())


def _pieces_of(constant: str) -> list[str]:
    """Return what texts that the function reads may consist of: a short constant, of several marks also each, or the
    marks in a longer one.
    """
    if 0 < len(constant) <= _LONGEST_PIECE:
        is_any_of = len({*_MARK.findall(constant)}) == len(constant) > 1
        return [constant, *(constant if is_any_of else "")]
    return (_MARK_OR_LETTER if "\\" in constant else _MARK).findall(constant)


def _is_value(encoded: Encoded) -> bool:
    if not well_formed(encoded):
        return False
    try:
        decode(encoded, classes=False)
    except Exception:  # noqa: BLE001  # of whatever the parts do not fit each other by
        return False
    return True


def _decimals(_: Sampler) -> Samples:
    digits = st.tuples(st.integers(-1_000_000, 1_000_000), st.integers(0, 4))
    return digits.map(lambda drawn: ["Decimal", _shifted(*drawn)])


def _shifted(number: int, places: int) -> str:
    sign, text = "-" * (number < 0), str(abs(number)).rjust(places + 1, "0")
    return f"{sign}{text[:-places]}.{text[-places:]}" if places else sign + text


def _fractions(_: Sampler) -> Samples:
    return st.fractions(-200, 200, max_denominator=60).map(
        lambda value: ["Fraction", value.numerator, value.denominator]
    )


def _moments(tag: str, part: slice) -> Callable[[Sampler], Samples]:
    moments = st.tuples(
        st.integers(0, _SECONDS), st.sampled_from([0, 0, 1, 500_000, 999_999]), st.sampled_from((*[None] * 6, 0, 0, 2))
    )
    return lambda _: moments.map(lambda drawn: [tag, _moment(*drawn)[part]])


def _datetimes(sampler: Sampler) -> Samples:
    plain = _moments("datetime", slice(None))(sampler)
    if not sampler.zones:
        return plain
    zoned = st.tuples(st.just("zoned"), st.just(0), st.sampled_from(sampler.zones), plain).map(list)
    return st.one_of(plain, zoned)


def _moment(seconds: int, microseconds: int, month: int | None) -> str:
    """Return a time; with a month, on its last day, with 0 on that of its own: there days and years turn over."""
    moment = _EARLIEST + dt.timedelta(seconds=seconds, microseconds=microseconds)
    if month is not None:
        number = month or moment.month
        moment = moment.replace(month=number, day=calendar.monthrange(moment.year, number)[1])
    return moment.isoformat()


def _timedeltas(_: Sampler) -> Samples:
    parts = st.tuples(st.integers(-400, 400), st.integers(0, 86_399), st.integers(0, 999_999))
    whole_days = st.integers(-30, 30).map(lambda days: (days, 0, 0))
    return st.one_of(whole_days, parts).map(lambda drawn: ["timedelta", *drawn])


def _paths(_: Sampler) -> Samples:
    parts = st.lists(st.sampled_from(_FOLDERS), min_size=1, max_size=4)
    return st.tuples(st.sampled_from(["", "", "/"]), parts).map(lambda drawn: ["path", drawn[0] + "/".join(drawn[1])])


def _ranges(_: Sampler) -> Samples:
    steps = st.sampled_from([1, 1, 2, 3, -1, -2])
    return st.tuples(st.integers(-10, 50), st.integers(-10, 50), steps).map(lambda drawn: ["range", *drawn])


def _patterns(sampler: Sampler) -> Samples:
    texts = st.one_of(st.sampled_from(_PATTERNS), sampler.texts(long=False))
    flags = st.sampled_from([0, 0, 0, *KINDS["pattern"].head[0]])
    return st.tuples(flags, texts).map(lambda drawn: ["pattern", *drawn]).filter(_is_value)


def _buffers(tag: str) -> Callable[[Sampler], Samples]:
    return lambda sampler: sampler.of(KINDS["str" if tag == "StringIO" else "bytes"]).map(lambda data: [tag, data, 0])


def _arrays(_: Sampler) -> Samples:
    items = st.lists(st.integers(-100, 100), max_size=30)
    return st.tuples(st.sampled_from("ilqd"), items).map(_array)


def _array(drawn: tuple[str, list[int]]) -> Encoded:
    code, items = drawn
    return ["array", code, *(map(float, items) if code == "d" else items)]


def _generators(_: Sampler) -> Samples:
    return st.integers(0, 1000).map(lambda seed: encode(random.Random(seed)))  # noqa: S311 - an input, no secret


_BY_ANNOTATION = {name: kind for kind in KINDS.values() for name in kind.annotations}
_UNTAGGED: Mapping[str, Callable[[Sampler], Samples]] = {
    "None": lambda _: st.none(),
    "NoneType": lambda _: st.none(),
    "bool": lambda _: st.booleans(),
    "Hashable": lambda sampler: st.one_of(sampler.ints(), sampler.texts(long=False)),
}
_DATE = len("1970-01-01")
_DRAWN: Mapping[str, Callable[[Sampler], Samples]] = {
    "int": Sampler.ints,
    "float": Sampler.floats,
    "str": Sampler.texts,
    "bytes": Sampler.bytes,
    "bytearray": lambda sampler: sampler.bytes("bytearray"),
    "Decimal": _decimals,
    "Fraction": _fractions,
    "datetime": _datetimes,
    "date": _moments("date", slice(_DATE)),
    "time": _moments("time", slice(_DATE + 1, None)),
    "timedelta": _timedeltas,
    "path": _paths,
    "pattern": _patterns,
    "range": _ranges,
    "StringIO": _buffers("StringIO"),
    "BytesIO": _buffers("BytesIO"),
    "array": _arrays,
    "Random": _generators,
    "uuid": lambda _: st.uuids().map(lambda value: ["uuid", value.hex]),
}
"""Values that people use, of kinds of which their parts may be far more."""

# Containers ---------------------------------------------------------------------------------------------------------


def weighted(*choices: tuple[int, Samples]) -> Samples:
    """Draw one of several, each as often as its weight says: `st.one_of` flattens what is nested and drops repeats."""
    table = [strategy for weight, strategy in choices for _ in range(weight)]

    def chosen(place: int) -> Samples:
        """Has a name of its own: Hypothesis writes a method out with all that its object holds."""
        return table[place]

    return st.integers(0, len(table) - 1).flatmap(chosen)


def kind_of(encoded: Encoded) -> str:
    """Return `int`, `str`, … of what JSON says by itself; else the tag, in brackets where it is one of those."""
    node = open_node(encoded)
    if node.tag == SCALAR:
        return type(node.head[0]).__name__
    return f"[{node.tag}]" if node.tag in {"int", "float", "str"} else node.tag


def tagged(tag: str) -> Callable[[Sequence[Encoded]], Encoded]:
    """Return what makes items an encoded container."""
    return lambda items: [tag, *items]


def callbacks(values: Samples, *, awaited: bool = False) -> Samples:
    """Return functions that return some of the values; async ones where they are awaited."""
    some = st.lists(values, min_size=1, max_size=_MOST_RETURNED)
    made = some.map(lambda drawn: ["callback", ["list", *drawn], ["list"], ["list"]])
    return made.map(lambda function: [AWAITED, function]) if awaited else made


def listed(element: Samples, tag: str = "list", *, large: bool = True) -> Samples:
    """Draw sequences of up to a few hundred elements; some sorted, some with many repeats."""
    small = st.lists(element, max_size=8)
    often = [(6, small), (2, small.map(_in_order)), (2, st.lists(element, max_size=30))]
    seldom = [
        (1, st.lists(element, min_size=40, max_size=300)),
        (1, st.tuples(small, st.integers(2, 30)).map(_repeated)),
    ]
    return weighted(*often, *(seldom if large else ())).map(tagged(tag))


def _repeated(drawn: tuple[list[Encoded], int]) -> list[Encoded]:
    items, times = drawn
    return items * times


def _in_order(items: list[Any]) -> list[Any]:
    """Sorted where the items are scalars of one type, else as they are."""
    for kind in (int, float, str):
        if all(type(item) is kind for item in items):
            return sorted(items)
    return items


def unique(element: Samples, tag: str = "set") -> Samples:
    """Draw sets, their items in canonical order."""
    small = st.lists(element, max_size=8, unique_by=canonical)
    large = st.lists(element, max_size=60, unique_by=canonical)
    return weighted((3, small), (1, large)).map(lambda items: [tag, *sorted(items, key=canonical)])


def mapped(key: Samples, value: Samples, tag: str = "dict") -> Samples:
    """Draw mappings; `tag` may be `OrderedDict` too."""
    pairs = st.tuples(key, value).map(list)
    small = st.lists(pairs, max_size=8, unique_by=_key_of)
    large = st.lists(pairs, min_size=10, max_size=60, unique_by=_key_of)
    return weighted((5, small), (1, large)).map(tagged(tag))


def _key_of(pair: list[Any]) -> str:
    return canonical(pair[0])
