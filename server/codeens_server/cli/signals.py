"""Ctrl-C and SIGTERM: the first ends the work and keeps what was found, the second ends everything at once."""

from __future__ import annotations

import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import anyio


class Interruption:
    """What to do at the first signal; without it the first ends everything."""

    def __init__(self, scope: anyio.CancelScope) -> None:
        self._scope = scope
        self._stop: Callable[[], object] | None = None
        self.happened = False

    def at_first(self, stop: Callable[[], object]) -> None:
        """Call `stop` at the first signal, and leave the rest to it."""
        self._stop = stop

    def signalled(self) -> None:
        stop = None if self.happened else self._stop
        self.happened = True
        if stop is None:
            self._scope.cancel()
        else:
            stop()


@asynccontextmanager
async def interruptible() -> AsyncGenerator[Interruption]:
    """A block that the user can end by a signal; a block ended so is left without an exception."""
    async with anyio.create_task_group() as group:
        interruption = Interruption(group.cancel_scope)
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as received:

            async def listen() -> None:
                async for _ in received:
                    interruption.signalled()

            group.start_soon(listen)
            yield interruption
            group.cancel_scope.cancel()
