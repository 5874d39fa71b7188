"""`codeens optimize`: a whole program."""

from __future__ import annotations

from pathlib import Path

import anyio
import anyio.to_thread
import click
from msgspec import Struct

from codeens import RunKeywords, Session
from codeens_server.cli import options
from codeens_server.cli.report import BEST, apply_row, console, plain_table
from codeens_server.cli.session import follow, session_here, settings_of
from codeens_server.domain.document import RunDocument
from codeens_server.domain.target import Target
from codeens_server.errors import InputError
from codeens_server.programs.command import ProgramCommand, read_command
from codeens_server.programs.committing import commit_win, refuse_unclean
from codeens_server.programs.optimizing import Optimized, optimized, rank
from codeens_server.programs.profiling import Profile, profiled, read_profile
from codeens_server.ranking.wording import TIMES
from codeens_server.store.documents import to_json
from codeens_server.text import money, one_line, visible


class OptimizeDocument(Struct, frozen=True, kw_only=True):
    """What `codeens optimize --json` prints."""

    command: str
    """Empty where only a profile was read."""
    cpu_s: float
    """Of the program when it was profiled; 0: not known."""
    functions: tuple[Optimized, ...]
    cost_usd: float


@click.command()
@click.argument("path", required=False)
@click.option(
    "--command", metavar="CMD", help='What to run: "python -m app", "bench.py 100", "pytest tests/test_a.py".'
)
@click.option(
    "--profile",
    "profile_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Take where time goes from this file of cProfile, or of py-spy --format raw.",
)
@click.option("--top", type=click.IntRange(1, 20), default=3, metavar="N", help="How many functions. Default: 3.")
@click.option("--model", "models", multiple=True, metavar="NAME", help="Ask this model; repeatable.")
@click.option("--rounds", type=int, metavar="N", help="Rounds for each function.")
@click.option(
    "--effort",
    type=options.one_of("effort", options.EFFORTS),
    metavar="|".join(options.EFFORTS),
    help="How much time to take to be sure.",
)
@click.option("--budget-usd", type=float, metavar="USD", help="For all functions together.")
@click.option("--apply", is_flag=True, help="Write each win into its file.")
@click.option("--git", is_flag=True, help="Write each win into its file, and commit it with its evidence.")
@options.results
@options.trust_workspace
@options.as_json
def optimize(
    path: str | None,
    command: str | None,
    profile_file: Path | None,
    top: int,
    models: tuple[str, ...],
    rounds: int | None,
    effort: str | None,
    budget_usd: float | None,
    apply: bool,
    git: bool,
    results: str | None,
    trust_workspace: bool,
    as_json: bool,
) -> None:
    """Profile a program in the sandbox, and improve the functions that its time goes into.

    PATH is a script or a test file; --command says it in full. Each win is told with what it is worth: the program is
    run again with and without it.
    """
    if path is not None and command is not None:
        raise click.UsageError("PATH and --command both say what is run; give one of them.")
    if path is None and command is None and profile_file is None:
        raise click.UsageError("say what is run: codeens optimize bench.py, or --command, or --profile FILE.")
    session = session_here(trust=trust_workspace, results=results)
    asked = RunKeywords(goal="speed", models=models, rounds=rounds, effort=effort)  # pyright: ignore[reportArgumentType]
    work = _Work(session, asked, quiet=as_json, apply=apply, git=git)
    document = anyio.run(work.done, command or path or "", profile_file, top, budget_usd)
    if as_json:
        click.echo(to_json(document, indent=2))
    else:
        _print(document)


class _Work:
    """One call of the command."""

    def __init__(self, session: Session, asked: RunKeywords, *, quiet: bool, apply: bool, git: bool) -> None:
        self._session = session
        self._asked = asked
        self._quiet = quiet
        self._apply = apply
        self._git = git

    async def done(
        self, command: str, profile_file: Path | None, top: int, budget_usd: float | None
    ) -> OptimizeDocument:
        async with self._session as session:
            settings, root = settings_of(session), session.root
            program = await anyio.to_thread.run_sync(read_command, command, root) if command else None
            profile = await self._profile(program, profile_file, root)
            ranked = (await rank(session, root, profile))[:top]
            if not ranked:
                message = "no function of the workspace takes 2 % of the time: it is short, waits, or libraries work."
                raise InputError(message, code="nothing_slow")
            if self._git:
                for one in ranked:
                    await anyio.to_thread.run_sync(refuse_unclean, Path(one.target.path))
            budget = settings.budget_usd if budget_usd is None else budget_usd
            found: list[Optimized] = []
            async for one, run in optimized(session, root, ranked, program, budget_usd=budget, run=self._run):
                found.append(one)
                if run is not None and one.speed is not None:
                    await anyio.to_thread.run_sync(self._keep, run, command, one)
        cost = sum(one.cost_usd for one in found)
        return OptimizeDocument(command=command, cpu_s=profile.cpu_s, functions=tuple(found), cost_usd=cost)

    def _keep(self, run: RunDocument, command: str, one: Optimized) -> None:
        """Write a win where that is wanted."""
        if self._git:
            made = commit_win(run, command, one.worth)
            click.echo(f"committed {one.function} as {made[:12]}", err=True)
        elif self._apply:
            apply_row(run, BEST)

    async def _profile(self, program: ProgramCommand | None, profile_file: Path | None, root: Path) -> Profile:
        if profile_file is not None:
            return await anyio.to_thread.run_sync(read_profile, profile_file, root)
        assert program is not None, "one of them is there"
        return await profiled(self._session, root, program)

    async def _run(self, target: Target, budget_usd: float | None, calls: tuple[str, ...]) -> RunDocument:
        if not self._quiet:
            click.echo(f"{visible(target.path)}::{target.qualname}", err=True)
        asked = self._asked.copy()
        asked["budget_usd"] = budget_usd
        asked["calls"] = calls
        return await follow(self._session.stream(target, **asked), quiet=self._quiet)


def _print(document: OptimizeDocument) -> None:
    table = plain_table("function", "share", "alone", "the program", "run", "")
    for one in document.functions:
        worth = one.worth
        table.add_row(
            one.function,
            f"{one.share:.0%}",
            _times(*one.speed) if one.speed else "-",
            _times(worth.ratio, worth.low, worth.high) if worth else "-",
            one.run_id,
            one_line(one.headline),
        )
    console().print(table)
    of = f" of `{one_line(document.command)}`" if document.command else ""
    for one in document.functions:
        if one.speed and one.worth and one.worth.low > 1:
            whole = _times(one.worth.ratio, one.worth.low, one.worth.high)
            click.echo(f"{one.function}: {_times(*one.speed)} here = {whole}{of}")
        if one.worth and not one.worth.same_output:
            click.echo(f"{one.function}: the program prints something else with the change, or each time")
    click.echo(f"cost {money(document.cost_usd)}")


def _times(ratio: float, low: float, high: float) -> str:
    return f"{ratio:.2f}{TIMES} [{low:.2f}, {high:.2f}]"
