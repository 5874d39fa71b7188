"""The report as a picture or a document, by matplotlib (the extra `report`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, TypeAlias

from codeens_sandbox_backends.extras import installing_extra
from codeens_server.bench.report.model import BenchReport, SystemRow
from codeens_server.errors import Hint, InputError

Theme: TypeAlias = Literal["light", "dark"]
_Value: TypeAlias = Callable[[SystemRow], float | None]
_MOST_ROWS = 30
_LONGEST_NAME = 42
_COLOURS: dict[Theme, dict[str, str]] = {
    "light": {"paper": "#ffffff", "ink": "#1f2328", "soft": "#59636e", "mark": "#0969da", "line": "#d1d9e0"},
    "dark": {"paper": "#0d1117", "ink": "#e6edf3", "soft": "#9198a1", "mark": "#4493f8", "line": "#3d444d"},
}


def write_pictures(report: BenchReport, path: Path, theme: Theme) -> None:
    """Write the leaderboard, cost and speed against accuracy, and the grid of tasks, to a `.png` or `.pdf`.

    Raises:
        InputError: matplotlib is not installed, or the file cannot be written.
    """
    try:
        # Its own types are known in part only, which a strict checker does not take.
        matplotlib: Any = import_module("matplotlib")
        figures: Any = import_module("matplotlib.figure")
    except ImportError:
        message = "pictures need matplotlib."
        raise InputError(message, hint=Hint("fix", installing_extra("report"))) from None
    colours = _COLOURS[theme]
    rows, mark = report.systems[:_MOST_ROWS], colours["mark"]
    with matplotlib.rc_context(_style(colours)):
        height = 4.2 + 0.26 * len(rows)
        figure = figures.Figure(figsize=(11, 2 * height), layout="constrained")
        figure.suptitle(", ".join(report.datasets))
        axes = figure.subplot_mosaic([["board", "board"], ["speed", "cost"], ["grid", "grid"]])
        _leaderboard(axes["board"], rows, colours)
        _against(axes["speed"], rows, "median seconds to a reply", lambda row: row.ask_s, mark)
        _against(axes["cost"], rows, "US dollars for a sample", _cost_of_one, mark)
        _grid(axes["grid"], report, rows, colours)
        try:
            figure.savefig(path, dpi=150)
        except OSError as error:
            message = f"{path} cannot be written: {error.strerror}."
            raise InputError(message) from None


def _style(colours: dict[str, str]) -> dict[str, str | float | bool]:
    ink, line = colours["ink"], colours["line"]
    return {
        "figure.facecolor": colours["paper"],
        "axes.facecolor": colours["paper"],
        "savefig.facecolor": colours["paper"],
        "text.color": ink,
        "axes.labelcolor": ink,
        "xtick.color": colours["soft"],
        "ytick.color": ink,
        "axes.edgecolor": line,
        "grid.color": line,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "lines.color": colours["mark"],
        # What stands between dollar signs would be set as a formula.
        "text.parse_math": False,
        "font.size": 9,
    }


def _leaderboard(axes: Any, rows: Sequence[SystemRow], colours: dict[str, str]) -> None:
    known = [(row, row.pass_at["pass@1"]) for row in reversed(rows) if "pass@1" in row.pass_at]
    places = range(len(known))
    values = [100 * one.value for _, one in known]
    errors = [[100 * (one.value - one.low) for _, one in known], [100 * (one.high - one.value) for _, one in known]]
    axes.barh(places, values, xerr=errors, color=colours["mark"], ecolor=colours["ink"], alpha=0.75, height=0.7)
    axes.set_yticks(places, [f"{1 + rows.index(row)}. {_short(row.name)}" for row, _ in known])
    axes.set_xlim(0, 100)
    axes.set_xlabel("pass@1 in %, with 95 % intervals over tasks")
    axes.grid(axis="x")
    axes.set_axisbelow(True)


def _against(
    axes: Any, rows: Sequence[SystemRow], label: str, value: Callable[[SystemRow], float | None], colour: str
) -> None:
    points = [
        (row, found, row.pass_at["pass@1"].value) for row in rows if "pass@1" in row.pass_at and (found := value(row))
    ]
    axes.set_xlabel(label)
    axes.set_ylabel("pass@1 in %")
    axes.set_ylim(0, 100)
    if not points:
        axes.text(0.5, 0.5, "not known", transform=axes.transAxes, ha="center")
        return
    ticks: Any = import_module("matplotlib.ticker")
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(ticks.LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.minorticks_off()
    axes.scatter([found for _, found, _ in points], [100 * share for _, _, share in points], color=colour)
    axes.margins(x=0.25)
    for row, found, share in points:
        place = (found, 100 * share)
        axes.annotate(str(1 + rows.index(row)), place, xytext=(4, 4), textcoords="offset points", fontsize=7)


def _cost_of_one(row: SystemRow) -> float | None:
    return row.cost_usd and row.cost_usd / row.samples


def _grid(axes: Any, report: BenchReport, rows: Sequence[SystemRow], colours: dict[str, str]) -> None:
    maps: Any = import_module("matplotlib.colors")
    shades = maps.LinearSegmentedColormap.from_list("share", [colours["line"], colours["mark"]])
    shares = [[found.get(row.name, float("nan")) for found in report.grid.values()] for row in rows]
    axes.imshow(shares, aspect="auto", cmap=shades, vmin=0, vmax=1, interpolation="nearest")
    axes.set_yticks(range(len(rows)), [_short(row.name) for row in rows])
    axes.set_xlabel(f"{len(report.grid)} tasks; the stronger, the more samples pass")
    axes.set_xticks([])


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
