"""The command `codeens`: names its commands, and imports the one that is called.

An import inside the function that needs it is how this project defers imports: the type checker and the import
contracts see it like any other. Only the names of the package `codeens`, which no function stands for, are deferred by
a module's `__getattr__` (PEP 562).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from difflib import get_close_matches

import click


class LazyCommand(click.Command):
    """Stand for a command until it is called: `codeens --help` stays quick."""

    def __init__(self, name: str, line: str, load: Callable[[], click.Command]) -> None:
        super().__init__(name=name, help=line)
        self._load = load

    def load(self) -> click.Command:
        """Import the command itself."""
        return self._load()


class Codeens(click.Group):
    """The outermost group: what goes wrong inside is told here, and a wrong name is answered with the nearest."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            near = get_close_matches(args[0], self.commands, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(self.commands)}."
            raise click.UsageError(f"no command is called {args[0]!r}. {hint}", ctx)
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, LazyCommand) else command, rest

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception as error:
            from codeens_server.cli.failures import shown

            raise shown(error) from error


@click.group(cls=Codeens, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="codeens", message="%(prog)s %(version)s")
def main() -> None:
    """Better implementations of a Python function, run in a sandbox and proven."""
    # LiteLLM's types have pydantic say a line each. A filter set later is lost where a thread puts back what it found.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"pydantic\.")


def _add(name: str, line: str) -> Callable[[Callable[[], click.Command]], None]:
    return lambda load: main.add_command(LazyCommand(name, line, load))


@_add("run", "Ask an ensemble for a better function.")
def _() -> click.Command:
    from codeens_server.cli.run import run

    return run


@_add("optimize", "Improve the functions that a program's time goes into.")
def _() -> click.Command:
    from codeens_server.cli.optimize import optimize

    return optimize


@_add("check", "Say what changes of a repository do to its functions.")
def _() -> click.Command:
    from codeens_server.cli.check import check

    return check


@_add("record", "Write down how a program calls a function.")
def _() -> click.Command:
    from codeens_server.cli.record import record

    return record


@_add("score", "Judge given candidates on a task file.")
def _() -> click.Command:
    from codeens_server.cli.score import score

    return score


@_add("bench", "Ask models for public data sets, and score samples of them.")
def _() -> click.Command:
    from codeens_server.cli.bench import bench

    return bench


@_add("selector", "Choose among answers without running any.")
def _() -> click.Command:
    from codeens_server.cli.selector import selector

    return selector


@_add("data", "Prepare public data sets.")
def _() -> click.Command:
    from codeens_server.cli.data import data

    return data


@_add("variants", "List, show, check and switch prompt variants.")
def _() -> click.Command:
    from codeens_server.cli.variants import variants

    return variants


@_add("models", "Say who wins on your code, and who `auto` would ask.")
def _() -> click.Command:
    from codeens_server.cli.models import models

    return models


@_add("runs", "Look at earlier runs, and apply their results.")
def _() -> click.Command:
    from codeens_server.cli.runs import runs

    return runs


@_add("dashboard", "Show runs in a browser, and start them there.")
def _() -> click.Command:
    from codeens_server.cli.dashboard import dashboard

    return dashboard


@_add("sandbox", "List sandbox backends, and check that they hold.")
def _() -> click.Command:
    from codeens_server.cli.sandbox import sandbox

    return sandbox


@_add("doctor", "Say what works on this machine, and how to mend the rest.")
def _() -> click.Command:
    from codeens_server.cli.doctor import doctor

    return doctor
