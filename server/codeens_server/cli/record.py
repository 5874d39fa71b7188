"""`codeens record`: how a program calls a function."""

from __future__ import annotations

from pathlib import Path

import anyio
import anyio.to_thread
import click

from codeens import Session
from codeens_server.cli import options
from codeens_server.cli.session import session_here, settings_of, unless_interrupted
from codeens_server.errors import InputError
from codeens_server.programs.command import read_command
from codeens_server.programs.recording import Recorded, recorded_calls
from codeens_server.text import plural


@click.command()
@click.argument("target")
@click.option(
    "--command",
    required=True,
    metavar="CMD",
    help='What to run: "python -m app", "bench.py 100", "pytest tests/test_a.py".',
)
@click.option("--out", type=options.file_to_write, metavar="FILE", help="Write the calls here, not to the terminal.")
@options.trust_workspace
def record(target: str, command: str, out: Path | None, trust_workspace: bool) -> None:
    """Run a program in the sandbox, and write down how it calls TARGET: calls that `codeens run --calls` takes."""
    session = session_here(trust=trust_workspace)
    ended = "the program was ended before it was done."
    recorded = anyio.run(unless_interrupted, lambda: _recorded(session, target, command), ended)
    if not recorded.calls:
        message = f"{command} makes no call of {target} that can be written down: {recorded.why}."
        raise InputError(message, code="nothing_recorded")
    text = "\n".join(recorded.calls)
    if out is None:
        click.echo(text)
        return
    out.write_text(f"{text}\n", encoding="utf-8")
    click.echo(f"wrote {plural(len(recorded.calls), 'call')} into {out}", err=True)


async def _recorded(session: Session, target: str, command: str) -> Recorded:
    async with session:
        settings_of(session)
        found = await session.target(target)
        program = await anyio.to_thread.run_sync(read_command, command, session.root)
        return await recorded_calls(session, session.root, program, found)
