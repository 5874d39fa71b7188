"""`codeens bench run`: models on the tasks of a data set."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import anyio
import click
import msgspec
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table

from codeens_sandbox_backends.base import NodeState
from codeens_server.bench.cluster.engine import engine_address
from codeens_server.bench.datasets.base import Choice, TestsKind
from codeens_server.bench.datasets.loading import Filter, load_tasks
from codeens_server.bench.estimating import Forecast
from codeens_server.bench.results import ResultsFile, read_records
from codeens_server.bench.running import BenchProgress, Outcome, Plan, Watcher, run_benchmark
from codeens_server.bench.selector.choosing import in_order
from codeens_server.bench.statistics import Estimate
from codeens_server.bench.summary import Summary, summarise
from codeens_server.cli import options
from codeens_server.cli.no_execute import needed_selector
from codeens_server.cli.report import console, plain_table
from codeens_server.cli.selector import show_likely
from codeens_server.cli.session import session_here, settings_of, unless_interrupted
from codeens_server.tasks.schema import Difficulty
from codeens_server.text import plural, visible


def _ks(ctx: click.Context, parameter: click.Parameter, text: str) -> tuple[int, ...]:
    del ctx, parameter
    parts = text.split(",")
    if not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
        raise click.BadParameter(f"{text!r} is no list of numbers such as 1,5,10.")
    return tuple(dict.fromkeys(int(part) for part in parts))


@click.command("run")
@click.argument("dataset")
@click.option("--model", "models", multiple=True, metavar="NAME", help="Ask this model; repeatable.")
@click.option("--variant", "variants", multiple=True, metavar="NAME", help="Use this prompt variant; repeatable.")
@click.option("--samples", type=click.IntRange(1), default=1, metavar="N", help="Answers per task, model and variant.")
@click.option("--k", "ks", default="1,5,10", metavar="K,K", callback=_ks, help="Which pass@k to tell.")
@click.option("--rounds", type=click.IntRange(1, 20), default=1, metavar="N", help="Tell what failed and ask again.")
@click.option("--max", "most", type=click.IntRange(1), metavar="N", help="The first N tasks.")
@click.option("--sample", type=click.IntRange(1), metavar="N", help="N tasks, drawn by --seed.")
@click.option("--seed", type=int, metavar="N", help="Draws tasks and intervals, and is sent to the models.")
@click.option("--id", "ids", multiple=True, metavar="ID", help="This task; repeatable.")
@click.option("--skip", multiple=True, metavar="ID", help="Leave this task out; repeatable.")
@click.option("--difficulty", multiple=True, type=click.Choice(get_args(Difficulty)), help="Repeatable.")
@click.option("--tests", multiple=True, type=click.Choice(get_args(TestsKind)), help="Judge by these; repeatable.")
@click.option("--split", metavar="NAME", help="Of MBPP: test (the default), train, validation, prompt, all.")
@click.option("--data", metavar="FILE", type=click.Path(path_type=Path), help="The data set, or `hub` for the network.")
@click.option("--out", metavar="FILE", required=True, type=click.Path(path_type=Path), help="A line for each answer.")
@click.option("--resume", is_flag=True, help="Leave out what --out has, and add the rest.")
@click.option("--concurrency", type=click.IntRange(1, 1000), metavar="N", help="Items of each model at once.")
@click.option("--budget-usd", type=click.FloatRange(min=0, min_open=True), metavar="USD", help="Ask no more then.")
@click.option("--temperature", type=click.FloatRange(0, 2), metavar="T", help="In place of the variants' own.")
@click.option("--fresh", is_flag=True, help="Ask the models again, also what they answered before.")
@click.option("--estimate", "forecast_only", is_flag=True, help="Say what it will cost and how long it takes; no more.")
@options.selector
@click.option("--no-execute", is_flag=True, help="Run nothing: rank the answers by --selector, none of them proven.")
@options.sandbox
@options.engine
@options.results
@options.trust_workspace
@options.as_json
@click.pass_context
def bench_run(
    ctx: click.Context,
    dataset: str,
    ks: tuple[int, ...],
    most: int | None,
    sample: int | None,
    seed: int | None,
    ids: tuple[str, ...],
    skip: tuple[str, ...],
    difficulty: tuple[Difficulty, ...],
    tests: tuple[TestsKind, ...],
    split: str | None,
    data: Path | None,
    out: Path,
    resume: bool,
    selector: str | None,
    no_execute: bool,
    sandbox: str | None,
    engine: str | None,
    results: str | None,
    trust_workspace: bool,
    as_json: bool,
    **asked: Any,
) -> None:
    """Ask models for the tasks of DATASET, judge every answer, and say pass@k with intervals.

    DATASET is humaneval, humanevalplus, humanevalpack, mbpp, mbppplus, code_contests, livecodebench, or the path of
    tasks of your own.
    """
    wanted = Filter(ids=ids, left_out=skip, difficulties=difficulty, sample=sample, seed=seed or 0, most=most)
    tasks = load_tasks(dataset, data, os.environ, wanted=wanted, choice=Choice(tests=tests, split=split))
    session = session_here(trust=trust_workspace, sandbox=sandbox, results=results, selector=selector)
    settings = settings_of(session)
    chosen = needed_selector(settings) if no_execute else None
    plan = _plan(ctx, engine, sandbox, seed=seed, no_execute=no_execute, **asked)

    async def work() -> Outcome:
        async with session:
            with ResultsFile(out, resume=resume) as file, _Told(quiet=as_json, judged=not no_execute) as told:
                return await run_benchmark(tasks, plan, file, session, Watcher(told.begins, told.progressed))

    outcome = anyio.run(unless_interrupted, work, "it was ended before it was done; --resume goes on with it.")
    if plan.forecast_only:
        if as_json:
            click.echo(msgspec.json.encode(outcome.forecast).decode())
        return
    summary = summarise(read_records(out), ks, seed=seed or 0)
    if chosen is not None:
        show_likely(in_order(out, chosen), as_json=as_json)
    elif as_json:
        click.echo(msgspec.json.encode(summary).decode())
    else:
        show(summary)
    for note in outcome.notes:
        click.echo(f"warning: {visible(note)}", err=True)
    if outcome.left or summary.unanswered:
        click.echo(_what_is_left(outcome, summary), err=True)
        ctx.exit(1)


def _plan(ctx: click.Context, engine: str | None, sandbox: str | None, *, no_execute: bool, **asked: Any) -> Plan:
    if engine and (sandbox or no_execute):
        raise click.UsageError("--engine cannot go with --sandbox or --no-execute: it says where programs run.", ctx)
    cluster = engine_address(engine, os.environ) if engine else None
    plan = Plan(no_execute=no_execute, cluster=cluster, **asked)
    if no_execute and plan.rounds > 1:
        raise click.UsageError("--rounds cannot go with --no-execute: nobody knows what to tell.", ctx)
    return plan


def _what_is_left(outcome: Outcome, summary: Summary) -> str:
    left = f"{outcome.left + summary.unanswered} of {plural(summary.records + outcome.left, 'item')}"
    return f"{left} without an answer; --resume asks for them again."


def told_nodes(nodes: Sequence[NodeState]) -> str:
    """Return how many nodes take work, with how many cores; empty where there is no cluster."""
    working = [node for node in nodes if not node.why]
    return f"{plural(len(working), 'node')} with {plural(sum(node.cpus for node in working), 'core')}" if nodes else ""


class _Told:
    """Says what is to come and how far it is, on standard error."""

    def __init__(self, *, quiet: bool, judged: bool) -> None:
        self._quiet = quiet
        self._judged = judged
        self._said = 0
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[told]}"),
            console=console(stderr=True),
            disable=quiet or not sys.stderr.isatty(),
            transient=True,
        )
        self._task = self._bar.add_task("asking", told="", total=None)

    def __enter__(self) -> _Told:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def begins(self, expected: Forecast, cap: float | None) -> None:
        """Say what is to come."""
        self._bar.update(self._task, total=expected.items)
        if self._quiet:
            return
        cost = (
            "of unknown price"
            if expected.usd is None
            else f"about ${expected.usd:.4g}, at most ${expected.most_usd:.4g}"
        )
        click.echo(f"{plural(expected.items, 'answer')} to ask for: {cost}, about {_time(expected.seconds)}.", err=True)
        if cap is not None and expected.usd is not None and expected.usd > cap:
            click.echo(f"warning: the budget is ${cap:g}, and ends it before; the option is --budget-usd.", err=True)

    def progressed(self, now: BenchProgress) -> None:
        """Say how far it is: on a terminal at once, else at every tenth."""
        left = "" if now.left_s is None else f", {_time(now.left_s)} left"
        failed = f", {now.unanswered} unanswered" if now.unanswered else ""
        verdicts = f"{now.passed} passed" if self._judged else "not run"
        told = f"{verdicts}{failed}, ${now.usd:.4g}{left}{', ' if now.nodes else ''}{told_nodes(now.nodes)}"
        self._bar.update(self._task, completed=now.done, told=told)
        tenth = 10 * now.done // now.total
        if self._bar.disable and not self._quiet and tenth > self._said:
            click.echo(f"{now.done} of {now.total}: {told}", err=True)
        self._said = tenth


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def show(summary: Summary) -> None:
    """Print what a benchmark came to."""
    ks = list(dict.fromkeys(name for system in summary.systems for name in system.pass_at))
    has_rounds = any(system.first_round for system in summary.systems)
    table = plain_table("model", *ks, *(["first round"] if has_rounds else []), "samples", "cost", "answer", "failures")
    for system in summary.systems:
        failed = {name: count for name, count in system.endings.items() if name != "passed"}
        table.add_row(
            system.name,
            *(_rate(system.pass_at.get(name)) for name in ks),
            *([_rate(system.first_round)] if has_rounds else []),
            str(system.samples),
            "?" if system.usd is None else f"${system.usd:.4g}",
            f"{system.seconds:.1f} s",
            ", ".join(f"{count} {name}" for name, count in sorted(failed.items(), key=lambda pair: -pair[1])),
        )
    _print(table)
    for difference in summary.comparisons:
        _print(difference.sentence)
    if (budget := summary.equal_budget) is not None:
        alone = _rate(budget.best_of_n) if budget.best_of_n else "not known without as many samples"
        _print(
            f"a right one among {budget.answers} answers: one of each {_rate(budget.ensemble)}; "
            f"all of {budget.best} {alone}"
        )
    _print(f"{summary.dataset} {summary.digest[:12]}, {plural(summary.records, 'answer')}")


def _rate(found: Estimate | None) -> str:
    return "" if found is None else f"{100 * found.value:.1f} % ({100 * found.low:.1f} to {100 * found.high:.1f})"


def _print(what: str | Table) -> None:
    console().print(what, highlight=False, markup=False)
