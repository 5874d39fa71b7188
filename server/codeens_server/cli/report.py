"""A run's result on stdout: its rows as a table, or as a list where the terminal is narrow, and what to do next."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import click
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from codeens_server.domain.document import RankedResult, RunDocument
from codeens_server.errors import InputError
from codeens_server.measuring.machine import told
from codeens_server.ranking.wording import label
from codeens_server.text import one_line, plural, visible
from codeens_server.views.beside import RunsBeside
from codeens_server.views.cells import speed_cell
from codeens_server.views.model import CellView, RowView, RunView
from codeens_server.views.run_view import document_view
from codeens_server.workspace.edit import apply_edit, unified_diff

BEST = "best"

_COLUMNS = ("", "candidate", "verdict", "speed", "memory", "readable", "diff", "cost")
# Below this the columns of figures leave too little for the verdict.
_WIDTH_FOR_A_TABLE = 110
_WIDTH_OF_A_PIPE = 160
_STATUS_STYLES = {
    "passed": "green",
    "conditional": "cyan",
    "failed": "red",
    "error": "red",
    "timeout": "yellow",
    "refused": "yellow",
}
_TREND_STYLES = {"better": "green", "worse": "red", "same": "dim", None: ""}
_NOTE_STYLES = {"excluded": "dim", "unsafe": "bold red"}
_DIFF_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def console(*, stderr: bool = False) -> Console:
    """Return a console for plain text; what is piped is as wide as a whole table."""
    made = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not made.is_terminal:
        made.width = _WIDTH_OF_A_PIPE
    return made


def plain_table(*headings: str) -> Table:
    """Return a table without lines whose cells fold; without headings it has no columns yet."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", show_header=any(headings))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def print_run(run: RunDocument, out: Console) -> None:
    """Print a run's result."""
    view = document_view(run)
    out.print(f"{view.function.qualname}  {view.function.path}:{view.function.line}", soft_wrap=True)
    out.print()
    out.print(_as_table(view.rows) if out.width >= _WIDTH_FOR_A_TABLE else _as_list(view.rows))
    out.print()
    out.print(Text(view.headline, style="bold"))
    for line in _grounds(view):
        out.print(line)
    if run.machine and any(row.speed for row in run.results):
        out.print(Text(f"timed on: {told(run.machine)}", style="dim"))
    for line in _next_steps(view):
        out.print(line, soft_wrap=True)


def print_beside(found: RunsBeside, out: Console) -> None:
    """Print two runs beside each other."""
    table = plain_table("candidate", found.first, found.second, "")
    for row in found.rows:
        cells = (speed_cell(speed) for speed in (row.first, row.second))
        speeds = [Text(f"{cell.text} {cell.detail}".strip() or "not measured") for cell in cells]
        table.add_row(Text(one_line(row.label)), *speeds, Text("differs" if row.differs else ""))
    out.print(table if found.rows else Text("no code is in both runs"))
    for line in found.differences:
        out.print(Text(f"not the same: {line}"), soft_wrap=True)


def print_differences(run: RunDocument, out: Console) -> None:
    """Print who did the same, and the smallest inputs on which groups differ, numbered."""
    view = document_view(run)
    places = {row.label: row.place or "-" for row in view.rows}
    out.print()
    for cluster in view.clusters:
        members = ", ".join(f"{places.get(name, '')} {name}".strip() for name in cluster.members)
        out.print(f"group {cluster.index} ({plural(cluster.answers, 'answer')}): {members}")
    for difference in view.differences:
        out.print(f"{difference.number}. {difference.call}")
        for side in difference.sides:
            out.print(f"   group {side.group}: {side.result}")
    if view.differences:
        out.print(f"Hold all candidates to one of these: codeens runs pin {view.run_id} NUMBER", soft_wrap=True)
    kinds = dict.fromkeys(each.kind for row in run.results for each in row.verdict.conditions)
    if kinds:
        said = f"Let nothing pass on such a condition here: codeens runs refuse {view.run_id} {'|'.join(kinds)}"
        out.print(said, soft_wrap=True)


def print_diff(run: RunDocument, rank: int | str) -> None:
    """Print the change of a row as a unified diff: for eyes on a terminal, byte for byte into a pipe.

    Raises:
        InputError: no row has this rank.
        ChangedError: the file is not what it was when the run began.
    """
    row = _row_of(run, rank)
    if row is None:
        click.echo("the original stays best: there is no change to show.", err=True)
        return
    _tell_conditions(row)
    text = unified_diff(run.target, row.candidate.replacement)
    if not sys.stdout.isatty():
        click.echo(text, nl=False)
        return
    for line in text.splitlines():
        click.secho(visible(line), fg=_DIFF_COLOURS.get(line[:1]))


