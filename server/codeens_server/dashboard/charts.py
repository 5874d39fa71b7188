"""What charts that can be looked into are made of: Plotly's script out of its package, and the rows of a run."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from msgspec import Struct

from codeens_server.views.model import RunView


class PlottedRow(Struct, frozen=True, kw_only=True):
    """A row of a run between speed, memory and readability."""

    place: str
    label: str
    best: bool
    is_beaten: bool
    """Another is better in speed or memory beyond noise, and worse in neither."""
    speed: float
    """Times as fast as the original."""
    memory: float
    """Memory, of the original's."""
    readable: float | None
    """0 to 100; None: not looked at."""


@cache
def plotly_script() -> Path | None:
    """Return the script of Plotly in its package; None where it is not installed, and charts are not interactive."""
    found = find_spec("plotly")
    script = Path(found.origin).parent / "package_data" / "plotly.min.js" if found and found.origin else None
    return script if script and script.is_file() else None


def plotted(view: RunView) -> list[PlottedRow]:
    """Return the rows that stand in the picture of a run, with their numbers."""
    rows = {row.id: row for row in view.rows}
    return [
        PlottedRow(
            place=point.place,
            label=point.label,
            best=point.best,
            is_beaten=point.is_beaten,
            speed=rows[point.id].numbers.speed or 1.0,
            memory=rows[point.id].numbers.memory or 1.0,
            readable=rows[point.id].numbers.readability,
        )
        for point in view.points
    ]
