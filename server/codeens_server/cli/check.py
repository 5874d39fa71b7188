"""`codeens check`: what a change of a repository does to its functions."""

from __future__ import annotations

import shutil
from pathlib import Path

import anyio
import anyio.to_thread
import click
from msgspec.structs import replace

from codeens import Run, RunKeywords, Session
from codeens_server.changes.checking import CheckDocument, CheckedFunction, checked
from codeens_server.changes.finding import Changes, find_changes
from codeens_server.changes.improving import BetterVersion, improved
from codeens_server.changes.table import failing, markdown, summary
from codeens_server.cli import options
from codeens_server.cli.session import session_here, settings_of, unless_interrupted
from codeens_server.domain.target import Target
from codeens_server.domain.terms import Effort
from codeens_server.generation.models.resolve import AUTO, resolve_models
from codeens_server.run.events import Noted, RunEvent
from codeens_server.run.request import refuse_not_positive
from codeens_server.store.documents import to_json
from codeens_server.text import one_line, plural, visible

_KINDS = ("differs", "slower", "unknown")


@click.command()
@click.argument("files", nargs=-1)
@click.option(
    "--base",
    default="HEAD",
    envvar="PRE_COMMIT_FROM_REF",
    metavar="REF",
    help="Compare the files with where they parted from this branch or commit. Default: the last commit.",
)
@click.option(
    "--fail-on",
    "kinds",
    multiple=True,
    type=options.one_of("kind", _KINDS),
    metavar="|".join(_KINDS),
    help="Exit with 3 where a function does something else, is slower, or could not be compared; repeatable.",
)
@click.option("--max", "most", type=click.IntRange(1), default=20, metavar="N", help="So many functions. Default: 20.")
@click.option(
    "--effort",
    type=options.one_of("effort", options.EFFORTS),
    metavar="|".join(options.EFFORTS),
    help="How much time to take to be sure.",
)
@click.option("--improve", is_flag=True, help="Look for a faster version of each changed or new function, too.")
@click.option("--model", "models", multiple=True, metavar="NAME", help="Ask this model for it; repeatable.")
@click.option("--budget-usd", type=float, metavar="USD", help="What that may cost, for all functions together.")
@click.option("--python", metavar="PYTHON", help="The project's interpreter. Default: its environment's.")
@click.option("--out", type=options.file_to_write, metavar="FILE", help="Write the table into this file too.")
@options.sandbox
@options.results
@options.trust_workspace
@options.as_json
@click.pass_context
def check(
    ctx: click.Context,
    files: tuple[str, ...],
    base: str,
    kinds: tuple[str, ...],
    most: int,
    effort: Effort | None,
    improve: bool,
    models: tuple[str, ...],
    budget_usd: float | None,
    python: str | None,
    out: Path | None,
    sandbox: str | None,
    results: str | None,
    trust_workspace: bool,
    as_json: bool,
) -> None:
    """Say of each function that a change of a repository changes whether it does what it did, and how fast.

    FILES are the only ones to look at. The table is Markdown, as it stands under a pull request. No model is asked,
    but with --improve.
    """
    if not improve and (models or budget_usd is not None):
        raise click.UsageError("--model and --budget-usd are of --improve, which is not there.")
    refuse_not_positive("budget_usd", budget_usd)
    found = None if python is None else shutil.which(python) or python
    session = session_here(trust=trust_workspace, sandbox=sandbox, results=results, python=found)

    async def work() -> CheckDocument:
        async with session:
            settings = settings_of(session)
            if named := [name for name in models if name != AUTO]:
                resolve_models(named, settings, session.environ)
            changes = await anyio.to_thread.run_sync(find_changes, Path.cwd(), base, files)
            document = await _checked(session, changes, most, effort)
            if not improve:
                return document
            budget = settings.budget_usd if budget_usd is None else budget_usd
            return replace(document, better=await _better(session, changes, most, budget, models, effort))

    document = anyio.run(unless_interrupted, work, "the check was ended before it was done.")
    table = markdown(document)
    if out is not None:
        out.write_text(table, encoding="utf-8")
    click.echo(to_json(document, indent=2) if as_json else table, nl=as_json)
    if failed := failing(document, kinds):
        click.echo(f"{plural(len(failed), 'function')} not as asked: {summary(document)}", err=True)
        ctx.exit(3)


async def _checked(session: Session, changes: Changes, most: int, effort: Effort | None) -> CheckDocument:
    found: list[CheckedFunction] = []
    async for one in checked(session, changes, most=most, effort=effort):
        click.echo(visible(f"{one.function}: {one.behaviour}"), err=True)
        found.append(one)
    left_out = tuple(one.name for one in changes.functions[most:])
    return CheckDocument(since=changes.since, functions=tuple(found), added=len(changes.added), left_out=left_out)


async def _better(
    session: Session,
    changes: Changes,
    most: int,
    budget_usd: float | None,
    models: tuple[str, ...],
    effort: Effort | None,
) -> tuple[BetterVersion, ...]:
    def say_cost(event: RunEvent) -> None:
        if isinstance(event, Noted) and event.kind == "plan":
            click.echo(visible(event.message), err=True)

    async def run(target: Target, left: float | None) -> Run:
        asked = RunKeywords(goal="speed", mode="improve", models=models, effort=effort, budget_usd=left)
        return await session.run(target, on_event=say_cost, **asked)

    names = [*(one.name for one in changes.functions if one.now is not None), *changes.added][:most]
    found: list[BetterVersion] = []
    async for one in improved(session, changes.root, names, budget_usd=budget_usd, run=run):
        click.echo(visible(f"{one.function}: {one_line(one.headline)}"), err=True)
        found.append(one)
    return tuple(found)
