"""Finds the line of a key in a TOML text, for messages: the parser gives values without their places."""

from __future__ import annotations

import re
from collections import Counter
from typing import cast

import tomli

Key = tuple[str | int, ...]
"""A path to a value: keys of tables, and indices of arrays."""

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_ASSIGNMENT = re.compile(r"""^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")


def line_of(text: str, key: Key) -> int | None:
    """The 1-based line where `key`, or else the nearest table or key around it, is written."""
    places = _places(text)
    for length in range(len(key), 0, -1):
        if (line := places.get(key[:length])) is not None:
            return line
    return None


def _places(text: str) -> dict[Key, int]:
    places: dict[Key, int] = {}
    seen: Counter[Key] = Counter()
    table: Key = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _parts(header[2])
            if header[1] == "[[":
                seen[table] += 1
                places.setdefault(table, number)
                table = (*table, seen[table] - 1)
            places.setdefault(table, number)
        elif assignment := _ASSIGNMENT.match(line):
            places.setdefault((*table, *_parts(assignment[1])), number)
    return places


def _parts(dotted: str) -> Key:
    """`a."b.c"` → `("a", "b.c")`, by the parser itself."""
    try:
        value: object = tomli.loads(f"{dotted} = 0")
    except tomli.TOMLDecodeError:
        return (dotted,)
    parts: list[str] = []
    while isinstance(value, dict):
        name, value = next(iter(cast("dict[str, object]", value).items()))
        parts.append(name)
    return tuple(parts)
