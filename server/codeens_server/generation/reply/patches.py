"""Apply what a model wrote as a change of the function that it was shown: diffs, SEARCH/REPLACE and apply_patch blocks.

Line numbers are not looked at, as models count badly: the lines before a change are found by what they say, as
`patch` does with a fuzz, and as tools that have models edit files do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_SEARCH = re.compile(r"^(?:<{5,}|-{5,})[ \t]*(?:SEARCH|ORIGINAL|OLD|HEAD)\b.*$", re.IGNORECASE)
_DIVIDER = re.compile(r"^={5,}[ \t]*$")
_REPLACE = re.compile(r"^(?:>{5,}|\+{5,})[ \t]*(?:REPLACE|UPDATED|NEW)\b.*$", re.IGNORECASE)
_HUNK = re.compile(r"^(?:@@|\*\*\* (?:Update|Add) File:)")
_FILE = re.compile(r"^(?:diff --git |index [0-9a-f]+|--- |\+\+\+ |\*\*\* |\\ No newline)")
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)(?P<language>\S*)")


class Hunk(NamedTuple):
    """Lines to be replaced, and what stands in their place."""

    old: list[str]
    new: list[str]


def changes_of(text: str) -> list[Hunk]:
    """Return the changes that a text describes, in order; none where it describes none."""
    lines = text.split("\n")
    found = list(_blocks(lines)) or list(_hunks(lines))
    return [change for change in found if change.old != change.new]


def applied(changes: list[Hunk], shown: str) -> str | None:
    """Return the text that was shown with all changes made; None where the lines before one are not in it."""
    lines = shown.split("\n")
    for written in changes:
        change, place = written, _place(lines, written.old)
        if place is None:
            change = Hunk(_trimmed(written.old), _trimmed(written.new))
            place = _place(lines, change.old)
        if place is None:
            return None
        length = len(change.old)
        lines[place : place + length] = _moved(change, lines[place : place + length])
    return "\n".join(lines)


def _blocks(lines: list[str]) -> Iterator[Hunk]:
    """Yield SEARCH/REPLACE blocks."""
    old: list[str] | None = None
    new: list[str] | None = None
    for line in lines:
        if _SEARCH.match(line):
            old, new = [], None
        elif old is not None and new is None and _DIVIDER.match(line):
            new = []
        elif old is not None and new is not None and _REPLACE.match(line):
            yield Hunk(old, new)
            old = new = None
        elif new is not None:
            new.append(line)
        elif old is not None:
            old.append(line)


def _hunks(lines: list[str]) -> Iterator[Hunk]:
    """Yield the hunks of a unified diff, of a patch for `apply_patch`, or of a fence that is called a diff."""
    change: Hunk | None = None
    for line in lines:
        fence = _FENCE.match(line)
        if _HUNK.match(line) or (fence and fence["language"] in {"diff", "patch"}):
            yield from _whole(change)
            change = Hunk([], [])
        elif _FILE.match(line):
            continue
        elif fence or (change is not None and line[:1] not in {" ", "\t", "+", "-", ""}):
            yield from _whole(change)
            change = None
        elif change is not None:
            if not line.startswith("+"):
                change.old.append(line[1:])
            if not line.startswith("-"):
                change.new.append(line[1:])
    yield from _whole(change)


def _whole(change: Hunk | None) -> Iterator[Hunk]:
    """Yield a hunk without the blank lines that both of its sides end with: they may be the diff's own."""
    if change is None:
        return
    while change.old and change.new and not (change.old[-1].strip() or change.new[-1].strip()):
        change.old.pop()
        change.new.pop()
    if change.old or change.new:
        yield change


def _trimmed(lines: list[str]) -> list[str]:
    """Return lines without blank ones at both ends."""
    filled = [number for number, line in enumerate(lines) if line.strip()]
    return lines[filled[0] : filled[-1] + 1] if filled else []


def _place(lines: list[str], old: list[str]) -> int | None:
    """Return where the lines stand: to the letter, else but for blanks at their ends, else but for their margin."""
    if not old:
        return None
    for key in (str, str.rstrip, str.strip):
        wanted = [key(line) for line in old]
        have = [key(line) for line in lines]
        for start in range(len(have) - len(wanted) + 1):
            if have[start : start + len(wanted)] == wanted:
                return start
    return None


def _moved(change: Hunk, there: list[str]) -> list[str]:
    """Return the new lines, moved by as much as the old ones stand further left or right than they were written."""
    pairs = zip(there, change.old, strict=True)
    have, written = next(((_margin(a), _margin(b)) for a, b in pairs if a.strip()), ("", ""))
    if have == written:
        return change.new
    return [have + line.removeprefix(written) if line.strip() else line for line in change.new]


def _margin(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
