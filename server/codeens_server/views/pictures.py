"""What is drawn of a run: intervals as bars around the original's speed, and rows between speed and memory."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from codeens_server.domain.document import RankedResult
from codeens_server.domain.measurement import Interval
from codeens_server.domain.terms import ORIGINAL
from codeens_server.ranking.score import MEMORY_NOISE, memory_seen
from codeens_server.views.model import BarView, PointView, RowView

_LEAST = 0.5
_MOST = 2.0
"""Scales hold at least half and twice the original, so that noise does not look like a difference."""


def bars(speeds: Mapping[str, Interval]) -> dict[str, BarView]:
    """Return a bar for each interval, all to one logarithmic scale; in percent from the left."""
    ends = [end for speed in speeds.values() for end in (speed.low, speed.high) if end > 0]
    left, right = math.log2(min([*ends, _LEAST])), math.log2(max([*ends, _MOST]))

    def at(ratio: float) -> float:
        return round(100 * (math.log2(max(ratio, 2**left)) - left) / (right - left), 1)

    return {
        key: BarView(
            low=at(speed.low),
            high=max(at(speed.high), at(speed.low) + 1),
            middle=at(speed.ratio),
            one=at(1.0),
            trend="better" if speed.faster else "worse" if speed.slower else "same",
            said=f"{speed.low:.3g} to {speed.high:.3g} times as fast",
        )
        for key, speed in speeds.items()
    }


class _Seen(NamedTuple):
    """What is known of a row for certain."""

    low: float
    high: float
    """Times as fast as the original, between these."""
    memory: float
    """Log of its memory, of the original's."""

    def beats(self, other: _Seen) -> bool:
        """Return whether it is better in speed or memory beyond noise, and worse in neither."""
        faster, slower = self.low > other.high, self.high < other.low
        less = other.memory - self.memory
        return (faster or less > MEMORY_NOISE) and not slower and less >= -MEMORY_NOISE


def points(rows: Sequence[RowView], results: Sequence[RankedResult]) -> tuple[PointView, ...]:
    """Return where ranked rows stand between speed and memory, by the logarithms of both ratios; none without any.

    Args:
        rows: those of a finished run.
        results: what was measured of them.
    """
    measured = [
        (row, math.log2(row.numbers.speed), math.log2(row.numbers.memory))
        for row in rows
        if row.number is not None and row.numbers.speed and row.numbers.memory
    ]
    original = next((row for row in rows if row.id == ORIGINAL), None)
    if not measured or original is None:
        return ()
    placed = [(original, 0.0, 0.0), *measured]
    xs, ys = [x for _, x, _ in placed], [y for _, _, y in placed]
    seen = {row.candidate.id: _seen(row) for row in results} | {ORIGINAL: _Seen(1.0, 1.0, 0.0)}
    return tuple(
        PointView(
            id=row.id,
            x=_percent(x, xs),
            y=_percent(y, ys),
            place=row.place,
            label=row.label,
            best=row.best,
            is_beaten=any(seen[other.id].beats(seen[row.id]) for other, _, _ in placed),
        )
        for row, x, y in placed
    )


def _seen(row: RankedResult) -> _Seen:
    speed = row.speed
    if speed is None:
        return _Seen(0.0, math.inf, memory_seen(row.memory))
    return _Seen(speed.low if speed.confirmed else min(speed.low, 1.0), speed.high, memory_seen(row.memory))


def _percent(value: float, values: Iterable[float]) -> float:
    """Return where a ratio stands between the least and the most of all, which are logarithms too."""
    low, high = min([*values, math.log2(_LEAST)]), max([*values, math.log2(_MOST)])
    return round(8 + 84 * (value - low) / (high - low), 1)
