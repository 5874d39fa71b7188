"""`codeens record`: how a program calls a function."""

from __future__ import annotations

from pathlib import Path

import anyio
import anyio.to_thread
import click

from codeens import Session
from codeens_server.cli import options
from codeens_server.cli.session import session_here, settings_of
from codeens_server.errors import InputError
from codeens_server.programs.command import read_command
from codeens_server.programs.recording import recorded_calls
from codeens_server.text import plural


@click.command()
@click.argument("target")
@click.option(
    "--command",
    required=True,
    metavar="CMD",
    help='What to run: "python -m app", "bench.py 100", "pytest tests/test_a.py".',
)
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the calls here, not to the terminal."
)
@options.trust_workspace
def record(target: str, command: str, out: Path | None, trust_workspace: bool) -> None:
    """Run a program in the sandbox, and write down how it calls TARGET: calls that `codeens run --calls` takes."""
    calls = anyio.run(_recorded, session_here(trust=trust_workspace), target, command)
    if not calls:
        message = f"{command} makes no call of {target} that can be written down: its arguments must be literals."
        raise InputError(message, code="nothing_recorded")
    if out is None:
        click.echo("\n".join(calls))
        return
    out.write_text("\n".join(calls) + "\n", encoding="utf-8")
    click.echo(f"wrote {plural(len(calls), 'call')} into {out}", err=True)


async def _recorded(session: Session, target: str, command: str) -> tuple[str, ...]:
    async with session:
        settings_of(session)
        program = await anyio.to_thread.run_sync(read_command, command, session.root)
        return await recorded_calls(session, session.root, program, await session.target(target))
