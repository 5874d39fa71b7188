"""`codeens runs`: earlier runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import click
from rich.table import Table
from rich.text import Text

from codeens_server.cli import options
from codeens_server.cli.changes import apply_row, print_diff
from codeens_server.cli.lazy import Later, LazyGroup
from codeens_server.cli.report import print_map, print_run
from codeens_server.cli.setup import settings_for
from codeens_server.cli.table import console
from codeens_server.domain import RunDocument
from codeens_server.errors import InputError
from codeens_server.store.documents import to_json
from codeens_server.store.opening import open_store
from codeens_server.store.runs import RunLine, RunStore
from codeens_server.text import money, one_line, plural

T = TypeVar("T")


@click.group(cls=LazyGroup)
def runs() -> None:
    """Look at earlier runs, and apply their results. An ID may be shortened to its beginning."""


runs.add_command(Later("pin-input", "codeens_server.cli.pin_input:pin_input", "Hold all candidates to one more input."))


@runs.command("list")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many, newest first.")
@options.results
@options.as_json
def list_runs(limit: int, results: str | None, as_json: bool) -> None:
    """List the latest runs."""
    lines = _ask(results, lambda store: store.list_runs(limit))
    if as_json:
        click.echo(to_json(lines, indent=2))
    elif lines:
        console().print(_table(lines))
    else:
        click.echo("there are no runs yet; make one: codeens run path.py::function", err=True)


@runs.command()
@click.argument("run_id", metavar="ID")
@options.results
@options.as_json
def show(run_id: str, results: str | None, as_json: bool) -> None:
    """Show a run's result, and the smallest inputs on which its candidates differ."""
    run = _finished(run_id, results)
    if as_json:
        click.echo(to_json(run, indent=2))
        return
    out = console()
    print_run(run, out)
    print_map(run, out)


@runs.command()
@click.argument("run_id", metavar="ID")
@click.argument("rank", type=options.rank, default=options.BEST)
@options.results
def diff(run_id: str, rank: int | str, results: str | None) -> None:
    """Show the change of a rank (default: the best) as a unified diff."""
    print_diff(_finished(run_id, results), rank)


@runs.command()
@click.argument("run_id", metavar="ID")
@click.argument("rank", type=options.rank, default=options.BEST)
@options.results
def apply(run_id: str, rank: int | str, results: str | None) -> None:
    """Write the change of a rank (default: the best) into the file."""
    apply_row(_finished(run_id, results), rank)


def _ask(results: str | None, question: Callable[[RunStore], Awaitable[T]]) -> T:
    with open_store(settings_for(results=results)) as store:

        async def asked() -> T:
            return await question(store)

        return anyio.run(asked)


def _finished(run_id: str, results: str | None) -> RunDocument:
    state = _ask(results, lambda store: store.load(run_id))
    if state.document is None:
        message = (
            f"run {state.run_id} did not come to an end ({plural(state.generated, 'answer')}, "
            f"{state.executed} judged). Go on with it: codeens run --resume {state.run_id}"
        )
        raise InputError(message)
    return state.document


def _table(lines: list[RunLine]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("id", "when (UTC)", "target", "goal", "answers", "cost", "result"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "id")
    for line in lines:
        state = "" if line.ended else "not ended"
        table.add_row(
            line.run_id,
            f"{line.created:%Y-%m-%d %H:%M}",
            Text(one_line(line.target.rpartition("/")[2])),
            line.goal,
            str(line.candidates),
            money(line.cost_usd),
            Text(one_line(state + line.headline)),
        )
    return table
