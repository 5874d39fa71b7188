"""`codeens doctor`: what works here, as a table."""

from __future__ import annotations

import anyio
import click
from rich.table import Table
from rich.text import Text

from codeens_server.cli import options
from codeens_server.cli.clients import CLIENTS, set_up, shown
from codeens_server.cli.report import console, plain_table
from codeens_server.cli.session import session_here, settings_of
from codeens_server.doctor.checks import all_checks
from codeens_server.doctor.models import DoctorCheck
from codeens_server.store.documents import to_json
from codeens_server.text import one_line

_WIDTH = 80
_NAMES = 18
_SANDBOX = "sandbox"


@click.command()
@click.option("--try", "ask", is_flag=True, help="Ask each model for one token, which costs next to nothing.")
@click.option("--client", type=click.Choice(CLIENTS), help="Say how this agent's client starts codeens, and try it.")
@options.trust_workspace
@options.as_json
@click.pass_context
def doctor(ctx: click.Context, ask: bool, client: str | None, trust_workspace: bool, as_json: bool) -> None:
    """Say what works on this machine, and how to mend the rest. Exit code 1: the main job cannot be done.

    With `--client` say what to copy into which file of an agent's client, and whether the server starts so.
    """
    session = session_here(trust=trust_workspace)
    if client is not None:
        found = anyio.run(set_up, client, session.root, session.environ)
        click.echo(to_json(found, indent=2) if as_json else shown(found))
        ctx.exit(0 if found.starts else 1)
    settings = settings_of(session)
    checks = anyio.run(lambda: all_checks(settings, session.root, session.environ, ask=ask))
    if as_json:
        click.echo(to_json(checks, indent=2))
    else:
        _print(checks, settings.sandbox)
    if any(check.needed and not check.works for check in checks):
        ctx.exit(1)


def _print(checks: list[DoctorCheck], used: str) -> None:
    out = console()
    out.width = min(out.width, _WIDTH)
    area = ""
    for check in _worth_a_row(checks, used):
        if check.area != area:
            out.print(Text(check.area, style="bold"))
        area = check.area
        out.print(_row(check))
    out.print()
    out.print(Text(f"first: {_first(checks)}", style="bold"))


def _worth_a_row(checks: list[DoctorCheck], used: str) -> list[DoctorCheck]:
    """Return the checks with one row for sandboxes that nobody asked for, where the one that is used works."""
    sandboxes = [check for check in checks if check.area == _SANDBOX]
    idle = [check for check in sandboxes if not check.works]
    if not idle or any(check.needed or check.name == used for check in idle):
        return checks
    names = ", ".join(check.name for check in idle)
    others = DoctorCheck(
        area=_SANDBOX,
        name="others",
        works=False,
        detail=f"{names}: not set up, and not needed; `codeens sandbox list` says what each wants",
    )
    return [
        *(check for check in sandboxes if check.works),
        others,
        *(check for check in checks if check.area != _SANDBOX),
    ]


def _row(check: DoctorCheck) -> Table:
    mark = Text("yes", style="green") if check.works else Text("no", style="red" if check.needed else "yellow")
    detail = Text(one_line(check.detail))
    if check.fix:
        detail.append(f"\nfix: {one_line(check.fix)}", style="bold")
    table = plain_table()
    for width in (5, _NAMES, None):
        table.add_column(width=width, overflow="fold")
    table.add_row(Text.assemble("  ", mark), Text(one_line(check.name)), detail)
    return table


def _first(checks: list[DoctorCheck]) -> str:
    """Return what to do first: what the main job needs, else what brings more, else the main job."""
    for check in checks:
        if check.needed and not check.works:
            return "codeens sandbox install" if check.area == _SANDBOX else check.fix
    if not any(check.works for check in checks if check.area == "model"):
        return "codeens run FILE.py::FUNCTION; with a model it can do more"
    return "codeens run FILE.py::FUNCTION"
