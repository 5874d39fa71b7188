"""Cuts a Python text where definitions begin, and cuts it again after an edit by looking at what the edit changed.

A cut at a wrong place, as inside of brackets that stand at the left margin, makes pieces that do not parse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate
from typing import Literal, NamedTuple

LARGE_CLASS = 20_000
"""Characters from which on the members of a class are pieces of their own."""

# Patterns begin with the line feed before a line, which is found much faster than the start of a line.
_DEFINITION = r"(?:@|(?:async[ \t]+)?def[ \t]+(\w+)|class[ \t]+(\w+))"
_START = re.compile(rf"\n{_DEFINITION}")
_STATEMENT = re.compile(r"\n[^\W\d]")
_BODY = re.compile(r":[ \t]*(?:#.*)?\r?(?:\n[ \t]*(?:#.*)?\r?)*\n([ \t]+)")
# Strings and comments; the group is empty for a string of several lines that does not end.
_STRING = re.compile(
    r"""#[^\n]*|"{3}(?:\\.|[^\\])*?("{3}|\Z)|'{3}(?:\\.|[^\\])*?('{3}|\Z)"""
    r"""|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?""",
    re.DOTALL,
)


class Piece(NamedTuple):
    """A part of a text: one definition at the left margin, or one member of a large class, with what follows it."""

    text: str
    name: str = ""
    """What it defines at the left margin; empty for what stands before the first definition."""
    place: Literal["plain", "class", "head", "member"] = "plain"
    """A class as a whole, what is before the first member of a large one, or a member of it."""
    margin: str = ""
    """White space before the members of a large class."""
    is_open: bool = False
    """Whether it ends with a decorator, or inside of a string, so that what follows belongs to it."""
    line_ends: int = 0

    def as_module(self) -> str:
        """Return a text that can be parsed; a member is put into a class `_`, whose line comes first."""
        if self.place == "member":
            return f"class _:\n{self.text}"
        return f"{self.text}\n{self.margin}pass" if self.place == "head" else self.text


class Splitter:
    """Cuts one text after another of the same document."""

    def __init__(self) -> None:
        self._top = _Level(_START)
        self._classes: dict[tuple[str, str], _Level] = {}

    def cut(self, text: str) -> list[Piece]:
        """Return all pieces of a text; joined they are the text."""
        pieces: list[Piece] = []
        used: dict[tuple[str, str], _Level] = {}
        for piece in self._top.cut(text):
            if piece.place == "class" and len(piece.text) > LARGE_CLASS:
                pieces += self._members(piece, used)
            else:
                pieces.append(piece)
        self._classes = used
        return pieces

    def _members(self, piece: Piece, used: dict[tuple[str, str], _Level]) -> Iterator[Piece]:
        match = _BODY.search(piece.text)
        margin = match[1] if match else ""
        key = piece.name, margin
        if not margin or key in used:
            yield piece
            return
        level = self._classes.get(key) or _Level(re.compile(rf"\n{margin}{_DEFINITION}"))
        used[key] = level
        end = _end_of_class(piece.text, match.end() if match else 0)
        members = level.cut(piece.text[:end])
        for index, member in enumerate(members):
            place = "member" if index else "head" if len(members) > 1 else "class"
            yield member._replace(name=piece.name, place=place, margin=margin)
        if end < len(piece.text):
            yield _piece(piece.text[end:])


class _Level:
    """Cuts at one margin."""

    def __init__(self, start: re.Pattern[str]) -> None:
        self._start = start
        self._last: list[Piece] = []

    def cut(self, text: str) -> list[Piece]:
        """Keep the pieces that are unchanged at both ends of the text, and cut what lies between anew."""
        before, begun = self._same_before(text)
        after, end = self._same_after(text, begun)
        between = list(_cut(text[begun:end], self._start)) if begun < end else []
        if after and between and between[-1].is_open:
            before, between, after = [], list(_cut(text, self._start)), []
        self._last = [*before, *between, *after]
        return self._last

    def _same_before(self, text: str) -> tuple[list[Piece], int]:
        begun = count = 0
        for piece in self._last:
            if not text.startswith(piece.text, begun):
                break
            begun += len(piece.text)
            count += 1
        if count == 0:
            return [], 0
        # What follows the last of them may have come to belong to it.
        return self._last[: count - 1], begun - len(self._last[count - 1].text)

    def _same_after(self, text: str, begun: int) -> tuple[list[Piece], int]:
        end = len(text)
        count = len(self._last)
        while count > 1:
            piece = self._last[count - 1].text
            if end - len(piece) < begun or not text.startswith(piece, end - len(piece)):
                break
            end -= len(piece)
            count -= 1
        return self._last[count:], end


def starts_of(pieces: list[Piece]) -> list[int]:
    """Return the line at which each piece begins, counted from 0."""
    return [0, *accumulate(piece.line_ends for piece in pieces[:-1])]


def _cut(text: str, start: re.Pattern[str]) -> Iterator[Piece]:
    """Cut a text where definitions begin; decorators belong to theirs, and so does what follows."""
    begun, name, is_class, is_open = 0, "", False, False
    # The added line feed makes the place of a match that of the line after it.
    for match in start.finditer(f"\n{text}"):
        if not is_open and match.start() > begun and not _inside_string(text[begun : match.start()]):
            yield _piece(text[begun : match.start()], name, is_class=is_class)
            begun, name, is_class, is_open = match.start(), "", False, True
        if is_open or match.start() == begun:
            name, is_class = match[1] or match[2] or "", bool(match[2])
            is_open = not name
    yield _piece(text[begun:], name, is_class=is_class, is_open=is_open or _inside_string(text[begun:]))


def _piece(text: str, name: str = "", *, is_class: bool = False, is_open: bool = False) -> Piece:
    return Piece(text, name, "class" if is_class else "plain", "", is_open, _line_ends(text))


def _inside_string(before: str) -> bool:
    """Return whether a string of several lines is still open at the end of a piece."""
    if before.count('"""') % 2 == 0 and before.count("'''") % 2 == 0:
        return False
    return any("" in (match[1], match[2]) for match in _STRING.finditer(before))


def _end_of_class(text: str, begun: int) -> int:
    """Return where a statement at the left margin follows the class that begins a piece."""
    for match in _STATEMENT.finditer(text, begun):
        if not _inside_string(text[: match.start() + 1]):
            return match.start() + 1
    return len(text)


def _line_ends(text: str) -> int:
    count = text.count("\n")
    return count + text.count("\r") - text.count("\r\n") if "\r" in text else count
