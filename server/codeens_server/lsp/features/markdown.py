"""Runs as Markdown: a table for a hover, a report to open. What models and candidates wrote is shown, never obeyed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from codeens_server.text import one_line, plural
from codeens_server.views.model import CellView, RowView, RunView

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~&])")
_MOST_ROWS = 12


def hover_text(run: RunView) -> str:
    """Return a finished run's headline and best rows, as a table."""
    return "\n".join(
        [f"**codeens** · {escaped(run.headline)}", "", *_table(run.rows, _MOST_ROWS), "", escaped(_grounds(run))]
    )


def report(run: RunView, diff: str) -> str:
    """Return everything about a finished run that a person decides by.

    Args:
        run: what is shown of it.
        diff: the change of the best row; empty when the original stays.
    """
    notes = [f"- {escaped(note.text)}" for note in run.notes]
    parts = [
        f"# codeens: {escaped(run.function.qualname)}",
        escaped(run.headline) + ".",
        "\n".join(_table(run.rows, len(run.rows))),
        escaped(_grounds(run)),
        *(["\n".join(notes)] if notes else []),
        *_map(run),
    ]
    if diff:
        best = run.row(run.best)
        on = f", {escaped(best.verdict.detail)}" if best is not None and best.status == "conditional" else ""
        parts += [f"## The best change{on}", _fenced(diff, "diff")]
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Return text as Markdown shows it unchanged, on one line."""
    return _SPECIAL.sub(r"\\\1", one_line(text))


def _table(rows: Sequence[RowView], most: int) -> Iterator[str]:
    yield "| | candidate | verdict | speed | memory | readable | lines | cost |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for row in rows[:most]:
        yield f"| {' | '.join(_cells(row))} |"
    if len(rows) > most:
        yield f"| | {len(rows) - most} more | | | | | | |"


def _cells(row: RowView) -> list[str]:
    name = escaped(row.label)
    verdict = escaped(": ".join(filter(None, [row.verdict.text, row.verdict.detail])))
    return [
        row.place,
        f"**{name}**" if row.best else name,
        f"**{verdict}**" if row.unsafe else verdict,
        _cell(row.speed),
        _cell(row.memory),
        _cell(row.readability),
        _cell(row.diff),
        escaped(row.cost),
    ]


def _cell(cell: CellView) -> str:
    return f"{cell.text} {cell.detail}".strip()


def _grounds(run: RunView) -> str:
    return f"Evidence: {run.evidence}. {run.totals}."


def _map(run: RunView) -> Iterator[str]:
    """Say which candidates do the same, and on which smallest inputs clusters differ."""
    if len(run.clusters) < 2:
        return
    yield "## Where candidates differ"
    yield "\n".join(
        f"- group {cluster.index} ({plural(cluster.answers, 'answer')}): {escaped(', '.join(cluster.members))}"
        for cluster in run.clusters
    )
    found = [
        f"{each.number}. {_code(each.call)}: "
        + ", ".join(f"group {side.group} gives {_code(side.result)}" for side in each.sides)
        for each in run.differences
    ]
    if found:
        yield "\n".join(found)


def _code(text: str) -> str:
    shown = one_line(text)
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", shown)), default=0))
    return f"{fence} {shown} {fence}" if "`" in shown else f"`{shown}`"


def _fenced(text: str, language: str) -> str:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"
