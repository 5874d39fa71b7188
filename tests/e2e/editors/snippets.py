"""What docs/editors.md tells people to write into their settings, as the tests write it into theirs."""

from __future__ import annotations

import re
from pathlib import Path

_PAGE = Path(__file__).parents[3] / "docs" / "editors.md"


def snippet(heading: str) -> str:
    """The first block of code below a heading."""
    page = _PAGE.read_text(encoding="utf-8")
    section = page[page.index(f"## {heading}\n") :]
    match = re.search(r"```\w+\n(.*?)```", section, re.DOTALL)
    assert match, f"no code below {heading}"
    return match[1]
