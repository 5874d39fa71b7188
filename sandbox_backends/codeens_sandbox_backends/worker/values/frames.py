"""Frames of tracebacks that a text has in it: those of a program's own files tell where its lines stand.

Another implementation that does the same has other lines, at other places, and calls other things by the way.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Collection, Iterable, List

MARK = 'File "'
"""In every text that has a frame in it."""
_type_of: Callable[[Any], Any] = type
_own: List[Any] = []
"""What finds own frames, once a program's files are known."""


def own_files(paths: Iterable[str]) -> None:
    """Let frames of these files, and what is below them in the same traceback, count no more."""
    names = "|".join(map(re.escape, paths))
    further = r"(?:\n\1(?:[ \t]|(?<=[ \t|])(?:File |\[)).*)*"
    _own[:] = [re.compile(rf'^([ \t|]*)File "({names})", line \d+.*{further}', re.MULTILINE)] if names else []


def without_own_frames(text: str) -> str:
    """Return the text with a line of each own frame that is the uppermost of a traceback, and with none below it."""
    for own in _own:
        text = own.sub(r'\1File "\2"', text)
    return text


def lines_without_own_frames(lines: Collection[Any]) -> List[str]:
    """Return lines of a text, with or without their ends, as those of `without_own_frames`; none of anything else."""
    if any(_type_of(line) is not str or "\n" in line[:-1] for line in lines):
        return []
    have_ends = any(line.endswith("\n") for line in lines)
    return without_own_frames(("" if have_ends else "\n").join(lines)).splitlines(have_ends)
