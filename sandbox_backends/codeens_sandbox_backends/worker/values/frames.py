"""Frames of tracebacks that a text has in it: those of a program's own files tell where its lines stand.

Another implementation that does the same has other lines, at other places, and calls other things by the way.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Collection, Dict, Iterable, List, Tuple

MARK = 'File "'
"""In every text that has a frame in it."""
_type_of: Callable[[Any], Any] = type
_own: List[str] = []
"""Paths of the program's files."""
_patterns: Dict[Tuple[str, ...], Any] = {}
"""What finds own frames, made when a text has one: most programs never make one, and making it takes a millisecond."""


def own_files(paths: Iterable[str]) -> None:
    """Let frames of these files, and what is below them in the same traceback, count no more."""
    _own[:] = paths


def without_own_frames(text: str) -> str:
    """Return the text with a line of each own frame that is the uppermost of a traceback, and with none below it."""
    if not _own or MARK not in text:
        return text
    paths = tuple(_own)
    if paths not in _patterns:
        names = "|".join(map(re.escape, paths))
        further = r"(?:\n\1(?:[ \t]|(?<=[ \t|])(?:File |\[)).*)*"
        _patterns[paths] = re.compile(rf'^([ \t|]*)File "({names})", line \d+.*{further}', re.MULTILINE)
    return _patterns[paths].sub(r'\1File "\2"', text)


def lines_without_own_frames(lines: Collection[Any]) -> List[str]:
    """Return lines of a text, with or without their ends, as those of `without_own_frames`; none of anything else."""
    if any(_type_of(line) is not str or "\n" in line[:-1] for line in lines):
        return []
    have_ends = any(line.endswith("\n") for line in lines)
    return without_own_frames(("" if have_ends else "\n").join(lines)).splitlines(have_ends)
