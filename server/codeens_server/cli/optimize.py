"""`codeens optimize`: a whole program."""

from __future__ import annotations

import shlex
from pathlib import Path

import anyio
import anyio.to_thread
import click
from msgspec import Struct
from msgspec.structs import replace

from codeens import RunKeywords, Session
from codeens_server.cli import options
from codeens_server.cli.report import BEST, apply_row, console, plain_table
from codeens_server.cli.session import followed, interruptible, session_here, settings_of
from codeens_server.config.settings import Settings
from codeens_server.crash_log import innermost
from codeens_server.domain.document import RunDocument
from codeens_server.domain.target import Target
from codeens_server.errors import CodeensError, Hint, InputError, RunError
from codeens_server.generation.models.resolve import AUTO, resolve_models
from codeens_server.programs.command import ProgramCommand, command_for, read_command
from codeens_server.programs.committing import commit_win, refuse_unclean, refuse_without_author
from codeens_server.programs.inside import STOPPED
from codeens_server.programs.optimizing import Optimized, RankedFunction, optimized, rank
from codeens_server.programs.profiling import PROFILED_S, Profile, profiled, read_profile
from codeens_server.ranking.wording import TIMES
from codeens_server.run.request import refuse_not_positive
from codeens_server.store.documents import to_json
from codeens_server.text import money, one_line, visible

_UNENDED = f"It gets {PROFILED_S:.0f} s, no input, and no network; --command says it with its arguments."
_UNSEEN = (
    "What waits, or works in libraries, has nothing to improve; "
    "what works in other processes is seen by --profile FILE of py-spy."
)


