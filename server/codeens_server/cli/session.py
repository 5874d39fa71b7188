"""What commands need to run something: a session that tells what it ignores, Ctrl-C, and a view of how it goes."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar

import anyio
import click

from codeens import Session
from codeens_server.cli.live import live_view
from codeens_server.cli.report import console
from codeens_server.config.settings import Settings
from codeens_server.domain.document import RunDocument
from codeens_server.errors import Hint, RunError
from codeens_server.run.engine import RunStream
from codeens_server.text import visible

T = TypeVar("T")
_AT_LAST_S = 30.0
"""After a signal: what was found is ranked and sandboxes are closed in a fraction of that."""


def session_here(*, trust: bool = False, **settings: object) -> Session:
    """Return a session in the current folder, with settings given for this one call; None counts as not given."""
    return Session(settings=settings, trusted=trust)


def settings_of(session: Session, root: Path | None = None) -> Settings:
    """Return the settings for a workspace, by default the one around the current folder; tell what is ignored.

    Raises:
        ConfigError: a source of settings is broken.
    """
    loaded = session.loaded(root)
    for sentence in loaded.ignored:
        click.echo(f"warning: {visible(sentence)}", err=True)
    if loaded.ignored and not session.trusted:
        click.echo("If you trust this workspace, say so with --trust-workspace.", err=True)
    return loaded.settings


async def follow(opening: AbstractAsyncContextManager[RunStream], *, quiet: bool) -> RunDocument:
    """Show how a run goes until it is done; the first Ctrl-C ends it with what was found.

    Raises:
        CodeensError: the request is wrong, or the run could not be completed.
        SandboxError: the sandbox asked for cannot isolate here.
    """
    document: RunDocument | None = None
    async with interruptible() as interruption:
        document = await followed(opening, interruption, quiet=quiet)
    if document is None:
        message = "the run was ended before it came to a result; what was found is kept."
        raise RunError(message, hint=Hint("runs"))
    return document


async def followed(
    opening: AbstractAsyncContextManager[RunStream], interruption: Interruption, *, quiet: bool
) -> RunDocument | None:
    """Show how a run goes until it is done; the first signal ends it with what was found, None where that is nothing.

    Raises:
        CodeensError: the request is wrong, or the run could not be completed.
        SandboxError: the sandbox asked for cannot isolate here.
    """
    with live_view(console(stderr=True), quiet=quiet) as view:
        async with opening as stream:
            interruption.at_first(stream.stop)
            async for event in stream:
                view.show(event, stream.state)
            return stream.state.document


async def unless_interrupted(work: Callable[[], Awaitable[T]], message: str) -> T:
    """Return what the work comes to, where the first Ctrl-C does not end it.

    Raises:
        RunError: a signal ended it; with this message.
    """
    results: list[T] = []
    async with interruptible():
        results.append(await work())
    if not results:
        raise RunError(message, code="interrupted")
    return results[0]


class Interruption:
    """What to do at the first signal; without it the first ends everything."""

    def __init__(self, scope: anyio.CancelScope) -> None:
        self._scope = scope
        self._stop: Callable[[], object] | None = None
        self.happened = False

    def at_first(self, stop: Callable[[], object] | None) -> None:
        """Call `stop` at the first signal, and leave the rest to it; None: the first ends everything again."""
        self._stop = stop

    def signalled(self) -> None:
        """Take a signal in."""
        stop = None if self.happened else self._stop
        self.happened = True
        if stop is None:
            self._scope.cancel()
        else:
            stop()


@contextmanager
def _at_last() -> Generator[Callable[[], None]]:
    """Give a function that ends the process some time after it is first called, if the block has not ended by then.

    A thread that waits for a file system that does not answer cannot be cancelled.
    """
    clock = threading.Timer(_AT_LAST_S, os._exit, (1,))
    clock.daemon = True

    def start() -> None:
        if not clock.ident:
            clock.start()

    try:
        yield start
    finally:
        clock.cancel()


@asynccontextmanager
async def interruptible() -> AsyncGenerator[Interruption]:
    """Let the user end a block by SIGINT or SIGTERM; a block ended so is left without an exception.

    The first signal ends the work and keeps what was found, the second ends everything at once. What then does not end
    within `_AT_LAST_S` is ended with the process.
    """
    async with anyio.create_task_group() as group:
        interruption = Interruption(group.cancel_scope)
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as received, _at_last() as set_clock:

            async def listen() -> None:
                async for _ in received:
                    set_clock()
                    interruption.signalled()

            group.start_soon(listen)
            yield interruption
            group.cancel_scope.cancel()
