"""What docs/editors.md tells people to write into their settings, as the tests write it into theirs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

_PAGE = Path(__file__).parents[3] / "docs" / "editors.md"
_SECTION = re.compile(r"^## (.*)$", re.MULTILINE)
_BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


class Snippet(NamedTuple):
    """A block of code of the page."""

    heading: str
    language: str
    text: str


def snippets() -> list[Snippet]:
    """All blocks, in order."""
    _, *parts = _SECTION.split(_PAGE.read_text(encoding="utf-8"))
    sections = zip(parts[::2], parts[1::2], strict=True)
    return [Snippet(heading, *block) for heading, text in sections for block in _BLOCK.findall(text)]


def snippet(heading: str, number: int = 0) -> str:
    """The first block of code below a heading, or a later one."""
    return [each.text for each in snippets() if each.heading == heading][number]