def apply_row(run: RunDocument, rank: int | str) -> None:
    """Write the change of a row into the target's file, and say so on stderr.

    Raises:
        InputError: no row has this rank.
        ChangedError: the file is not what it was when the run began; nothing is written.
    """
    row = _row_of(run, rank)
    if row is None:
        click.echo("the original stays best: nothing was written.", err=True)
        return
    apply_edit(run.target, row.candidate.replacement)
    _tell_conditions(row)
    click.echo(f"wrote {visible(label(row.candidate))} into {visible(run.target.path)}", err=True)


def _tell_conditions(row: RankedResult) -> None:
    """Say above a change on what it passes; a diff in a pipe is left as it is."""
    if row.verdict.conditions:
        click.echo(f"{visible(label(row.candidate))} passes {visible(row.verdict.conditions_text)}", err=True)


def verdict_text(status: str, detail: str, *, unsafe: bool) -> Text:
    """Return a verdict with what it rests on, or with its reason."""
    text = Text(status, style="bold red" if unsafe else _STATUS_STYLES.get(status, ""))
    return text.append(f": {detail}", style="bold red" if unsafe else "none") if detail else text


def _row_of(run: RunDocument, rank: int | str) -> RankedResult | None:
    """Return the row of a rank, as the table numbers them; None where the original stays best.

    Raises:
        InputError: no row has this rank.
    """
    ranked = [row for row in run.results if row.rank is not None]
    if rank == BEST:
        return next((row for row in ranked if row.candidate.id == run.best), None)
    if isinstance(rank, int) and 1 <= rank <= len(ranked):
        return ranked[rank - 1]
    if rank == 0:
        message = "rank 0 is the original: there is nothing to change."
    else:
        has = f"It has 1 to {len(ranked)}." if len(ranked) > 1 else "It has 1." if ranked else "No candidate passed."
        message = f"run {run.run_id} has no rank {rank}. {has}"
    raise InputError(message, code="no_such_rank")


def _cells(row: RowView) -> tuple[Text, ...]:
    """Return the texts of a row, in the order of the columns."""
    style = "bold" if row.best else ""
    alike = f" +{row.alike} alike" if row.alike else ""
    return (
        Text(row.place or "-", style=style),
        Text(row.label + alike, style=style),
        verdict_text(row.verdict.text, row.verdict.detail, unsafe=row.unsafe),
        *(_cell(cell) for cell in (row.speed, row.memory, row.readability, row.diff)),
        Text(row.cost),
    )


def _cell(cell: CellView) -> Text:
    return Text(f"{cell.text} {cell.detail}".strip(), style=_TREND_STYLES[cell.trend])


def _as_table(rows: Sequence[RowView]) -> Table:
    table = plain_table()
    table.show_header = True
    for name in _COLUMNS:
        table.add_column(name, no_wrap=name not in {"candidate", "verdict"}, overflow="fold")
    for row in rows:
        table.add_row(*_cells(row))
    return table


def _as_list(rows: Sequence[RowView]) -> Group:
    parts: list[RenderableType] = []
    for row in rows:
        place, candidate, verdict, speed, *others = _cells(row)
        named = [Text.assemble(f"{name} ", text) for name, text in zip(_COLUMNS[4:], others, strict=True) if text]
        parts.append(Text.assemble(place, "  ", candidate))
        parts.append(Padding(verdict, (0, 0, 0, 3)))
        if figures := [text for text in (speed, *named) if text]:
            parts.append(Padding(Text(", ").join(figures), (0, 0, 0, 3)))
    return Group(*parts)


def _grounds(view: RunView) -> Iterator[Text]:
    yield Text(f"evidence: {view.evidence}", style="dim")
    for sandbox in view.sandboxes:
        yield Text(f"sandbox: {sandbox}", style="bold red" if sandbox.startswith("unsafe") else "dim")
    yield Text(view.totals, style="dim")
    for note in view.notes:
        prefix = "note: " if note.kind == "evidence" else ""
        yield Text(f"{prefix}{note.text}", style=_NOTE_STYLES.get(note.kind, "yellow"))


def _next_steps(view: RunView) -> Iterator[str]:
    best = view.row(view.best)
    if view.stopped:
        yield f"go on:    codeens run --resume {view.run_id}"
    if best is not None and best.number is not None:
        yield f"see it:   codeens runs diff {view.run_id} {best.number}"
        yield f"apply it: codeens runs apply {view.run_id} {best.number}"
    elif any(row.number is not None for row in view.rows):
        yield f"see one all the same: codeens runs diff {view.run_id} 1"
    if view.differences:
        yield f"where candidates differ: codeens runs show {view.run_id}"
