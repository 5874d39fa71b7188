"""`codeens bench select`: how often methods choose a right answer by tests that nobody vouches for."""

from __future__ import annotations

import sys
from pathlib import Path

import anyio
import click
import msgspec
from msgspec import Struct
from rich.table import Table

from codeens_sandbox_backends.base import SandboxSpec
from codeens_sandbox_backends.executor import open_executor
from codeens_sandbox_backends.registry import get_backend
from codeens_server.bench.selection.evaluate import Rate, differences, rate, right_by_task
from codeens_server.bench.selection.matrix import TaskMatrix, add_matrices, digest_of, load_matrices
from codeens_server.bench.selection.methods import METHODS, ORACLE
from codeens_server.bench.selection.pool import AnswerPool, load_pools
from codeens_server.cli import options
from codeens_server.cli.report import console
from codeens_server.cli.session import session_here, settings_of, unless_interrupted
from codeens_server.config.settings import Settings
from codeens_server.errors import unknown
from codeens_server.text import plural
from codeens_server.workspace.environment import interpreter_for

_NAMES = (*METHODS, ORACLE)
_AGAINST = "b4"


class Selection(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What methods come to when so many answers, and as many blocks of tests, are looked at."""

    n: int
    methods: dict[str, Rate]
    better_than_b4: dict[str, Rate] = {}
    """Paired on the same tasks and draws; where B4 is among the methods."""


def _names(_: click.Context, __: click.Parameter, value: str) -> list[str]:
    names = list(dict.fromkeys(value.split(",")))
    for name in names:
        if name not in _NAMES:
            raise click.BadParameter(unknown("method", name, list(_NAMES)))
    return names


def _sizes(_: click.Context, __: click.Parameter, value: str) -> list[int]:
    sizes = value.split(",")
    if not all(size.isascii() and size.isdecimal() and int(size) for size in sizes):
        raise click.BadParameter(f"{value!r} is no list of numbers like 5,8,100.")
    return sorted({int(size) for size in sizes})


@click.command("select")
@click.argument("samples", type=click.Path(path_type=Path))
@click.option("--generated-tests", "tests", metavar="FILE", type=click.Path(path_type=Path), help="Default: SAMPLES.")
@click.option("--method", "names", metavar="A,B", default=",".join(_NAMES), callback=_names, help="Default: all.")
@click.option("--n", "sizes", metavar="N,N", default="100", callback=_sizes, help="Answers that are chosen among.")
@click.option("--matrix", metavar="FILE", type=click.Path(path_type=Path), help="Keep what ran; run only what is new.")
@click.option("--workers", type=click.IntRange(1, 64), help="Programs run at once; default: the setting `parallel`.")
@options.sandbox
@options.trust_workspace
@options.as_json
def select(
    samples: Path,
    tests: Path | None,
    names: list[str],
    sizes: list[int],
    matrix: Path | None,
    workers: int | None,
    sandbox: str | None,
    trust_workspace: bool,
    as_json: bool,
) -> None:
    """Choose one of several answers to each task by generated tests, and say how often it is right.

    SAMPLES has tasks with their official tests and answers to each, and may have the generated tests too.
    """
    pools = load_pools(samples, tests or samples)
    session = session_here(trust=trust_workspace, sandbox=sandbox)
    settings = settings_of(session)
    spec = SandboxSpec(python=str(interpreter_for(session.root, settings)), limits=settings.limits)
    matrices = anyio.run(
        unless_interrupted,
        lambda: _matrices(pools, settings, spec, workers or settings.parallel, matrix),
        "it was ended before all answers had run; with --matrix the next call goes on.",
    )
    found = [_selection(matrices, names, n) for n in sizes]
    if as_json:
        whole = {"tasks": len(matrices), **_plain(found[-1]), "by_n": {one.n: _plain(one) for one in found}}
        click.echo(msgspec.json.encode(whole).decode())
    else:
        _show(found, names, len(matrices))


async def _matrices(
    pools: list[AnswerPool], settings: Settings, spec: SandboxSpec, workers: int, kept: Path | None
) -> list[TaskMatrix]:
    """Return the matrix of each pool, from the file where it has it."""
    known = load_matrices(kept) if kept else {}
    missing = [pool for pool in pools if digest_of(pool) not in known]
    if missing:
        from codeens_server.bench.selection.execute import make_matrix

        async with open_executor(get_backend(settings.sandbox), spec, workers) as executor:
            for number, pool in enumerate(missing, start=1):
                made = await make_matrix(pool, executor, workers)
                known[made.digest] = made
                if kept:
                    add_matrices(kept, [made])
                if sys.stderr.isatty():
                    click.echo(f"\r{number} of {plural(len(missing), 'task')} run", err=True, nl=number == len(missing))
    return [known[digest_of(pool)] for pool in pools]


def _selection(matrices: list[TaskMatrix], names: list[str], n: int) -> Selection:
    tasks = [right_by_task(matrix, names, n) for matrix in matrices]
    by_method = {name: [task[name] for task in tasks] for name in names}
    others = [name for name in names if name not in {_AGAINST, ORACLE}] if _AGAINST in names else []
    return Selection(
        n=n,
        methods={name: rate(values) for name, values in by_method.items()},
        better_than_b4={name: rate(differences(by_method, name, _AGAINST)) for name in others},
    )


def _plain(selection: Selection) -> dict[str, object]:
    return msgspec.to_builtins(selection)


def _show(found: list[Selection], names: list[str], tasks: int) -> None:
    table = Table(title=f"pass@1 in % of {plural(tasks, 'task')}, with 95 % intervals over tasks", title_justify="left")
    table.add_column("method")
    for one in found:
        table.add_column(f"of {plural(one.n, 'answer')}", justify="right")
        table.add_column("against B4", justify="right")
    for name in names:
        cells = [cell for one in found for cell in (_told(one.methods[name]), _gain(one.better_than_b4.get(name)))]
        table.add_row(name, *cells)
    console().print(table)


def _told(rate: Rate) -> str:
    return f"{100 * rate.pass_at_1:.1f} ({100 * rate.low:.1f} to {100 * rate.high:.1f})"


def _gain(rate: Rate | None) -> str:
    return "" if rate is None else f"{100 * rate.pass_at_1:+.1f} ({100 * rate.low:+.1f} to {100 * rate.high:+.1f})"
