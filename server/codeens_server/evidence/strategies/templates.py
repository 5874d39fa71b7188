"""Texts with names in them, and mappings that have these: what fills in a template does nothing with any other text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, product
from typing import Any

from codeens_sandbox_backends.programs import CallInput, Encoded
from codeens_sandbox_backends.values.check import DICTS, open_node
from codeens_sandbox_backends.values.sample import kind_of

_MOST_FORMS = 2
_MOST_MARKS = 4
_ESCAPED = re.compile(r"\\([^\w\s])")
_MARKS = (
    *(("{{", "}}"), ("${", "}"), ("{", "}"), ("%(", ")s"), ("<%", "%>"), ("[[", "]]"), ("[", "]"), ("<", ">")),
    *(("__", "__"), ("$", ""), ("%", "%"), ("@", ""), (":", "")),
)
"""What stands before and behind a name; the longer ones first, for they have the others in them."""
_CALLED = {"format": ("{", "}"), "format_map": ("{", "}"), "vformat": ("{", "}"), "Template": ("$", "")}
_FUNCTION = re.compile(r"\b(" + "|".join(_CALLED) + r")\b")
_FIRST, _SECOND, _BEYOND_ASCII, _UNKNOWN = "a", "b", "\u00e91", "zz"


def templated(calls: Iterable[CallInput], literals: Iterable[object], sources: Iterable[str]) -> list[CallInput]:
    """Return calls with a text that names keys of a mapping beside it, where known calls have both.

    Args:
        calls: known ones.
        literals: of all of the programs.
        sources: their texts.
    """
    texts = [_ESCAPED.sub(r"\1", value) for value in literals if isinstance(value, str)]
    written = (marks for marks in _MARKS if all(any(mark in text for text in texts) for mark in marks))
    called = (_CALLED[name] for source in sources for name in _FUNCTION.findall(source))
    both = list(islice(dict.fromkeys([*written, *called]), _MOST_MARKS))
    forms = [(call, places) for call in calls if (places := _places(call)) is not None] if both else []
    return [
        _filled(call, places, text, values)
        for call, places in forms[:_MOST_FORMS]
        for marks in both
        for text, values in product(_texts(*marks), _values(call, places, *marks))
    ]


def _places(call: CallInput) -> tuple[int, int] | None:
    """Return the places of the first text and of the first mapping from texts."""
    text = next((at for at, value in enumerate(call.args) if kind_of(value) == "str"), None)
    mapping = next((at for at, value in enumerate(call.args) if _has_names(value)), None)
    return (text, mapping) if text is not None and mapping is not None else None


def _has_names(value: Encoded) -> bool:
    node = open_node(value)
    return node.tag in DICTS and all(isinstance(key, str) for key, _ in node.pairs)


def _texts(before: str, behind: str) -> Iterator[str]:
    def named(name: str) -> str:
        return f"{before}{name}{behind}"

    yield named(_FIRST)
    yield f"x {named(_FIRST)}-{named(_SECOND)} {named(_UNKNOWN)} {named(_BEYOND_ASCII)}{named(_SECOND)}{before}"
    yield before + named(_FIRST) + behind
    yield named(f" {_FIRST} ")


def _values(call: CallInput, places: tuple[int, int], before: str, behind: str) -> Iterator[Sequence[Any]]:
    """Yield what the names stand for: texts that name others, and are empty, where known values are no numbers."""
    known = {kind_of(value) for _, value in open_node(call.args[places[1]]).pairs}
    if known and known <= {"int", "float", "bool"}:
        yield from ((1, 0, 2), (0, 1, 0))
        return
    yield (f"{before}{_SECOND}{behind}", "x", "y")
    yield ("", f"{before}{_FIRST}{behind}", "")
    yield ("\\1", "$0", "%s")


def _filled(call: CallInput, places: tuple[int, int], text: str, values: Sequence[Any]) -> CallInput:
    args = [*call.args]
    head = [*open_node(args[places[1]]).head]
    pairs = zip((_FIRST, _SECOND, _BEYOND_ASCII), values, strict=True)
    args[places[0]] = text
    args[places[1]] = [open_node(args[places[1]]).tag, *head, *(list(pair) for pair in pairs)]
    return CallInput(args=tuple(args), kwargs=call.kwargs)
