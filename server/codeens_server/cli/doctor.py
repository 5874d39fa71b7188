"""`codeens doctor`: what works here, and the fix for what does not."""

from __future__ import annotations

import os

import anyio
import click
from rich.table import Table
from rich.text import Text

from codeens_server.cli import options
from codeens_server.cli.checkup import Check, check_up
from codeens_server.cli.setup import settings_for, workspace_here
from codeens_server.cli.table import console
from codeens_server.store.documents import to_json
from codeens_server.text import one_line


@click.command()
@options.trust_workspace
@options.as_json
@click.pass_context
def doctor(ctx: click.Context, trust_workspace: bool, as_json: bool) -> None:
    """Say what works on this machine, and how to mend the rest. Exit code 1: the main job cannot be done."""
    settings = settings_for(trust=trust_workspace)
    checks = anyio.run(check_up, settings, workspace_here(), os.environ)
    if as_json:
        click.echo(to_json(checks, indent=2))
    else:
        console().print(_table(checks))
    if any(check.needed and not check.works for check in checks):
        ctx.exit(1)


def _table(checks: list[Check]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    area = ""
    for check in checks:
        mark = Text("yes", style="green") if check.works else Text("no", style="red" if check.needed else "yellow")
        detail = Text(one_line(check.detail))
        if check.fix:
            detail.append(f"\nfix: {one_line(check.fix)}", style="bold")
        table.add_row(check.area if check.area != area else "", mark, Text(one_line(check.name)), detail)
        area = check.area
    return table
