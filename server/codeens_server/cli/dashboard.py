"""`codeens dashboard`: runs in a browser."""

from __future__ import annotations

import gc
import ipaddress
import webbrowser

import anyio
import click

from codeens_server.cli import options
from codeens_server.cli.session import interruptible, session_here, settings_of

_DEFAULT_PORT = 8765


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=_DEFAULT_PORT,
    show_default=True,
    help="Port to listen on; 0: any that is free.",
)
@click.option("--open", "in_browser", is_flag=True, help="Open it in the browser.")
@options.results
@options.trust_workspace
def dashboard(host: str, port: int, in_browser: bool, results: str | None, trust_workspace: bool) -> None:
    """Show runs in a browser, and start them there: live, with leaderboard and costs, until Ctrl-C.

    It shows the runs of the store that the settings of this folder name, also those of other processes. Who has the
    printed address can run code as you.
    """
    from codeens_server.dashboard.app import opened, serve

    if not _is_loopback(host):
        message = (
            f"{host} can be reached from other machines, and the token would cross the network unencrypted. "
            "Listen on 127.0.0.1, and let others in by a tunnel or a proxy with TLS."
        )
        raise click.BadParameter(message, param_hint="--host")
    session = session_here(trust=trust_workspace, results=results)
    settings_of(session)
    try:
        door, sock = opened(host, port)
    except OSError as error:
        message = f"{host}:{port} cannot be listened on: {error.strerror}. Choose another with --port."
        raise click.ClickException(message) from error
    click.echo(door.url)
    click.echo("Ctrl-C ends it, and the runs that were started in it.", err=True)
    if in_browser:
        webbrowser.open(door.url)

    # What is imported by now stays: looking for garbage in it would hold a page up now and then.
    gc.freeze()

    async def show() -> None:
        with sock:
            async with session, interruptible():
                await serve(session, door, sock)

    anyio.run(show)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
