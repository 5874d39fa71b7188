"""Known inputs with a text that looks as before: with characters that some ways of reading take for others, and with
the parts of it that stand between separators repeated, emptied and moved.

Digits of other scripts, ends of lines that `split("\\n")` does not know, what is stripped and what is not, and a second
part under the same key tell readers apart only in texts of the form that both of them read.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, zip_longest

from codeens_sandbox_backends.programs import CallInput
from codeens_sandbox_backends.values.compare import canonical_call
from codeens_sandbox_backends.values.sample import ENCLOSING
from codeens_server.evidence.strategies.varied import leaves_of

_MOST = 200
_MOST_CALLS = 8
_MOST_TEXTS = 3
"""Of one call."""
_LONGEST = 40
_MOST_JOINTS = 3
_MOST_PAIRS = 4
_MOST_MARKS = 8
_READS_SPACE = re.compile(r"split|strip|isspace|\\s|readline|StringIO|dedent|wrap|\\n|partition")
_READS_DIGITS = re.compile(r"isdigit|isdecimal|isnumeric|\\d|0-9|\bint\b|\bfloat\b|digits|Decimal|Fraction")
_READS_LETTERS = re.compile(r"isal|lower|upper|fold|title|capital|\\[wWbB]|a-z|A-Z|ascii|isidentifier")
_DIGITS = ("\u0663", "\u00b2")
"""One that is a decimal, and one that is none."""
_LETTERS = ("\u00e9", "\u017f", "_", "\u0130")
_SPACES = ("\t", "\u00a0", "  ", "\n")
_ENDS = ("\r\n", "\r", "\x0b", "\x85", "\u2028", "\n\n", " \n")
_BETWEEN = ("\u2028", "\x85", "\x0b", "\u00a0")
_AROUND = (" ", "\n", "\u00a0", "\ufeff")
_Change = Callable[[str], Iterator[str]]


def lookalikes(
    calls: Sequence[CallInput], literals: Iterable[object], sources: Sequence[str], formats: Iterable[str] = ()
) -> list[CallInput]:
    """Return calls beside known ones of which a text looks as before, to how the programs read texts.

    Args:
        calls: known ones; those with the richest texts of the function's own marks are used.
        literals: of all of the programs.
        sources: their texts.
        formats: texts that they may read, which stand in the first call too.
    """
    marks = list(
        dict.fromkeys(mark for value in literals if isinstance(value, str) for mark in value if _is_mark(mark))
    )
    changes = _changes(sources, marks)
    if not changes:
        return []
    written = _written(calls, [*formats, *_composed(marks)])
    turns = zip_longest(*(_beside(call, changes) for call in [*_richest(calls, marks), *_richest(written, marks)]))
    made = (*written, *(call for turn in turns for call in turn if call is not None))
    return list({canonical_call(call): call for call in islice(made, _MOST)}.values())


def _is_mark(char: str) -> bool:
    return not char.isalnum() and char not in "_\\"


def _composed(marks: Sequence[str]) -> Iterator[str]:
    """Yield texts of all that a function may look for, by its marks: something in brackets, keys with values, and both
    once more, one behind the other.
    """
    brackets = [both for both in ENCLOSING if both[0] in marks and both[1] in marks]
    enclosed = [f"{both[0]}a{both[1]}" for both in brackets]
    others = [mark for mark in marks if mark not in "".join(brackets)]
    for joint in sorted(others, key="\n".__ne__)[:_MOST_JOINTS]:
        pairs = [f"b{mark}1" for mark in others if mark != joint][-_MOST_PAIRS:]
        yield joint.join([*enclosed, *pairs])
        yield joint.join([*enclosed, *pairs, *enclosed, *map(_another, pairs), "c"])


def _changes(sources: Sequence[str], marks: Sequence[str]) -> list[_Change]:
    """Return what is done to texts, by what the programs ask of them."""
    asked: list[tuple[re.Pattern[str], _Change]] = [
        (_READS_DIGITS, lambda text: _instead(text, str.isdigit, _DIGITS)),
        (_READS_SPACE, _spaced),
        (_READS_LETTERS, _lettered),
    ]
    changes = [change for pattern, change in asked if any(map(pattern.search, sources))]
    return [*changes, *([lambda text: _parted(text, marks)] if marks else [])]


def _written(calls: Iterable[CallInput], formats: Iterable[str]) -> list[CallInput]:
    """Return the first call that has a text for an argument with others in its place."""
    for call in calls:
        for at, value in enumerate(call.args):
            if isinstance(value, str):
                before, after = call.args[:at], call.args[at + 1 :]
                return [CallInput(args=(*before, text, *after), kwargs=call.kwargs) for text in formats]
    return []


def _richest(calls: Iterable[CallInput], marks: Sequence[str]) -> list[CallInput]:
    """Return calls whose texts have the most of the function's own marks and the fewest others, a short and a long one
    of each kind.
    """
    alike: defaultdict[frozenset[str], list[CallInput]] = defaultdict(list)
    for call in sorted(calls, key=lambda call: len(canonical_call(call))):
        text = "".join(leaf for leaf, _ in leaves_of(call) if isinstance(leaf, str))
        if text and len(text) <= _LONGEST:
            alike[frozenset(map(_class_of, text))].append(call)
    known = {*marks, "9", "a", "A", " ", "\n"}
    rank = {classes: (len(classes - known), -len(classes)) for classes in alike}
    chosen = sorted(alike, key=lambda classes: rank[classes])[:_MOST_CALLS]
    return [call for classes in chosen for call in (alike[classes][0], *alike[classes][1:][-1:])][:_MOST_CALLS]


def _class_of(char: str) -> str:
    if char.isascii() and char.isalnum():
        return "9" if char.isdigit() else "a" if char.islower() else "A"
    return char


def _beside(call: CallInput, changes: Sequence[_Change]) -> Iterator[CallInput]:
    texts = ((leaf, rebuild) for leaf, rebuild in leaves_of(call) if isinstance(leaf, str))
    for text, rebuild in islice(texts, _MOST_TEXTS):
        turns = zip_longest(*(change(text) for change in changes))
        yield from (rebuild(other) for turn in turns for other in turn if other is not None and other != text)


def _instead(text: str, is_one: Callable[[str], bool], others: Iterable[str]) -> Iterator[str]:
    """Yield the text with others for all such characters, and for the last one."""
    places = [at for at, char in enumerate(text) if is_one(char)]
    for other in others if places else ():
        yield "".join(other if is_one(char) else char for char in text)
        yield text[: places[-1]] + other + text[places[-1] + 1 :]


def _spaced(text: str) -> Iterator[str]:
    """Yield the text with other spaces and ends of lines, and with such in the middle and around it."""
    yield from _instead(text, "\n".__eq__, _ENDS)
    for space in _BETWEEN:
        yield from (text[:at] + space + text[at:] for at in sorted({1, len(text) // 2, len(text) - 1}))
    yield from _instead(text, " ".__eq__, _SPACES)
    for space in _AROUND:
        yield from (space + text, text + space)


def _lettered(text: str) -> Iterator[str]:
    yield from (text.swapcase(), text + text[::-1].swapcase(), text.upper(), text.title())
    yield from _instead(text, str.isalpha, _LETTERS)


def _parted(text: str, marks: Sequence[str]) -> Iterator[str]:
    """Yield the text with its parts otherwise, as each of the function's marks in it parts it, and with one more."""
    for mark in [mark for mark in marks if mark in text][:_MOST_JOINTS]:
        parts = text.split(mark)
        again = _another(parts[0])
        for other in ([*parts, parts[0]], [*parts, again], parts[::-1], [*parts[:1], "", *parts[1:]], ["", *parts]):
            yield mark.join(other)
        yield text + mark
        yield f" {mark} ".join(parts)
        yield mark.join([*parts[:-1], f" {parts[-1]} "])
        yield mark.join([*parts[:1], "q", *parts[1:]])
    yield from (f"{text}{mark}q" for mark in marks[:_MOST_MARKS])


def _another(part: str) -> str:
    """Return a part with another letter or digit at its end: under the same key another value."""
    return part[:-1] + ("7" if part[-1:].isdigit() and part[-1:] != "7" else "q")
