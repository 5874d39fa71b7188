"""Documents as an editor keeps them, written apart from the server's: edits by offsets into one text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lsprotocol import types

_LINE = re.compile(r"\r\n|\r|\n")


def offset(text: str, position: types.Position, encoding: str = "utf-16") -> int:
    """The index that a position means; past the end of its line, where the line ends."""
    starts = [0, *(match.end() for match in _LINE.finditer(text))]
    if position.line >= len(starts):
        return len(text)
    start = starts[position.line]
    end = _LINE.search(text, start)
    line = text[start : end.start() if end else len(text)]
    units = 0
    for index, char in enumerate(line):
        if units >= position.character:
            return start + index
        units += width(char, encoding)
    return start + len(line)


def position(text: str, index: int, encoding: str = "utf-16") -> types.Position:
    """The position of an index."""
    ends = [match.end() for match in _LINE.finditer(text) if match.end() <= index]
    start = ends[-1] if ends else 0
    return types.Position(line=len(ends), character=sum(width(char, encoding) for char in text[start:index]))


def width(char: str, encoding: str) -> int:
    """The units that a character takes."""
    size = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
    return len(char.encode({1: "utf-8", 2: "utf-16-le", 4: "utf-32-le"}[size], "surrogatepass")) // size


def edited(text: str, edits: Sequence[types.TextEdit], encoding: str = "utf-16") -> str:
    """The text after edits, all of which mean places in the text as it was."""
    places = [
        (offset(text, edit.range.start, encoding), offset(text, edit.range.end, encoding), edit.new_text)
        for edit in edits
    ]
    for (_, end, _), (start, _, _) in zip(sorted(places), sorted(places)[1:], strict=False):
        assert end <= start, "edits overlap"
    for start, end, new in sorted(places, reverse=True):
        text = text[:start] + new + text[end:]
    return text
