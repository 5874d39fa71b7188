"""Runs under way: started, followed by any number of calls, and ended. None outlives the server."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup
from msgspec import Struct

from codeens_mcp_tools.errors import ToolError, error_text
from codeens_mcp_tools.tools.progress import ProgressReporter
from codeens_server.domain import Candidate, RunDocument, Target
from codeens_server.errors import RunError
from codeens_server.run.ids import is_short_for
from codeens_server.run.request import RunRequest
from codeens_server.run.state import RunState

if TYPE_CHECKING:
    from codeens_server.run.engine import Engine

_MOST_AT_ONCE = 8
_MOST_KEPT = 200
_ENDED_WITHIN_S = 10.0


class Job(Struct, frozen=True, kw_only=True):
    """A run to be made."""

    engine: Engine
    request: RunRequest
    target: Target
    given: tuple[Candidate, ...] | None = None


class LiveRun:
    """A run of this process, under way or done."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.run_id = ""
        self.state: RunState | None = None
        """What is known of it; None until it has an id."""
        self.failure: Exception | None = None
        self.begun = anyio.Event()
        self.ended = anyio.Event()
        self._scope = anyio.CancelScope()
        self._stop: Callable[[], None] | None = None
        self._changed = anyio.Event()

    @property
    def run(self) -> RunDocument | None:
        """Its document, when it came to an end."""
        return self.state.document if self.state else None

    @property
    def is_under_way(self) -> bool:
        return not self.ended.is_set()

    @property
    def why(self) -> str:
        """Why it came to no result; empty when it did, or may yet."""
        return "" if self.failure is None else error_text(self.failure)

    async def drive(self, reporter: ProgressReporter | None = None) -> None:
        """Make the run, to its end. What goes wrong is kept as `failure`; cancelling this leaves nothing behind."""
        job = self.job
        try:
            with self._scope:
                engine, request, target = job.engine, job.request, job.target
                made = engine.start(request, target) if job.given is None else engine.judge(request, target, job.given)
                async with made as stream:
                    self._stop = stream.stop
                    async for _ in stream:
                        self._take(stream.state)
                        if reporter is not None:
                            await reporter.show(stream.state)
        except Exception as error:  # noqa: BLE001
            # Told to whoever asks for the run; one that fails does not end the server.
            self.failure = error
        finally:
            if self.run is None and self.failure is None:
                self.failure = RunError("the run was ended before it came to a result")
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
        self.state, self.run_id = state, state.run_id
        self.begun.set()
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


class LiveRuns:
    """All runs of this process."""

    def __init__(self, tasks: TaskGroup) -> None:
        self._tasks = tasks
        self._all: list[LiveRun] = []

    async def start(self, job: Job) -> LiveRun:
        """Start a run that goes on by itself; comes back when it has an id.

        Raises:
            CodeensError: it could not begin; nothing was written.
            SandboxError: its sandbox could not be opened.
        """
        live = self._added(job)
        self._tasks.start_soon(live.drive)
        try:
            await live.begun.wait()
        except anyio.get_cancelled_exc_class():
            live.cancel(keep=False)
            raise
        return self._begun(live)

    async def make(self, job: Job, reporter: ProgressReporter) -> LiveRun:
        """Make a run within a call: to its end, or until the call is cancelled.

        Raises:
            CodeensError: it came to no result.
            SandboxError: its sandbox could not be opened.
        """
        live = self._added(job)
        await live.drive(reporter)
        if live.failure is not None:
            self._begun(live)
            raise live.failure
        return live

    def get(self, run_id: str) -> LiveRun | None:
        """The latest of an id, or of what an id begins with or has after its date."""
        for live in reversed(self._all):
            if is_short_for(run_id, live.run_id):
                return live
        return None

    def ids(self) -> list[str]:
        """All ids, the latest first."""
        return [live.run_id for live in reversed(self._all) if live.run_id]

    async def end_all(self) -> None:
        """End all, and come back when nothing of them is left."""
        under_way = [live for live in self._all if live.is_under_way]
        for live in under_way:
            live.cancel(keep=False)
        with anyio.move_on_after(_ENDED_WITHIN_S):
            for live in under_way:
                await live.ended.wait()

    def _added(self, job: Job) -> LiveRun:
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
        live = LiveRun(job)
        self._all.append(live)
        return live

    def _begun(self, live: LiveRun) -> LiveRun:
        if not live.run_id and live.failure is not None:
            self._all.remove(live)
            raise live.failure
        return live