class OptimizeDocument(Struct, frozen=True, kw_only=True):
    """What `codeens optimize --json` prints."""

    command: str
    """Empty where only a profile was read."""
    cpu_s: float
    """Of the program when it was profiled; 0: not known."""
    ended: str
    """How the program ended when it was profiled, where not by itself."""
    notes: tuple[str, ...]
    """What of it could not be seen when it was profiled."""
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
@click.pass_context
def optimize(
    ctx: click.Context,
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

    PATH is a script, a test file, or a module that tests name; --command says it in full. Each win is told with what it
    is worth: the program is run again with and without it.
    """
    if path is not None and command is not None:
        raise click.UsageError("PATH and --command both say what is run; give one of them.")
    if path is None and command is None and profile_file is None:
        raise click.UsageError("say what is run: codeens optimize bench.py, or --command, or --profile FILE.")
    session = session_here(trust=trust_workspace, results=results)
    asked = RunKeywords(goal="speed", mode="improve", models=models, rounds=rounds, effort=effort)  # pyright: ignore[reportArgumentType]
    work = _Work(session, asked, quiet=as_json, apply=apply, git=git)
    document = anyio.run(work.done, path, command, profile_file, top, budget_usd)
    if as_json:
        click.echo(to_json(document, indent=2))
    else:
        _print(document)
    if work.is_unwritten or work.is_cut_short:
        ctx.exit(1)


class _Work:
    """One call of the command."""

    def __init__(self, session: Session, asked: RunKeywords, *, quiet: bool, apply: bool, git: bool) -> None:
        self._session = session
        self._asked = asked
        self._quiet = quiet
        self._apply = apply
        self._git = git
        self.is_unwritten = False
        """A win was to be written, and could not be."""
        self.is_cut_short = False
        """Ctrl-C ended it."""
        self._command: str | None = None
        self._profile: Profile | None = None
        self._found: list[Optimized] = []
        self._failed: BaseException | None = None
        """Why the latest run that failed did."""

    async def done(
        self, path: str | None, command: str | None, profile_file: Path | None, top: int, budget_usd: float | None
    ) -> OptimizeDocument:
        async with self._session, interruptible() as self._interruption:
            await self._tried(path, command, profile_file, top, budget_usd)
        self.is_cut_short = self._interruption.happened
        if self._profile is None or not self._found:
            message = "it was ended before a function was tried."
            raise RunError(message, code="interrupted")
        if self._failed is not None and not any(one.run_id for one in self._found):
            raise self._failed
        return OptimizeDocument(
            command=self._command or "",
            cpu_s=self._profile.cpu_s,
            ended=self._profile.ended,
            notes=self._profile.notes,
            functions=tuple(self._found),
            cost_usd=sum(one.cost_usd for one in self._found),
        )

    async def _tried(
        self, path: str | None, command: str | None, profile_file: Path | None, top: int, budget_usd: float | None
    ) -> None:
        """Try the functions, and keep what is found in any case."""
        session, root = self._session, self._session.root
        settings = settings_of(session)
        await anyio.to_thread.run_sync(self._refuse_wrong, settings, root, budget_usd)
        if path is not None:
            command = await anyio.to_thread.run_sync(command_for, path, root)
            if command != shlex.quote(path):
                click.echo(visible(f"{path} only defines things: {command} is run, which names it"), err=True)
        self._command = command
        program = None if command is None else await anyio.to_thread.run_sync(read_command, command, root)
        profile = self._profile = await self._profiled(program, profile_file, root)
        ranked = await self._ranked(profile, root, top)
        budget = settings.budget_usd if budget_usd is None else budget_usd
        ends = profile.ended != STOPPED
        async for one, run in optimized(session, root, ranked, program, ends=ends, budget_usd=budget, run=self._run):
            self._found.append(one)
            if run is not None and one.speed is not None:
                self._found[-1] = await anyio.to_thread.run_sync(self._kept, run, command or "", one)

    def _refuse_wrong(self, settings: Settings, root: Path, budget_usd: float | None) -> None:
        """Refuse what is wrong before the program is run.

        Raises:
            InputError: it is wrong.
        """
        refuse_not_positive("budget_usd", budget_usd)
        refuse_not_positive("rounds", self._asked.get("rounds"))
        names = [name for name in self._asked.get("models") or () if name != AUTO]
        if names:
            resolve_models(names, settings, self._session.environ)
        if self._git:
            refuse_without_author(root)

    async def _ranked(self, profile: Profile, root: Path, top: int) -> list[RankedFunction]:
        """Return the functions to be improved.

        Raises:
            InputError: there are none, or one is in a file that cannot be committed by itself.
        """
        ranked = (await rank(self._session, root, profile))[:top]
        if not ranked:
            ended = f" It did not come to its end: {one_line(profile.ended)}." if profile.ended else ""
            seen = "".join(f" {note[0].upper()}{note[1:]}." for note in profile.notes)
            message = f"no function of the workspace takes 2 % of the time.{ended}{seen}"
            advice = _UNSEEN if not profile.ended else _UNENDED
            raise InputError(message, code="nothing_slow", hint=Hint("fix", advice))
        if profile.ended:
            said = f"warning: the program did not come to its end: {profile.ended}; its time until then counts"
            click.echo(visible(one_line(said)), err=True)
        for note in profile.notes:
            click.echo(f"warning: {note}", err=True)
        if self._git:
            for one in ranked:
                await anyio.to_thread.run_sync(refuse_unclean, Path(one.target.path))
        return ranked

    def _kept(self, run: RunDocument, command: str, one: Optimized) -> Optimized:
        """Write a win where that is wanted; return what is told of it, and why where it could not be written."""
        try:
            if self._git:
                made = commit_win(run, command, one.worth)
                click.echo(f"committed {one.function} as {made[:12]}", err=True)
            elif self._apply:
                apply_row(run, BEST)
        except CodeensError as error:
            self.is_unwritten = True
            note = f"it was not written: {error} `codeens runs apply {one.run_id}` writes it"
            return replace(one, note="; ".join(filter(None, [one.note, note])))
        return one

    async def _profiled(self, program: ProgramCommand | None, profile_file: Path | None, root: Path) -> Profile:
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
        try:
            document = await followed(self._session.stream(target, **asked), self._interruption, quiet=self._quiet)
        except Exception as error:  # noqa: BLE001  it may stand in a group of them
            self._failed = innermost(error)
            raise self._failed from None
        finally:
            self._interruption.at_first(None)
        if document is None:
            message = "it was ended before it came to a result; what was found is kept."
            raise RunError(message, hint=Hint("runs"))
        return document


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
            like = f", {_times(*one.on_calls)} on inputs like its calls" if one.on_calls else ""
            click.echo(f"{one.function}: {_times(*one.speed)} here{like} = {whole}{of}")
        if one.worth and not one.worth.same_output:
            click.echo(
                f"{one.function}: the program prints something else or ends otherwise with the change, or each time"
            )
        if one.note:
            click.echo(f"{one.function}: {one_line(one.note)}")
    click.echo(f"cost {money(document.cost_usd)}")


def _times(ratio: float, low: float, high: float) -> str:
    return f"{ratio:.2f}{TIMES} [{low:.2f}, {high:.2f}]"
