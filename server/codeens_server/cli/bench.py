"""`codeens bench`: public data sets."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Coroutine
from pathlib import Path

import anyio
import click
import msgspec
from msgspec import Struct

from codeens_sandbox_backends.base import SandboxSpec
from codeens_sandbox_backends.executor import open_executor
from codeens_sandbox_backends.registry import get_backend
from codeens_server.bench.cluster.engine import cluster_scorer, engine_address
from codeens_server.bench.cluster.on_nodes import Samples
from codeens_server.bench.datasets.loading import load_tasks
from codeens_server.bench.samples import Sample, load_samples
from codeens_server.bench.score import Results, add_verdicts, judge_references, mean_pass_at, score_samples
from codeens_server.cli import options
from codeens_server.cli.bench_export import export
from codeens_server.cli.bench_report import report
from codeens_server.cli.bench_run import bench_run, told_nodes
from codeens_server.cli.report import console
from codeens_server.cli.select import select
from codeens_server.cli.session import session_here, settings_of, unless_interrupted
from codeens_server.config.settings import Settings
from codeens_server.errors import InputError
from codeens_server.tasks.schema import Task
from codeens_server.text import plural, visible
from codeens_server.workspace.environment import interpreter_for

_KS = (1, 10, 100)


class BenchScore(Struct, frozen=True, kw_only=True):
    """What a data set's samples came to. Written with the fields of `pass_at` beside the others."""

    dataset: str
    samples: int
    pass_at: dict[str, float]
    wall_s: float
    """From the first sample to the last verdict."""
    start_s: float
    """Before that: until the sandbox was open, and the tasks' own solutions had been judged."""
    cpu_s: float
    """Of codeens and of the processes that it has started and seen off, from the start of the sandbox to its end."""


@click.group()
def bench() -> None:
    """Ask models for the tasks of public data sets, or score samples that are there."""


bench.add_command(bench_run)


bench.add_command(select)
bench.add_command(report)
bench.add_command(export)


@bench.command()
@click.argument("dataset")
@click.argument("samples_file", metavar="SAMPLES.jsonl", type=click.Path(path_type=Path))
@click.option("--workers", type=click.IntRange(1, 64), help="Samples judged at once; default: the setting `parallel`.")
@click.option("--data", metavar="FILE", type=click.Path(path_type=Path), help="The data set; default: in CODEENS_DATA.")
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path), help="Write a line for each sample.")
@click.option("--resume", is_flag=True, help="Leave out the samples that --out has, and add the others.")
@options.sandbox
@options.engine
@options.trust_workspace
@options.as_json
def score(
    dataset: str,
    samples_file: Path,
    workers: int | None,
    data: Path | None,
    out: Path | None,
    resume: bool,
    sandbox: str | None,
    engine: str | None,
    trust_workspace: bool,
    as_json: bool,
) -> None:
    """Judge samples by the data set's own tests, and say pass@k. DATASET is humaneval."""
    if resume and out is None:
        message = "--resume goes on with the file of --out; name that too."
        raise InputError(message)
    if engine and (sandbox or workers):
        raise click.UsageError("--engine cannot go with --sandbox or --workers: all cores of the cluster are used.")
    address = engine_address(engine, os.environ) if engine else None
    tasks = {item.task.id: item.task for item in load_tasks(dataset, data, os.environ).items}
    samples = load_samples(samples_file, tasks)
    session = session_here(trust=trust_workspace, sandbox=sandbox)
    settings = settings_of(session)
    spec = SandboxSpec(python=str(interpreter_for(session.root, settings)), limits=settings.limits)
    results = Results(out, resume=resume)
    started, cpu_before = time.monotonic(), _cpu_s()

    def work() -> Coroutine[None, None, tuple[float, float]]:
        if address:
            return _score_on_nodes(samples, tasks, results, address, spec)
        return _score(samples, tasks, results, settings, spec, workers or settings.parallel)

    try:
        began, ended = anyio.run(
            unless_interrupted,
            work,
            "the scoring was ended before it was done; with --out, --resume goes on with it.",
        )
    finally:
        results.close()
    counts: dict[str, tuple[int, int]] = {}
    for sample in samples:
        total, right = counts.get(sample.task_id, (0, 0))
        counts[sample.task_id] = total + 1, right + results.by_sample[sample.number].passed
    total = BenchScore(
        dataset=dataset,
        samples=len(samples),
        pass_at=mean_pass_at(_KS, counts.values()),
        wall_s=ended - began,
        start_s=began - started,
        cpu_s=_cpu_s() - cpu_before,
    )
    _show(total, as_json=as_json)


async def _score(
    samples: list[Sample],
    tasks: dict[str, Task],
    results: Results,
    settings: Settings,
    spec: SandboxSpec,
    workers: int,
) -> tuple[float, float]:
    """Return when the first sample was begun, and when the last verdict was known, by the monotonic clock."""
    async with open_executor(get_backend(settings.sandbox), spec, workers) as executor:
        left = results.left(samples)
        needed = {sample.task_id: tasks[sample.task_id] for sample in left}
        references = await judge_references(needed.values(), sandbox=executor, workers=workers, limits=settings.limits)
        began = time.monotonic()
        await score_samples(
            left,
            tasks,
            results,
            references=references,
            sandbox=executor,
            workers=workers,
        )
        return began, time.monotonic()


async def _score_on_nodes(
    samples: list[Sample], tasks: dict[str, Task], results: Results, address: str, spec: SandboxSpec
) -> tuple[float, float]:
    """Return the same; each node judges the tasks' own solutions when it meets their first sample."""
    left = results.left(samples)
    needed = {sample.task_id: tasks[sample.task_id] for sample in left}
    async with cluster_scorer(address, spec, Samples(tasks=needed, limits=spec.limits)) as scorer:
        click.echo(told_nodes(scorer.nodes), err=True)
        for node in scorer.nodes:
            if node.why:
                click.echo(f"warning: {visible(node.refusal)}", err=True)
        began = time.monotonic()
        await add_verdicts(left, results, scorer.scored, scorer.at_once)
        return began, time.monotonic()


def _show(total: BenchScore, *, as_json: bool) -> None:
    if as_json:
        fields = {"dataset": total.dataset, "samples": total.samples, **total.pass_at}
        fields |= {"wall_s": total.wall_s, "start_s": total.start_s, "cpu_s": total.cpu_s}
        click.echo(msgspec.json.encode(fields).decode())
        return
    rates = ", ".join(f"{name} {100 * share:.1f} %" for name, share in total.pass_at.items())
    speed = total.samples / total.wall_s
    console().print(
        f"{total.dataset}: {rates} of {plural(total.samples, 'sample')}; {total.wall_s:.1f} s wall, "
        f"{total.cpu_s:.1f} s CPU, {speed:.0f} samples/s",
        highlight=False,
    )


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
