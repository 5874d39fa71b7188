"""The report as tables of words: for a terminal, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from codeens_server.bench.report.model import BenchReport, Scores, SystemRow
from codeens_server.bench.statistics import Estimate
from codeens_server.text import plural, visible
from codeens_server.views.sheets import Paper, Sheet, markdown_table

_LONGEST_LIST = 12


def sheets(report: BenchReport) -> Iterator[Sheet]:
    """Yield the tables of a report that have anything to say."""
    yield _leaderboard(report.systems)
    levels = list(dict.fromkeys(level for row in report.systems for level in row.by_difficulty))
    if levels:
        rows = [(row.name, *(_share(row.by_difficulty.get(level)) for level in levels)) for row in report.systems]
        yield Sheet("pass@1 by difficulty", ("system", *levels), rows)
    if report.scores is not None:
        yield from _scores(report.scores)
    if report.changes:
        changes = [(change.sentence, _some(change.better), _some(change.worse)) for change in report.changes]
        yield Sheet("Against the earlier run", ("what changed", "better", "worse"), changes, figures=False)
    told = [difference for difference in report.comparisons if difference.winner is not None]
    if report.comparisons:
        rest = len(report.comparisons) - len(told)
        rows = [(difference.sentence,) for difference in told]
        rows += [(f"{plural(rest, 'pair')} cannot be told apart",)] if rest else []
        yield Sheet("Who beats whom (paired, corrected for all pairs)", ("",), rows, figures=False)
    if report.failures:
        rows = [(one.ending, str(one.samples), one.cause or "-", one.example) for one in report.failures]
        yield Sheet("Failures by cause", ("ending", "samples", "cause", "for example"), rows, figures=False)
    rows = [(one.dataset, str(one.tasks), one.digest, one.command) for one in report.data]
    yield Sheet(
        "Data", ("data set", "tasks here", "SHA-256 of all its tasks", "asks the same again"), rows, figures=False
    )


def paper_of(report: BenchReport) -> Paper:
    """Return the report with its heading and notes, to be written in any form."""
    return Paper(
        f"{', '.join(report.datasets)}: {plural(report.records, 'record')}", report.notes, tuple(sheets(report))
    )


def as_markdown(report: BenchReport) -> str:
    """Return the report as Markdown."""
    parts = [f"# {', '.join(report.datasets)}: {plural(report.records, 'record')}"]
    parts += [f"> {note}" for note in report.notes]
    parts += [f"## {sheet.title}\n\n{markdown_table(sheet)}" for sheet in sheets(report)]
    return "\n\n".join(parts) + "\n"


def as_table(report: BenchReport) -> RenderableType:
    """Return the report for a terminal."""
    head = Text(f"{', '.join(report.datasets)}: {plural(report.records, 'record')}")
    return Group(head, *(Text(note, style="yellow") for note in report.notes), *map(_terminal_table, sheets(report)))


def _leaderboard(rows: Sequence[SystemRow]) -> Sheet:
    ks = list(dict.fromkeys(k for row in rows for k in row.pass_at))
    columns = ("system", *ks, "tasks", "samples", "reply", "run", "cost", "no verdict")
    return Sheet(
        "Leaderboard",
        columns,
        [
            (
                row.name,
                *(_share(row.pass_at.get(k)) for k in ks),
                str(row.tasks),
                str(row.samples),
                _seconds(row.ask_s),
                _seconds(row.run_s),
                "?" if row.cost_usd is None else f"${row.cost_usd:.4g}",
                str(row.unjudged),
            )
            for row in rows
        ],
    )


def _scores(scores: Scores) -> Iterator[Sheet]:
    """Yield the scores of systems and, where these are fewer, of models, and of models by difficulty."""
    columns = tuple(f"{part} (of {most:.4g})" for part, most in scores.weights.items())
    several = len(scores.models) < len(scores.systems)
    for what, ranked in [("system", scores.systems), *([("model", scores.models)] if several else [])]:
        rows = [(one.name, _points(one.score), *(f"{value:.1f}" for value in one.parts.values())) for one in ranked]
        yield Sheet(f"Scores by {what}", (what, "score", *columns), rows)
    levels = list(dict.fromkeys(level for one in scores.models for level in one.by_difficulty))
    if levels:
        rows = [(one.name, *(_points(one.by_difficulty.get(level)) for level in levels)) for one in scores.models]
        yield Sheet("Scores by model and difficulty", ("model", *levels), rows)


def _points(estimate: Estimate | None) -> str:
    return "-" if estimate is None else f"{estimate.value:.1f} ({estimate.low:.1f} to {estimate.high:.1f})"


def _share(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    return f"{100 * estimate.value:.1f} % ({100 * estimate.low:.1f} to {100 * estimate.high:.1f})"


def _seconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1f} s" if value >= 1 else f"{1000 * value:.3g} ms"


def _some(tasks: Sequence[str]) -> str:
    more = f" and {len(tasks) - _LONGEST_LIST} more" if len(tasks) > _LONGEST_LIST else ""
    return f"{len(tasks)}: {', '.join(tasks[:_LONGEST_LIST])}{more}" if tasks else "0"


def _terminal_table(sheet: Sheet) -> Table:
    table = Table(title=sheet.title, title_justify="left", show_header=any(sheet.columns))
    for number, column in enumerate(sheet.columns):
        table.add_column(column, justify="right" if sheet.figures and number else "left", overflow="fold")
    for row in sheet.rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    return table
