"""`codeens runs`: earlier runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar, get_args

import anyio
import click
from rich.table import Table
from rich.text import Text

from codeens import Session
from codeens_server.cli import options
from codeens_server.cli.report import (
    BEST,
    apply_row,
    console,
    plain_table,
    print_beside,
    print_diff,
    print_differences,
    print_run,
)
from codeens_server.cli.session import follow, session_here, settings_of
from codeens_server.domain.document import RunDocument
from codeens_server.domain.terms import ConditionKind
from codeens_server.errors import InputError
from codeens_server.store.documents import to_json
from codeens_server.text import money, one_line, plural
from codeens_server.views.beside import beside

if TYPE_CHECKING:
    from codeens_server.store.rows import RunLine

T = TypeVar("T")


@click.group()
def runs() -> None:
    """Look at earlier runs, and apply their results.

    An ID may be shortened to its beginning; `latest` is the run of this workspace that began last.
    """


@runs.command("list")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many, newest first.")
@options.results
@options.as_json
def list_runs(limit: int, results: str | None, as_json: bool) -> None:
    """List the latest runs."""
    lines = _ask(results, lambda session: session.runs(limit))
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
    print_differences(run, out)


@runs.command()
@click.argument("run_id", metavar="ID")
@click.argument("rank", type=options.rank, default=BEST)
@options.results
def diff(run_id: str, rank: int | str, results: str | None) -> None:
    """Show the change of a rank (default: the best) as a unified diff."""
    print_diff(_finished(run_id, results), rank)


@runs.command()
@click.argument("first", metavar="ID")
@click.argument("second", metavar="OTHER")
@options.results
@options.as_json
def compare(first: str, second: str, results: str | None, as_json: bool) -> None:
    """Show how fast the same code was in two runs, and what else differs: times of two machines do not compare."""
    found = beside(_finished(first, results), _finished(second, results))
    if as_json:
        click.echo(to_json(found, indent=2))
    else:
        print_beside(found, console())


@runs.command()
@click.argument("run_id", metavar="ID")
@click.argument("rank", type=options.rank, default=BEST)
@options.results
def apply(run_id: str, rank: int | str, results: str | None) -> None:
    """Write the change of a rank (default: the best) into the file."""
    apply_row(_finished(run_id, results), rank)


@runs.command()
@click.argument("run_id", metavar="ID")
@click.argument("number", type=int)
@click.option(
    "--right", type=int, metavar="GROUP", help="The group that is right. Default: the original, when it was improved."
)
@options.results
@options.trust_workspace
@options.as_json
def pin(run_id: str, number: int, right: int | None, results: str | None, trust_workspace: bool, as_json: bool) -> None:
    """Hold all candidates to input NUMBER of `codeens runs show ID`, and rank them again. No model is asked."""

    async def pinned(session: Session) -> RunDocument:
        await session.pin(run_id, number, right)
        return await follow(session.stream_rejudge(run_id), quiet=as_json)

    document = _ask(results, pinned, trust=trust_workspace)
    if as_json:
        click.echo(to_json(document, indent=2))
    else:
        print_run(document, console())


@runs.command()
@click.argument("run_id", metavar="ID")
@click.argument("kind", type=click.Choice(get_args(ConditionKind)))
@options.results
@options.trust_workspace
@options.as_json
def refuse(run_id: str, kind: ConditionKind, results: str | None, trust_workspace: bool, as_json: bool) -> None:
    """Let no candidate pass on conditions of KIND in the workspace any more, and rank those of the run again."""

    async def refused(session: Session) -> RunDocument:
        path = await session.refuse(run_id, kind)
        click.echo(f"{kind} is refused in {path}", err=True)
        return await follow(session.stream_rejudge(run_id), quiet=as_json)

    document = _ask(results, refused, trust=trust_workspace)
    if as_json:
        click.echo(to_json(document, indent=2))
    else:
        print_run(document, console())


@runs.command()
@click.argument("run_ids", metavar="[ID]...", nargs=-1)
@click.option("--out", type=options.file_to_write, help="Write here instead of standard output.")
@options.results
def export(run_ids: tuple[str, ...], out: Path | None, results: str | None) -> None:
    """Write runs (default: all) as lines of JSON, one for each event, for `codeens runs import` elsewhere."""

    async def exported(session: Session) -> int:
        lines = 0
        with click.open_file(str(out or "-"), "w", encoding="utf-8", atomic=out is not None) as file:
            async for line in session.export(run_ids):
                file.write(line + "\n")
                lines += 1
        return lines

    count = _ask(results, exported)
    click.echo(f"{plural(count, 'event')} written{f' to {out}' if out else ''}", err=True)


@runs.command("import")
@click.argument("file", type=click.File(encoding="utf-8"))
@options.results
@options.as_json
def import_runs(file: IO[str], results: str | None, as_json: bool) -> None:
    """Take in the runs of FILE (`-`: standard input). Those that are here already are left as they are."""
    try:
        lines = file.read().splitlines()
    except UnicodeDecodeError as error:
        message = f"{file.name} is no text of UTF-8: {error}."
        raise InputError(message) from None
    taken = _ask(results, lambda session: session.import_runs(lines))
    if as_json:
        click.echo(to_json(taken, indent=2))
    else:
        click.echo(f"{plural(len(taken.added), 'run')} added, {len(taken.known)} known already")


@runs.command()
@click.option("--older-than", type=click.IntRange(min=1), required=True, metavar="DAYS", help="Remove what is older.")
@click.option(
    "--keep", type=click.IntRange(min=0), default=0, help="Keep so many of the newest runs whatever their age."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option("--yes", is_flag=True, help="Do not ask first.")
@options.results
@options.as_json
def prune(older_than: int, keep: int, dry_run: bool, yes: bool, results: str | None, as_json: bool) -> None:
    """Remove old runs with their candidates' files, and kept answers of models. A run under way stays."""
    before = datetime.now(UTC) - timedelta(days=older_than)
    found = _ask(results, lambda session: session.prune(before, keep=keep, remove=False))
    what = f"{plural(len(found.runs), 'run')} and {plural(found.responses, 'kept answer')}"
    if not dry_run and (found.runs or found.responses):
        if not yes:
            click.confirm(f"Remove {what}?", abort=True, err=True)
        found = _ask(results, lambda session: session.prune(before, keep=keep))
    if as_json:
        click.echo(to_json(found, indent=2))
    else:
        click.echo(f"{what} {'would be ' if dry_run else ''}removed")


def _ask(results: str | None, question: Callable[[Session], Awaitable[T]], *, trust: bool = False) -> T:
    session = session_here(trust=trust, results=results)
    settings_of(session)

    async def answer() -> T:
        async with session:
            return await question(session)

    return anyio.run(answer)


def _finished(run_id: str, results: str | None) -> RunDocument:
    return _ask(results, lambda session: session.load(run_id)).document


def _table(lines: list[RunLine]) -> Table:
    table = plain_table("id", "when (UTC)", "target", "goal", "answers", "cost", "result")
    table.columns[0].no_wrap = True
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
