"""The log of a run under way: each event is taken into the state, committed, and then shown, in this order."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import anyio
from msgspec import structs

from codeens_sandbox_backends.executor import Executor
from codeens_server.errors import RunError
from codeens_server.redaction import redact
from codeens_server.run.events import (
    GenerationFailed,
    InputsAsked,
    Noted,
    Progress,
    RunEvent,
    RunStarted,
    SandboxFailed,
    StoredEvent,
)
from codeens_server.run.sandboxes import SandboxUse
from codeens_server.run.state import RunState

if TYPE_CHECKING:
    from codeens_server.store.runs import RunStore


class RunLog:
    """Takes events of any number of tasks; any number of readers may wait for the next one.

    What comes before the evidence is shown at once and kept in memory: a run that cannot begin leaves nothing behind.
    It is written from the first answer that was paid for, though.
    """

    def __init__(self, state: RunState, store: RunStore, *, started: RunStarted | None = None) -> None:
        """Open the log.

        Args:
            state: what the run is made of so far.
            store: where its events are kept.
            started: the first event of a new run; None: the run is in the store already.
        """
        self.state = state
        self._store = store
        self._shown: list[RunEvent] = [] if started is None else [started]
        self._unshown: list[RunEvent] = []
        self._uncommitted: list[StoredEvent] = [] if started is None else [started]
        self._is_stored = started is None
        self._is_closed = False
        self._failure: RunError | None = None
        self._committing = anyio.Lock()
        self._changed = anyio.Event()
        self._executors: tuple[Executor, ...] = ()

    @asynccontextmanager
    async def using(self, executors: Iterable[Executor]) -> AsyncGenerator[None]:
        """Keep, with each event, how the sandboxes of the run stand; and at the end that they are closed."""
        self._executors = tuple(executors)
        try:
            yield
        finally:
            with anyio.CancelScope(shield=True), suppress(RunError):
                async with self._committing:
                    if self._is_stored and self._failure is None:
                        await self._store.append(self.state, sandboxes=self._sandboxes(datetime.now(UTC)))

    async def emit(self, event: RunEvent) -> None:
        """Take an event in. It is committed when this returns, also when the caller is cancelled meanwhile.

        The state has it at once: between a look at the state and this call nothing else comes in.

        Raises:
            RunError: the store cannot be written, or another process went on with the run.
        """
        event = _without_secrets(event)
        self.state.apply(event)
        self._unshown.append(event)
        if not isinstance(event, Progress):
            self._uncommitted.append(event)
        with anyio.CancelScope(shield=True):
            async with self._committing:
                await self._commit()

    async def read(self, position: int) -> RunEvent | None:
        """Return the event at a position, counted from 0 at the first of this process; None at the end of the log."""
        while len(self._shown) <= position:
            if self._is_closed:
                return None
            await self._changed.wait()
        return self._shown[position]

    def close(self) -> None:
        """Say that no more events come."""
        self._is_closed = True
        self._changed.set()

    async def _commit(self) -> None:
        """Write and show what is not yet, which may be nothing: another task's turn took it along."""
        if self._failure is not None:
            raise self._failure
        shown, self._unshown = self._unshown, []
        must_keep = self._is_stored or self.state.evidence is not None or self.state.has_paid
        if self._uncommitted and must_keep:
            events, self._uncommitted = self._uncommitted, []
            try:
                await self._store.append(self.state, *events, sandboxes=self._sandboxes())
            except RunError as error:
                self._failure = error
                raise
            self._is_stored = True
        for event in shown:
            self._show(event)

    def _sandboxes(self, closed: datetime | None = None) -> list[SandboxUse]:
        return [SandboxUse.of(executor, closed) for executor in self._executors]

    def _show(self, event: RunEvent) -> None:
        self._shown.append(event)
        self._changed.set()
        self._changed = anyio.Event()


def _without_secrets(event: RunEvent) -> RunEvent:
    """Take keys out of what models, services and sandboxes said."""
    match event:
        case GenerationFailed() | SandboxFailed() | InputsAsked():
            return structs.replace(event, why=redact(event.why, os.environ))
        case Noted() | Progress():
            return structs.replace(event, message=redact(event.message, os.environ))
        case _:
            return event
