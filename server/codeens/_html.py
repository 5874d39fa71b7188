"""Results as HTML for notebooks: the ranked table with a bar for each interval, and the best change."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

from msgspec import Struct

from codeens_server.domain.measurement import Interval

_WIDTH = 120
_HEIGHT = 12
_COLOURS = {"better": "#1a7f37", "worse": "#cf222e", "same": "#6e7781", None: "#6e7781"}
"""Readable on white and on dark paper."""


class Cell(Struct, frozen=True, kw_only=True):
    """One cell: a text, what is told below it, how it compares with the original, and a bar in place of a text."""

    text: str = ""
    detail: str = ""
    trend: str | None = None
    bar: str = ""


def table(headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return a table; all texts are escaped."""
    head = "".join(f"<th style='text-align:left'>{escape(heading)}</th>" for heading in headings)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def page(title: str, parts: Iterable[str]) -> str:
    """Return parts under a title."""
    return f"<div><p><b>{escape(title)}</b></p>{''.join(parts)}</div>"


def paragraph(text: str) -> str:
    """Return a text of its own."""
    return f"<p>{escape(text)}</p>" if text else ""


def folded(summary: str, text: str) -> str:
    """Return a text, in its own line breaks, that is shown when its summary is clicked."""
    if not text:
        return ""
    return f"<details><summary>{escape(summary)}</summary><pre>{escape(text)}</pre></details>"


def bars(intervals: Sequence[Interval | None]) -> list[str]:
    """Return a bar for each interval, all to one logarithmic scale; the line through each is the original's speed."""
    ends = [end for interval in intervals if interval for end in (interval.low, interval.high) if end > 0]
    if not ends:
        return ["" for _ in intervals]
    # At least from half to twice: what is no faster shall not fill the width.
    left, right = math.log2(min(*ends, 0.5)), math.log2(max(*ends, 2.0))
    return [_bar(interval, left, right) if interval else "" for interval in intervals]


def _bar(interval: Interval, left: float, right: float) -> str:
    def at(ratio: float) -> float:
        return round(_WIDTH * (math.log2(max(ratio, 2**left)) - left) / (right - left), 1)

    low, high, middle, one = at(interval.low), at(interval.high), at(interval.ratio), at(1.0)
    colour = _COLOURS["better" if interval.faster else "worse" if interval.slower else "same"]
    said = f"{interval.low:.3g} to {interval.high:.3g} times as fast"
    half = _HEIGHT / 2
    return (
        f"<svg width='{_WIDTH}' height='{_HEIGHT}' role='img' aria-label='{said}'><title>{said}</title>"
        f"<line x1='{one}' x2='{one}' y1='0' y2='{_HEIGHT}' stroke='{_COLOURS[None]}' stroke-dasharray='2'/>"
        f"<rect x='{low}' y='{half - 2}' width='{max(high - low, 1.0)}' height='4' fill='{colour}'/>"
        f"<circle cx='{middle}' cy='{half}' r='3' fill='{colour}'/></svg>"
    )


def _cell(cell: Cell) -> str:
    text = f"<span style='color:{_COLOURS[cell.trend]}'>{escape(cell.text)}</span>" if cell.trend else escape(cell.text)
    detail = f"<br><small>{escape(cell.detail)}</small>" if cell.detail else ""
    return f"<td style='text-align:left;vertical-align:top'>{text}{cell.bar}{detail}</td>"
