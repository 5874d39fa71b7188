"""`codeens run`: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, Unpack

import anyio
import click
from click.core import ParameterSource

from codeens_server.cli import options
from codeens_server.cli.changes import apply_row, print_diff
from codeens_server.cli.engine_room import Job, job_of_stored_run, run_job
from codeens_server.cli.report import print_run
from codeens_server.cli.setup import settings_for
from codeens_server.cli.table import console
from codeens_server.domain import ModeRequest, RunDocument
from codeens_server.run.request import RunOptions, resolve
from codeens_server.store.documents import to_json
from codeens_server.workspace.find import find_target

_MAY_GO_WITH_RESUME = {"resume", "diff", "rank_to_apply", "results", "trust_workspace", "as_json"}


class Asked(TypedDict):
    """The options that say what is to be done."""

    goal: str | None
    mode: ModeRequest
    models: tuple[str, ...]
    variants: tuple[str, ...]
    samples: int | None
    rounds: int
    sandbox: str | None
    tests: tuple[str, ...]
    budget_usd: float | None
    timeout: float | None
    fresh: bool


@click.command()
@click.argument("target", required=False)
@click.option(
    "--goal", type=options.goal, metavar="|".join(options.GOALS), help="What better means. Default: balanced."
)
@click.option(
    "--mode",
    type=options.mode,
    default="auto",
    metavar="|".join(options.MODES),
    help="Improve a working function, repair one, or write one.",
)
@click.option("--model", "models", multiple=True, metavar="NAME", help="Ask this model; repeatable.")
@click.option("--variant", "variants", multiple=True, metavar="NAME", help="Use this prompt variant; repeatable.")
@click.option("--samples", type=int, metavar="N", help="Answers per model and variant.")
@click.option("--rounds", type=int, default=1, metavar="N", help="Ask again with what failed, up to N rounds in all.")
@options.sandbox
@click.option(
    "--tests", multiple=True, metavar="PATH", help="Judge by these tests; repeatable. Default: all that reach it."
)
@click.option("--budget-usd", type=float, metavar="USD", help="Stop asking models when this is spent.")
@click.option("--timeout", type=float, metavar="SECONDS", help="End the run after this long and keep what was found.")
@click.option("--fresh", is_flag=True, help="Ask the models again, also what they answered before.")
@click.option("--resume", metavar="ID", help="Go on with a run that was interrupted.")
@click.option("--diff", type=options.rank, metavar="RANK", help="Print the change of this rank instead of the table.")
@click.option(
    "--apply",
    "rank_to_apply",
    type=options.rank,
    is_flag=False,
    flag_value=options.BEST,
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
    diff: int | str | None,
    rank_to_apply: int | str | None,
    results: str | None,
    trust_workspace: bool,
    as_json: bool,
    **asked: Unpack[Asked],
) -> None:
    """Ask an ensemble for a better implementation of TARGET, prove each answer, and rank them.

    TARGET is path.py::function, path.py::Class.method or path.py:LINE.
    """
    if diff is not None and as_json:
        raise click.UsageError("--diff and --json both decide what is printed; give one of them.", ctx)
    if resume is not None:
        _check_resume(ctx)
        job, _ = job_of_stored_run(resume, results, trust=trust_workspace)
    elif target is not None:
        job = _new(target, results, asked, trust=trust_workspace)
    else:
        raise click.UsageError("name a function: codeens run path.py::function.", ctx)
    document = anyio.run(lambda: run_job(job, quiet=as_json))
    _print(document, diff=diff, as_json=as_json)
    if rank_to_apply is not None:
        apply_row(document, rank_to_apply)
    if document.summary.stopped == "cancelled":
        ctx.exit(1)


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


def _new(spec: str, results: str | None, asked: Asked, *, trust: bool) -> Job:
    target = find_target(spec, cwd=Path.cwd())
    settings = settings_for(
        Path(target.root),
        trust=trust,
        goal=asked["goal"],
        samples=asked["samples"],
        sandbox=asked["sandbox"],
        budget_usd=asked["budget_usd"],
        timeout_s=asked["timeout"],
        results=results,
    )
    options = RunOptions(
        mode=asked["mode"],
        models=asked["models"],
        variants=asked["variants"],
        rounds=asked["rounds"],
        tests=asked["tests"],
        fresh=asked["fresh"],
    )
    request = resolve(f"{target.path}:{target.line}", options, settings)
    return Job(settings=settings, request=request, target=target, root=Path(target.root), trust=trust)


def _print(document: RunDocument, *, diff: int | str | None, as_json: bool) -> None:
    if as_json:
        click.echo(to_json(document, indent=2))
    elif diff is not None:
        print_diff(document, diff)
    else:
        print_run(document, console())
