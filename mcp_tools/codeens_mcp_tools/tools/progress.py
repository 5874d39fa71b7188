"""Tells a client how far a call is, by numbers that only grow."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream

if TYPE_CHECKING:
    from codeens import RunState

_STEP = 0.01
"""What a message counts that comes with no progress: the protocol wants each number above the one before."""


class ReportProgress(Protocol):
    """Sends a notification; does nothing where the client asked for none."""

    def __call__(self, progress: float, total: float | None = None, message: str | None = None) -> Awaitable[None]: ...


class ProgressReporter:
    """The progress of one call."""

    def __init__(self, report: ReportProgress) -> None:
        self.last = ""
        """What was said last."""
        self._report = report
        self._last = 0.0
        self._is_silent = False

    async def tell(self, message: str, done: float = 0.0, total: float | None = None) -> None:
        """Say what is going on, and how much of `total` is done."""
        self.last = message
        if self._is_silent:
            return
        self._last = max(done, self._last + _STEP)
        await self._report(self._last, None if total is None else max(total, self._last), message)

    def silence(self) -> None:
        """Send no more: the call was answered."""
        self._is_silent = True

    async def show(self, state: RunState) -> None:
        """Say how a run goes."""
        from codeens_server.views.run_view import progress_of

        progress = progress_of(state)
        await self.tell(progress.text, float(progress.done), float(progress.total) or None)

    @asynccontextmanager
    async def telling(self) -> AsyncGenerator[Callable[[str, int, int], None]]:
        """Give what the library tells progress to, which must not wait; all was told when the block is left."""
        send, receive = anyio.create_memory_object_stream[tuple[str, int, int]](math.inf)
        async with anyio.create_task_group() as group:
            group.start_soon(self._tell_all, receive)
            with send:
                yield lambda doing, done, total: send.send_nowait((doing, done, total))

    async def _tell_all(self, told: MemoryObjectReceiveStream[tuple[str, int, int]]) -> None:
        with told:
            async for doing, done, total in told:
                if total:
                    await self.tell(f"{doing}: {done} of {total}", done, total)
                else:
                    await self.tell(doing)
