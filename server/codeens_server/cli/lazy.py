"""A group of commands whose modules are imported when a command is used: `codeens --help` stays quick."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import cast

import click


class Later(click.Command):
    """Stands for a command until it is used: its name, its line of help, and where it is (`module:attribute`)."""

    def __init__(self, name: str, place: str, line: str) -> None:
        super().__init__(name=name, help=line)
        self._place = place

    def load(self) -> click.Command:
        """The command itself."""
        module, _, attribute = self._place.partition(":")
        return cast("click.Command", getattr(import_module(module), attribute))


class LazyGroup(click.Group):
    """Loads a command when it is called by its name; a wrong name is answered with the nearest right one."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            near = get_close_matches(args[0], self.commands, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(self.commands)}."
            raise click.UsageError(f"no command is called {args[0]!r}. {hint}", ctx)
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, Later) else command, rest
