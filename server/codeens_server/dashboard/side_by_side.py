"""Two sources beside each other: which lines stand for which, in the colours of their syntax."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Literal

from markupsafe import Markup
from msgspec import Struct
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name  # pyright: ignore[reportUnknownVariableType]  # its stub has bare options

from codeens_server.text import visible


class Side(Struct, frozen=True, kw_only=True):
    """One line of one of the two; without a number there is none beside the other's."""

    number: int | None = None
    code: Markup = Markup("")


class Line(Struct, frozen=True, kw_only=True):
    """Two lines that stand beside each other."""

    kind: Literal["same", "changed", "added", "removed"]
    before: Side
    after: Side


def lines_beside(before: str, after: str) -> list[Line]:
    """Return two sources line by line, escaped for HTML."""
    texts = [visible(source).strip("\n") for source in (before, after)]
    left, right = map(_coloured, texts)
    matcher = difflib.SequenceMatcher(None, *(text.split("\n") for text in texts), autojunk=False)
    return [line for opcode in matcher.get_opcodes() for line in _block(*opcode, left, right)]


def _block(
    tag: str, left_from: int, left_to: int, right_from: int, right_to: int, left: list[Markup], right: list[Markup]
) -> Iterator[Line]:
    for offset in range(max(left_to - left_from, right_to - right_from)):
        before, after = _side(left, left_from + offset, left_to), _side(right, right_from + offset, right_to)
        if tag == "equal":
            kind = "same"
        else:
            kind = "added" if before.number is None else "removed" if after.number is None else "changed"
        yield Line(kind=kind, before=before, after=after)


def _side(lines: list[Markup], at: int, end: int) -> Side:
    return Side(number=at + 1, code=lines[at]) if at < end else Side()


def _coloured(source: str) -> list[Markup]:
    formatter: HtmlFormatter[str] = HtmlFormatter(nowrap=True)
    formatted = highlight(source, get_lexer_by_name("python", stripnl=False, ensurenl=False), formatter)
    # The formatter closes its elements at the end of each line.
    return [Markup(line) for line in formatted.split("\n")]  # noqa: S704
