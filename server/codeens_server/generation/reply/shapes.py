"""The shapes of a reply: which parts of it may be code, the likeliest first."""

from __future__ import annotations

import re
from typing import NamedTuple

FENCE = re.compile(r"^(?P<before>.*?)(?P<mark>`{3,}|~{3,})[ \t]*(?P<language>[\w+#.-]*)(?P<after>.*)$")
PYTHON = {"python", "py", "python3", "python2", "py3", "pycon", "ipython", "sage"}
LONGEST_REMARK = 400


class Part(NamedTuple):
    """A run of lines of a reply.

    `rank`: 0 a Python fence, 1 a fence of no language, 2 outside of fences, 3 a fence of another language.
    """

    rank: int
    text: str


def parts(reply: str) -> list[Part]:
    """The reply cut at its fences, in order, and last the whole reply (a docstring may hold a fence)."""
    found: list[Part] = []
    lines: list[str] = []
    rank = 2
    mark = ""
    for line in reply.split("\n"):
        fence = FENCE.match(line)
        if fence is None or (mark and not _closes(fence, mark)) or (not mark and not _opens(fence)):
            lines.append(line)
            continue
        found.append(Part(rank, "\n".join(lines)))
        lines = []
        if mark:
            rank, mark = 2, ""
        else:
            mark = fence["mark"]
            rank = _rank(fence["language"])
    found.append(Part(rank, "\n".join(lines)))
    return [*(part for part in found if part.text.strip()), Part(2, reply)]


def by_likelihood(found: list[Part]) -> list[Part]:
    """Python fences first; of equals the last in the reply first, as it is the one a model ends with."""
    *cut, whole = found
    cut.reverse()
    return [*sorted(cut, key=lambda part: part.rank), whole]


def remark_of(reply: str) -> str:
    """The first paragraph after the last fence: what a model says of its answer; empty when it says nothing."""
    *_, last, _whole = [Part(2, ""), *parts(reply)]
    if last.rank != 2 or len(parts(reply)) < 3:
        return ""
    paragraph = " ".join(last.text.strip().split("\n\n")[0].split())
    return paragraph if len(paragraph) <= LONGEST_REMARK else f"{paragraph[: LONGEST_REMARK - 1]}…"


def _opens(fence: re.Match[str]) -> bool:
    """A mark within a line opens only when nothing follows its language ("Here it is: ```python")."""
    if fence["before"].strip():
        return fence["language"].lower() in PYTHON and not fence["after"].strip()
    return fence["mark"][0] not in fence["after"]


def _closes(fence: re.Match[str], mark: str) -> bool:
    bare = not fence["before"].strip() and not fence["language"]
    return bare and fence["mark"].startswith(mark)


def _rank(language: str) -> int:
    if not language:
        return 1
    return 0 if language.lower() in PYTHON else 3
