"""Inputs beside known ones: one place changed to a constant of the code, to a boundary, or to a telling shape."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, zip_longest
from typing import Any

from codeens_sandbox_backends.programs import CallInput, Encoded
from codeens_sandbox_backends.values.check import DICTS, SCALAR, open_node
from codeens_sandbox_backends.values.compare import canonical, canonical_call
from codeens_sandbox_backends.values.made_up import function_in
from codeens_sandbox_backends.values.sample import CLASSES, kind_of
from codeens_sandbox_backends.worker.values.callbacks import AWAITED, RAISING
from codeens_sandbox_backends.worker.values.codec import encode
from codeens_server.evidence.strategies.alike import TWINS, alike, pairs_of, twins_of

_DEEPEST = 4
_PLACES = 4
"""Items of one container that are changed one by one."""
_LARGEST = 1 << 50
_DEPTHS = (900, 600, 440, 320, 240, 120, 40)
"""Frames: Python's own limit is 1000, and a wrapper doubles what a call needs. The deepest comes first: who remembers
what the others came to needs no more than the rest of the way.
"""
_LONGEST = 200
_EACH_BESIDE_EACH = "".join(one + other for one in CLASSES for other in CLASSES)
_TEXTS = (
    *(_EACH_BESIDE_EACH, "\u00b2", "\u00bd", "\u0664", "1_000", "Stra\u00dfe", "\u00df\u00e9", "a\u2028b", "a\tb"),
    *("\u2122", "\u0130i", "\\1{0}%s"),
)
"""Characters of all classes; a digit that is no decimal, a number that is no digit, a decimal beyond ASCII, digits as
Python reads them; what folds, small letters beyond ASCII of which the first has two capitals, what separates, what is
capitals once it is taken apart, what is two characters as a small letter, and what patterns and formats fill in.
"""
_BYTES = tuple(
    encode(data)
    for data in (b"\xef\xbb\xbfa", b"\xef\xbb\xbf\xe9", b"\xe9", b"\xff\x81", b"a\r\nb", b"\0", b"e\xcc\x81")
)
"""A mark at the beginning, and bytes that are no text, or one in some encodings; ends of lines."""
_LINES = "\r\u2028"
"""Ends of lines, none of which is the usual one."""
_BEYOND_FLOATS = ((1 << 60) - 1, 10**18 - 1, -(1 << 60) - 1)
"""Of which the nearest float is a power, of two or of ten, and which are none."""
_MOST_BEYOND = 6
_HALFWAY = (1.5, 2.5, 100.5, 267.5)
"""Of the last decimal that is kept: as floats some are a little less than halfway, and some are even."""
_DECIMALS = ("0.005", "-0.005", "0.125", "-0.015", "2.5", "0.5", "-1.5", "0.25", "1E+3", "100.5", "-0")
"""Halfway between two that are kept, of both signs, next to an even one and to an odd one; one that is written in a
form of its own, and a zero that has a sign.
"""
_MOST_DECIMALS = 6
_FORMATTED = re.compile(r"\.(\d)[eEfF%]")
_SEQUENCES = frozenset({"list", "tuple", "deque", "iter"})
_PLACES_OF_ITEMS = frozenset({"namedtuple"})
MOMENTS = frozenset({"date", "datetime"})
DAYS = ("2100-01-31", "2100-02-28", "2100-03-01", "2000-02-29", "2096-02-29", "2023-12-31", "2021-01-03")
"""Around a century that is no leap year, one that is, and turns of years of weeks."""
_FUNCTIONS = frozenset({"callback", RAISING, "turning"})
_PAIRS = DICTS | {"object"}


class Constants:
    """Literals of the programs that inputs shall tell apart, by type, with what is just beside them; and kinds."""

    def __init__(
        self,
        literals: Iterable[object],
        calls: Iterable[CallInput] = (),
        kinds: Iterable[Encoded] = (),
        raised: Sequence[str] = (),
    ) -> None:
        """Read them.

        Args:
            literals: as Python has them.
            calls: a tuple may be a record: those that are made are as long as tuples in these.
            kinds: values that may stand in the place of any item.
            raised: classes of exceptions, as `module:name`, that functions may raise.
        """
        self.kinds = _distinct(kinds)
        self.raised = raised
        self.lengths = {
            length for call in calls for value in (*call.args, *call.kwargs.values()) for length in _tuples(value)
        }
        known = list(literals)
        ints = [value for value in known if type(value) is int and abs(value) < _LARGEST]
        floats = [value for value in known if type(value) is float and math.isfinite(value)]
        self.ints = _distinct(step + value for value in (*ints, 0) for step in (0, -1, 1))
        near = (0.0, -0.5, 0.5)
        beside = (step + value for value in (*floats, *map(float, ints), 0.0) for step in near)
        kept = {*ints, *(int(digit) for value in known if type(value) is str for digit in _FORMATTED.findall(value))}
        decimals = sorted(number for number in kept if 0 < number <= _MOST_DECIMALS)
        others = (encode(value) for value in known if type(value) is float and not math.isfinite(value))
        self.floats = _distinct([*others, *(half / 10**number for number in decimals for half in _HALFWAY), *beside])
        self.texts = _distinct(value for value in known if type(value) is str and len(value) <= _LONGEST)


def neighbours(calls: Sequence[CallInput], constants: Constants, most: int) -> list[CallInput]:
    """Return at most `most` different calls, each one step from one of those given; the calls take turns."""
    turns = zip_longest(*(_beside(call, constants) for call in calls))
    different: dict[str, CallInput] = {}
    known = {canonical_call(call) for call in calls}
    for call in (call for turn in turns for call in turn if call is not None):
        key = canonical_call(call)
        if key not in known:
            different.setdefault(key, call)
        if len(different) >= most:
            break
    return list(different.values())


def _beside(call: CallInput, constants: Constants) -> Iterator[CallInput]:
    changed = [
        *(_placed(call, index, _changed(arg, constants, 0)) for index, arg in enumerate(call.args)),
        *(_named(call, name, _changed(value, constants, 0)) for name, value in call.kwargs.items()),
        *(_alike(call, *pair, constants) for pair in pairs_of(call.args)),
    ]
    # The arguments take turns too, so that none of them uses all of the calls up.
    for turn in zip_longest(*changed):
        yield from (other for other in turn if other is not None)


def _alike(call: CallInput, one: int, two: int, constants: Constants) -> Iterator[CallInput]:
    """Yield the call with two of its arguments equal, or nearly; of texts also with a part more."""
    value: Any = call.args[one]
    marks = [text for text in constants.texts if len(text) == 1 and not text.isalnum()] if value else []
    parts = [value + mark + part for mark in marks for part in ("0", value)] if isinstance(value, str) else []
    near = ((value, other) for other in (*parts, *alike(value)))
    for first, second in (*twins_of(value), *near, *((part, value) for part in parts)):
        args = [*call.args]
        args[one], args[two] = first, second
        yield CallInput(args=tuple(args), kwargs=call.kwargs)


def _placed(call: CallInput, index: int, values: Iterator[Encoded]) -> Iterator[CallInput]:
    for value in values:
        yield CallInput(args=(*call.args[:index], value, *call.args[index + 1 :]), kwargs=call.kwargs)


def _named(call: CallInput, name: str, values: Iterator[Encoded]) -> Iterator[CallInput]:
    for value in values:
        yield CallInput(args=call.args, kwargs=call.kwargs | {name: value})


def _changed(encoded: Encoded, constants: Constants, depth: int) -> Iterator[Encoded]:
    node = open_node(encoded)
    if depth:
        yield from (kind for kind in constants.kinds if kind != encoded)
    if node.tag == SCALAR:
        yield from _scalars(node.head[0], constants)
        return
    if node.tag == AWAITED:
        yield from ([AWAITED, function] for function in _changed(node.children[0], constants, depth))
    if node.tag in _FUNCTIONS:
        yield from (function for name in constants.raised for function in raising(encoded, name))
    if node.tag in MOMENTS:
        yield from _dates(encoded)
    if node.tag == "Decimal":
        yield from (["Decimal", text] for text in _DECIMALS if text != encoded[1])
    if node.tag == "bytes":
        yield from (other for other in _BYTES if other != encoded)
    if depth >= _DEEPEST:
        return
    head = 1 + len(node.head)
    if node.tag in _SEQUENCES:
        is_record = node.tag == "tuple" and len(set(map(kind_of, node.children))) > 1
        shapes = () if is_record else _shapes(encoded, head)
        yield from (each for each in shapes if node.tag != "tuple" or len(each) - head in constants.lengths)
    if node.tag in _SEQUENCES or node.tag in _PLACES_OF_ITEMS:
        yield from _one_changed(encoded, head, lambda item: _changed(item, constants, depth + 1))
    elif node.tag in _PAIRS:
        yield from _one_changed(
            encoded, head, lambda pair: ([pair[0], value] for value in _changed(pair[1], constants, depth + 1))
        )


def raising(encoded: Any, name: str) -> Iterator[Encoded]:
    """Yield a function as ones that raise: what is called with nothing raises first, then second, and not at once."""
    values, calls, places = encoded[-3:]
    yield from ([RAISING, name, [*values, *values[1:2] * more], calls, places] for more in range(3))


def always_raising(call: CallInput, name: str) -> Iterator[CallInput]:
    """Yield the call with a function that raises whenever it is called: who tries again gives up."""
    for index, value in enumerate(call.args):
        function: Any = function_in(value)
        if open_node(function).tag in _FUNCTIONS:
            never = [RAISING, name, ["list"], *function[-2:]]
            yield from _placed(call, index, iter([[AWAITED, never] if function is not value else never]))


def _one_changed(encoded: Any, head: int, change: Callable[[Any], Iterator[Encoded]]) -> Iterator[Encoded]:
    count = len(encoded) - head
    places = {*range(min(count, _PLACES)), count - 1} if count else set[int]()
    for place in (head + place for place in sorted(places)):
        for item in change(encoded[place]):
            yield [*encoded[:place], item, *encoded[place + 1 :]]


def _dates(encoded: Any) -> Iterator[Encoded]:
    """Yield days near which years and months are of another length, at the same time of day."""
    return (on_day(encoded, day) for day in DAYS if day != encoded[1][: len(day)])


def on_day(encoded: Any, day: str) -> Encoded:
    """Return the date, or the time of it, on another day."""
    return [encoded[0], day + encoded[1][len(day) :], *encoded[2:]]


def _scalars(value: Any, constants: Constants) -> Iterator[Encoded]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (other for other in (*constants.ints, value + 1, -value) if other != value)
    elif isinstance(value, float):
        yield from (other for other in (*constants.floats, -value) if other != value)
    elif isinstance(value, str):
        yield from (other for other in (*constants.texts, "", value + value, value + "\n", *_TEXTS) if other != value)
        yield from (value + text for text in constants.texts)
        yield from (text + value for part in constants.texts for text in (part, part + part, f" {part}"))
        yield from (_LINES.join([value + text + value] * 3) for text in ("", *constants.texts))


def _tuples(encoded: Encoded) -> Iterator[int]:
    """Yield how long the tuples in a value are."""
    todo = [encoded]
    while todo:
        node = open_node(todo.pop())
        if node.tag == "tuple":
            yield len(node.children)
        todo += node.children


def _shapes(encoded: Any, head: int) -> Iterator[list[Encoded]]:
    """Yield the sequence empty, of one item, with its first item twice or last, and the other way round; and with an
    item that is nearly the first, or two that are nearly the same.
    """
    tag, items = encoded[:head], encoded[head:]
    shapes: list[Callable[[], list[Any]]] = [
        list,
        lambda: items[:1],
        lambda: [*items, items[0]],
        lambda: [items[0], *items],
        lambda: items[::-1],
        lambda: items[1:],
        lambda: [*items, alike(items[0])[-1]],
    ]
    for shape in shapes[: None if items else 1]:
        yield [*tag, *shape()]
    if items and isinstance(items[0], str):
        yield from ([*tag, *items, *twins] for twins in TWINS)


def _distinct(values: Iterable[Any]) -> list[Any]:
    return list({canonical(value): value for value in values}.values())


def with_same_nan(call: CallInput) -> Iterator[CallInput]:
    """Yield the call with one nan, the same object, in two places of floats: where `in` finds it and `==` does not."""
    kept = [value for value in (*call.args, *call.kwargs.values()) if _floats(value)]
    for each in (1, 2) if len(kept) > 1 else (2,):
        args = tuple(_with_nans(arg, each) for arg in call.args)
        yield CallInput(args=args, kwargs={name: _with_nans(value, each) for name, value in call.kwargs.items()})


def _floats(encoded: Encoded) -> int:
    found: list[float] = []
    _mapped(encoded, lambda value: found.append(value) if isinstance(value, float) else value)
    return len(found)


def _with_nans(encoded: Encoded, count: int) -> Encoded:
    """Return the value with nan for its first floats."""
    left = count

    def change(value: Any) -> Encoded:
        nonlocal left
        if not isinstance(value, float) or not left:
            return value
        left -= 1
        return ["float", "nan"]

    return _mapped(encoded, change)


def _mapped(encoded: Any, change: Callable[[Any], Encoded], depth: int = 0) -> Encoded:
    """Return the value with its numbers and texts changed."""
    node = open_node(encoded)
    if node.tag == SCALAR:
        return change(node.head[0])
    head = 1 + len(node.head)
    if depth >= _DEEPEST or node.tag not in _SEQUENCES | _PLACES_OF_ITEMS | _PAIRS:
        return encoded
    if node.tag in _PAIRS:
        return [*encoded[:head], *([key, _mapped(value, change, depth + 1)] for key, value in encoded[head:])]
    return [*encoded[:head], *(_mapped(item, change, depth + 1) for item in encoded[head:])]


def beyond_floats(calls: Iterable[CallInput]) -> list[CallInput]:
    """Return a few of the calls with whole numbers for which floats are too coarse."""
    made = (_whole(call, number) for number in _BEYOND_FLOATS for call in calls)
    return list(islice((call for call in made if call is not None), _MOST_BEYOND))


def _whole(call: CallInput, number: int) -> CallInput | None:
    def change(value: Any) -> Encoded:
        return encode(number) if type(value) is int else value

    other = CallInput(
        args=tuple(_mapped(arg, change) for arg in call.args),
        kwargs={name: _mapped(value, change) for name, value in call.kwargs.items()},
    )
    return None if other == call else other


def deep(call: CallInput) -> Iterator[CallInput]:
    """Yield the call with a number or a sequence near the depth to which Python recurses.

    Last come numbers of so many bits, which what halves them recurses as deep on.
    """
    for make in (_as_large, _as_many_bits):
        for size in _DEPTHS:
            for index, value in enumerate(call.args):
                larger = make(value, size)
                if larger is not None:
                    yield CallInput(args=(*call.args[:index], larger, *call.args[index + 1 :]), kwargs=call.kwargs)


def _as_large(encoded: Any, size: int) -> Encoded | None:
    node = open_node(encoded)
    value = node.head[0] if node.tag == SCALAR else None
    if isinstance(value, int) and not isinstance(value, bool):
        return size
    if isinstance(value, str) and value:
        return (value * size)[:size]
    if node.tag in _SEQUENCES and node.children:
        head = 1 + len(node.head)
        return [*encoded[:head], *(encoded[head:] * size)[:size]]
    return None


def _as_many_bits(encoded: Any, size: int) -> Encoded | None:
    is_int = isinstance(encoded, int) and not isinstance(encoded, bool)
    return encode(1 << size) if is_int else None


def typical(calls: Iterable[CallInput], most: int) -> list[CallInput]:
    """Return small calls of different forms to look beside; those that hold nothing take turns with the others."""
    forms: dict[tuple[object, ...], CallInput] = {}
    for call in calls:
        values = [*call.args, *call.kwargs.values()]
        form = (*sorted(call.kwargs), *(_form(value) for value in values))
        forms.setdefault(form, call)
    by_size = sorted(forms.values(), key=lambda call: len(canonical_call(call)))
    turns = zip_longest(filter(_holds_any, by_size), (call for call in by_size if not _holds_any(call)))
    return list(islice((call for turn in turns for call in turn if call is not None), most))


def _holds_any(call: CallInput) -> bool:
    """Return whether an argument has something inside that can be another one."""
    return any(open_node(value).children for value in (*call.args, *call.kwargs.values()))


def _form(encoded: Encoded) -> tuple[object, ...]:
    node = open_node(encoded)
    if node.tag == SCALAR:
        return (type(node.head[0]).__name__, bool(node.head[0]))
    return (node.tag, min(3, len(node.children)))
