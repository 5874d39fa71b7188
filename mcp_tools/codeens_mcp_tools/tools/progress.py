"""Tells a client how far a call is, by numbers that only grow."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

from codeens_server.run.state import RunState
from codeens_server.views.run_view import progress_of

_STEP = 0.01
"""What a message counts that comes with no progress: the protocol wants each number above the one before."""


class Report(Protocol):
    """Sends a notification; does nothing where the client asked for none."""

    def __call__(self, progress: float, total: float | None = None, message: str | None = None) -> Awaitable[None]: ...


class ProgressReporter:
    """The progress of one call."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._last = 0.0

    async def tell(self, message: str, done: float = 0.0, total: float | None = None) -> None:
        """Say what is going on, and how much of `total` is done."""
        self._last = max(done, self._last + _STEP)
        await self._report(self._last, None if total is None else max(total, self._last), message)

    async def show(self, state: RunState) -> None:
        """Say how a run goes."""
        progress = progress_of(state)
        await self.tell(progress.text, float(progress.done), float(progress.total) or None)
