"""Cut a reply into its fences and what stands around them."""

from __future__ import annotations

import re
from typing import NamedTuple

_FENCE = re.compile(r"^(?P<before>.*?)(?P<mark>`{3,}|~{3,})[ \t]*(?P<language>[\w+#.-]*)(?P<after>.*)$")
_PYTHON = {"python", "py", "python3", "python2", "py3", "pycon", "ipython", "sage"}
_LONGEST_REMARK = 400
FENCED = 1
"""The highest rank of what a model has marked as code, or may have."""
PROSE = 2


class Part(NamedTuple):
    """A run of lines of a reply.

    `rank`: 0 a Python fence, 1 a fence of no language, 2 outside of fences, 3 a fence of another language.
    """

    rank: int
    text: str


def parts(reply: str) -> list[Part]:
    """Return the reply cut at its fences, in order, and last the whole reply (a docstring may hold a fence)."""
    found: list[Part] = []
    lines: list[str] = []
    rank = PROSE
    mark = ""
    for line in reply.split("\n"):
        fence = _FENCE.match(line)
        if fence is None or (mark and not _closes(fence, mark)) or (not mark and not _opens(fence)):
            lines.append(line)
            continue
        found.append(Part(rank, "\n".join(lines)))
        lines = []
        if mark:
            rank, mark = PROSE, ""
        else:
            mark = fence["mark"]
            rank = _rank(fence["language"])
    found.append(Part(rank, "\n".join(lines)))
    return [*(part for part in found if part.text.strip()), Part(PROSE, reply)]


def by_likelihood(found: list[Part]) -> list[Part]:
    """Order Python fences first; of equals the last in the reply first, as it is the one a model ends with."""
    *cut, whole = found
    cut.reverse()
    return [*sorted(cut, key=lambda part: part.rank), whole]


def remark_of(reply: str) -> str:
    """Return the first paragraph after the last fence: what a model says of its answer; empty when it says nothing."""
    *_, last, _whole = [Part(PROSE, ""), *parts(reply)]
    if last.rank != PROSE or len(parts(reply)) < 3:
        return ""
    paragraph = " ".join(last.text.strip().split("\n\n")[0].split())
    return paragraph if len(paragraph) <= _LONGEST_REMARK else f"{paragraph[: _LONGEST_REMARK - 1]}…"


def _opens(fence: re.Match[str]) -> bool:
    """Return whether a fence opens; within a line only if nothing follows its language ("Here it is: ```python")."""
    if fence["before"].strip():
        return fence["language"].lower() in _PYTHON and not fence["after"].strip()
    return fence["mark"][0] not in fence["after"]


def _closes(fence: re.Match[str], mark: str) -> bool:
    bare = not fence["before"].strip() and not fence["language"]
    return bare and fence["mark"].startswith(mark)


def _rank(language: str) -> int:
    if not language:
        return FENCED
    return 0 if language.lower() in _PYTHON else 3
