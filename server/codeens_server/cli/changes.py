"""Shows and writes the change that a row of a result stands for."""

from __future__ import annotations

import sys

import click

from codeens_server.cli.options import BEST
from codeens_server.domain import RankedResult, RunDocument
from codeens_server.errors import InputError
from codeens_server.ranking.wording import label
from codeens_server.text import visible
from codeens_server.workspace.edit import apply_edit, unified_diff


def row_of(run: RunDocument, rank: int | str) -> RankedResult | None:
    """The row of a rank, as the table numbers them: ties stand one after another; None: the original stays best.

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
    raise InputError(message)


def print_diff(run: RunDocument, rank: int | str) -> None:
    """Print the change as a unified diff: for eyes on a terminal, byte for byte into a pipe.

    Raises:
        InputError: no row has this rank.
        ChangedError: the file is not what it was when the run began.
    """
    row = row_of(run, rank)
    if row is None:
        click.echo("the original stays best: there is no change to show.", err=True)
        return
    text = unified_diff(run.target, row.candidate.replacement)
    if not sys.stdout.isatty():
        click.echo(text, nl=False)
        return
    for line in text.splitlines():
        colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
        click.secho(visible(line), fg=colour)


def apply_row(run: RunDocument, rank: int | str) -> None:
    """Write the change into the target's file, and say so on stderr.

    Raises:
        InputError: no row has this rank.
        ChangedError: the file is not what it was when the run began; nothing is written.
    """
    row = row_of(run, rank)
    if row is None:
        click.echo("the original stays best: nothing was written.", err=True)
        return
    apply_edit(run.target, row.candidate.replacement)
    click.echo(f"wrote {visible(label(row.candidate))} into {visible(run.target.path)}", err=True)
