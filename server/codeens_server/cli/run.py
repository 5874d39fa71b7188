"""`codeens run`: the main job."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Unpack

import anyio
import click
from click.core import ParameterSource

from codeens import RunKeywords, Session
from codeens_server.bench.datasets.base import Item
from codeens_server.cli import options
from codeens_server.cli.bench_task import code_of, task_of, told_by_its_tests
from codeens_server.cli.no_execute import (
    NotRunDocument,
    needed_selector,
    ranked_without_running,
    refuse_what_needs_running,
    table_of,
)
from codeens_server.cli.picker import picked, show_sources
from codeens_server.cli.report import BEST, apply_row, console, print_diff, print_run
from codeens_server.cli.session import follow, session_here, settings_of
from codeens_server.domain.document import RunDocument
from codeens_server.programs.recording import read_calls
from codeens_server.store.documents import to_json

_MAY_GO_WITH_RESUME = {"resume", "selector", "diff", "rank_to_apply", "results", "trust_workspace", "as_json"}


@click.command()
@click.argument("target", required=False)
@click.option(
    "--goal",
    type=options.one_of("goal", options.GOALS),
    metavar="|".join(options.GOALS),
    help="What better means. Default: balanced.",
)
@click.option(
    "--effort",
    type=options.one_of("effort", options.EFFORTS),
    metavar="|".join(options.EFFORTS),
    help="How much time to take to be sure: for races, and to try the evidence. Default: normal.",
)
@click.option(
    "--mode",
    type=options.one_of("mode", options.MODES),
    metavar="|".join(options.MODES),
    help="Improve a working function, repair one, or write one. Default: auto.",
)
@click.option("--model", "models", multiple=True, metavar="NAME", help="Ask this model; repeatable.")
@click.option("--variant", "variants", multiple=True, metavar="NAME", help="Use this prompt variant; repeatable.")
@click.option("--samples", type=int, metavar="N", help="Answers per model and variant.")
@click.option(
    "--rounds",
    type=int,
    metavar="N",
    help="Up to N rounds: ask again with what failed, and for better than what is right.",
)
@options.sandbox
@click.option(
    "--python",
    multiple=True,
    metavar="PYTHON",
    help="Hold candidates to this interpreter, a path or a version; repeatable. Default: the workspace's own.",
)
@click.option(
    "--tests", multiple=True, metavar="PATH", help="Judge by these tests; repeatable. Default: all that reach it."
)
@click.option(
    "--deselect",
    multiple=True,
    metavar="TEST",
    help="Leave this test out; the beginning of its id will do; repeatable.",
)
@click.option(
    "--bench",
    multiple=True,
    metavar="TEST",
    help="Time on the inputs of this benchmark: a test that calls it, or a function that makes inputs; repeatable.",
)
@click.option(
    "--calls",
    "calls_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Judge and time also by these calls, one a line, as `codeens record` writes them.",
)
@click.option("--budget-usd", type=float, metavar="USD", help="Stop asking models when this is spent.")
@click.option("--budget-tokens", type=int, metavar="N", help="Stop asking models when so many tokens are used.")
@click.option("--budget-calls", type=int, metavar="N", help="Stop asking models after so many answers.")
@click.option(
    "--timeout",
    "timeout_s",
    type=float,
    metavar="SECONDS",
    help="End the run after this long and keep what was found.",
)
@click.option("--fresh", is_flag=True, help="Ask the models again, also what they answered before.")
@click.option("--resume", metavar="ID", help="Go on with a run that was interrupted.")
@options.selector
@click.option("--no-execute", is_flag=True, help="Run nothing: rank the answers by --selector, none of them proven.")
@click.option("--diff", type=options.rank, metavar="RANK", help="Print the change of this rank instead of the table.")
@click.option(
    "--apply",
    "rank_to_apply",
    type=options.rank,
    is_flag=False,
    flag_value=BEST,
    metavar="[RANK]",
    help="Write the best, or this rank, into the file.",
)
@options.results
@options.trust_workspace
@options.as_json
@click.pass_context
def run(
    ctx: click.Context,
    target: str | None,
    resume: str | None,
    calls_file: Path | None,
    selector: str | None,
    no_execute: bool,
    diff: int | str | None,
    rank_to_apply: int | str | None,
    results: str | None,
    trust_workspace: bool,
    as_json: bool,
    **asked: Unpack[RunKeywords],
) -> None:
    """Ask an ensemble for a better implementation of TARGET, prove each answer, and rank them.

    TARGET is path.py::function, path.py::Class.method or path.py:LINE; or a task of a data set, as humaneval/17 or
    humaneval/random. In a terminal it is asked for where it is not given.
    """
    _check_options(ctx, resumed=resume is not None, no_execute=no_execute)
    is_picked = target is None and resume is None and not as_json and sys.stdin.isatty() and sys.stdout.isatty()
    if target is None and resume is None and not is_picked:
        raise click.UsageError("name a function: codeens run path.py::function.", ctx)
    if calls_file is not None:
        asked["calls"] = read_calls(calls_file)
    session = session_here(trust=trust_workspace, results=results, selector=selector)
    if is_picked:
        target, asked = picked(session, asked)
    item = task_of(target) if target else None
    if item is not None and rank_to_apply is not None:
        raise click.UsageError("a task of a data set stands in no file that --apply could write into.", ctx)
    if no_execute:
        _show_not_run(session, item or target or "", asked, as_json=as_json)
        return
    document, told = anyio.run(lambda: _run(session, item or target, resume, asked, quiet=as_json))
    if as_json:
        click.echo(to_json(document, indent=2))
    elif diff is not None:
        print_diff(document, diff)
    else:
        print_run(document, console())
    if told:
        click.echo(told, err=True)
    if is_picked:
        show_sources(document)
    if rank_to_apply is not None:
        apply_row(document, rank_to_apply)
    if document.summary.stopped == "cancelled":
        ctx.exit(1)


async def _run(
    session: Session, target: str | Item | None, resume: str | None, asked: RunKeywords, *, quiet: bool
) -> tuple[RunDocument, str]:
    """Return what a run found, and what the tests of a data set say of it."""
    async with session:
        if resume is not None:
            settings_of(session, Path((await session.state(resume)).target.root))
            return await follow(session.stream_resume(resume), quiet=quiet), ""
        if isinstance(target, Item):
            settings_of(session)
            asked["mode"] = asked.get("mode") or target.mode
            document = await follow(session.stream(code_of(target), **asked), quiet=quiet)
            return document, await told_by_its_tests(session, target, document)
        found = await session.target(target or "")
        settings_of(session, Path(found.root))
        return await follow(session.stream(found, **asked), quiet=quiet), ""


def _show_not_run(session: Session, target: str | Item, asked: RunKeywords, *, as_json: bool) -> None:
    async def not_run() -> NotRunDocument:
        async with session:
            if isinstance(target, Item):
                found, root = code_of(target), None
                asked["mode"] = asked.get("mode") or target.mode
            else:
                found = await session.target(target)
                root = Path(found.root)
            selector = needed_selector(settings_of(session, root))
            return await ranked_without_running(session, found, asked, selector)

    document = anyio.run(not_run)
    if as_json:
        click.echo(to_json(document, indent=2))
    else:
        console().print(table_of(document))


def _check_options(ctx: click.Context, *, resumed: bool, no_execute: bool) -> None:
    """Refuse options that contradict each other."""
    if ctx.params["diff"] is not None and ctx.params["as_json"]:
        raise click.UsageError("--diff and --json both decide what is printed; give one of them.", ctx)
    if no_execute:
        refuse_what_needs_running(ctx)
    if resumed:
        _check_resume(ctx)


def _check_resume(ctx: click.Context) -> None:
    """A resumed run is the one that was asked for: nothing of it can be decided anew."""
    fixed = [
        parameter.opts[0]
        for parameter in ctx.command.params
        if parameter.name not in _MAY_GO_WITH_RESUME
        and ctx.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
    ]
    if fixed:
        raise click.UsageError(f"{fixed[0]} cannot be changed by --resume: the run goes on as it was asked for.", ctx)
