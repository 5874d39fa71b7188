"""Runs under way: started, followed by any number of calls, and ended. None outlives the server."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, TypeAlias

import anyio
from anyio.abc import TaskGroup

from codeens_mcp_tools.errors import ToolError, error_text
from codeens_mcp_tools.tools.progress import ProgressReporter

if TYPE_CHECKING:
    from codeens import RunState, RunStream
    from codeens_mcp_tools.calls import HeldCall
    from codeens_mcp_tools.ledger import Ledger

_MOST_AT_ONCE = 8
_MOST_KEPT = 200
_ENDED_WITHIN_S = 10.0

Making: TypeAlias = "AbstractAsyncContextManager[RunStream]"
"""A run of the session that begins when the block is entered."""


class LiveRun:
    """A run of this process, under way or done."""

    def __init__(self, making: Making) -> None:
        self.state: RunState | None = None
        """What is known of it; None until it has an id."""
        self.failure: Exception | None = None
        self.begun = anyio.Event()
        self.ended = anyio.Event()
        self._making = making
        self._scope = anyio.CancelScope()
        self._stop: Callable[[], None] | None = None
        self._changed = anyio.Event()

    @property
    def run_id(self) -> str:
        """Its id; empty until it has one."""
        return self.state.run_id if self.state else ""

    @property
    def is_under_way(self) -> bool:
        return not self.ended.is_set()

    @property
    def why(self) -> str:
        """Why it came to no result; empty when it did, or may yet."""
        return "" if self.failure is None else error_text(self.failure)

    async def drive(self, reporter: ProgressReporter | None = None) -> None:
        """Make the run, to its end. What goes wrong is kept as `failure`; cancelling this leaves nothing behind."""
        try:
            with self._scope:
                async with self._making as stream:
                    self._stop = stream.stop
                    async for _ in stream:
                        self._take(stream.state)
                        if reporter is not None:
                            await reporter.show(stream.state)
        except Exception as error:  # noqa: BLE001
            # Told to whoever asks for the run; one that fails does not end the server.
            self.failure = error
        finally:
            if (self.state is None or self.state.document is None) and self.failure is None:
                self.failure = ToolError("The run was ended before it came to a result.")
            self._stop = None
            self.begun.set()
            self.ended.set()
            self._tell()

    def cancel(self, *, keep: bool) -> None:
        """End its model calls and sandboxes at once; with `keep`, what was found is ranked."""
        if keep and self._stop is not None:
            self._stop()
        else:
            self._scope.cancel()

    async def changed(self) -> None:
        """Wait for the next event."""
        await self._changed.wait()

    def _take(self, state: RunState) -> None:
        self.state = state
        self.begun.set()
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


class LiveRuns:
    """All runs of this process."""

    def __init__(self, tasks: TaskGroup, ledger: Ledger) -> None:
        self._tasks = tasks
        self._ledger = ledger
        self._all: list[LiveRun] = []

    async def start(self, making: Making) -> LiveRun:
        """Start a run that goes on by itself; comes back when it has an id.

        Raises:
            CodeensError: it could not begin; nothing was written.
            SandboxError: its sandbox could not be opened.
        """
        live = self._added(making)
        self._tasks.start_soon(live.drive)
        try:
            await live.begun.wait()
            await self._keep(live, "start_ensemble")
        except anyio.get_cancelled_exc_class():
            live.cancel(keep=False)
            raise
        return self._begun(live)

    async def make(self, making: Making, call: HeldCall) -> LiveRun:
        """Make a run within a call: to its end, or until the call is cancelled.

        Raises:
            CodeensError: it came to no result.
            SandboxError: its sandbox could not be opened.
        """
        live = call.run = self._added(making)
        self._tasks.start_soon(self._keep, live, call.tool)
        await live.drive(call.reporter)
        if live.failure is not None:
            self._begun(live)
            raise live.failure
        return live

    def get(self, run_id: str) -> LiveRun | None:
        """Return the run of an id, whole."""
        return next((live for live in self._all if run_id and live.run_id == run_id), None)

    def ids(self) -> list[str]:
        """Return all ids, the latest first."""
        return [live.run_id for live in reversed(self._all) if live.run_id]

    async def end_all(self) -> None:
        """End all, and come back when nothing of them is left."""
        under_way = [live for live in self._all if live.is_under_way]
        for live in under_way:
            live.cancel(keep=False)
        with anyio.move_on_after(_ENDED_WITHIN_S):
            for live in under_way:
                await live.ended.wait()

    async def _keep(self, live: LiveRun, tool: str) -> None:
        """Keep a run's id as soon as it has one; how it ends is kept by itself."""
        await live.begun.wait()
        if live.state is None:
            return
        target = live.state.target
        await self._ledger.begin(tool, live.run_id, function=target.qualname, path=target.path)
        self._tasks.start_soon(self._keep_end, live)

    async def _keep_end(self, live: LiveRun) -> None:
        with anyio.CancelScope(shield=True):
            await live.ended.wait()
            state = "finished" if live.state is not None and live.state.document else "failed"
            await self._ledger.end(live.run_id, state=state, failure=live.why)

    def _added(self, making: Making) -> LiveRun:
        under_way = [live for live in self._all if live.is_under_way]
        if len(under_way) >= _MOST_AT_ONCE:
            ids = ", ".join(live.run_id for live in under_way if live.run_id)
            raise ToolError(
                f"{len(under_way)} runs are under way, which is the most. Wait for one (get_run with wait_seconds) or "
                f"end one (cancel_run): {ids}."
            )
        done = [live for live in self._all if not live.is_under_way]
        for old in done[: max(0, len(self._all) - _MOST_KEPT)]:
            self._all.remove(old)
        live = LiveRun(making)
        self._all.append(live)
        return live

    def _begun(self, live: LiveRun) -> LiveRun:
        if not live.run_id and live.failure is not None:
            self._all.remove(live)
            raise live.failure
        return live
