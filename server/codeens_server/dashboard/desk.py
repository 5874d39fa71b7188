"""The runs that the dashboard started, and those that other processes make: started, followed, ended."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any

import anyio
from anyio.abc import TaskGroup, TaskStatus
from msgspec import Struct

from codeens import CodeensError, RunEvent, RunState, RunStream, SandboxError, Session
from codeens_server.dashboard.activity import Activity, Clock
from codeens_server.dashboard.takeover import Takeover
from codeens_server.run.events import Progress
from codeens_server.store.statistics import Statistics
from codeens_server.views.model import RunStatus, RunView
from codeens_server.views.run_view import view_of

_REMEMBERED = 100
"""Runs of this process that failed; what others came to is in the store, where other processes may go on with them."""


class Happened(Struct, frozen=True, kw_only=True):
    """One event of a run, as those who follow it get it."""

    seq: int
    """How many events of the run's log there are with it. What is only progress has that of the event before it."""
    event: RunEvent


class _Live:
    """A run of this process."""

    def __init__(self, stream: RunStream, before: int = 0) -> None:
        self.before = before
        self.stream = stream
        self.clock = Clock(stream)
        self.happened: list[Happened] = []
        self.failure = ""
        self.has_ended = False
        self._changed = anyio.Event()

    def take(self, event: RunEvent) -> None:
        seq = (self.happened[-1].seq if self.happened else self.before) + (not isinstance(event, Progress))
        self.happened.append(Happened(seq=seq, event=event))
        self._wake()

    def end(self, failure: str) -> None:
        self.failure, self.has_ended = failure, True
        self._wake()

    async def follow(self, after: int) -> AsyncGenerator[Happened]:
        position = 0
        while True:
            for happened in self.happened[position:]:
                position += 1
                if happened.seq > after:
                    yield happened
            if self.has_ended:
                return
            if position == len(self.happened):
                await self._changed.wait()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


class RunDesk:
    """Starts runs that go on until they end or the server does, and follows those of all processes."""

    def __init__(self, session: Session, group: TaskGroup) -> None:
        self.session = session
        self._group = group
        self._live: dict[str, _Live] = {}
        self._takeover = Takeover(session)

    async def take_up(self) -> None:
        """Go on with runs that dashboards of this workspace were stopped or killed in; until cancelled."""

        async def go_on(run_id: str) -> None:
            self._group.start_soon(self._resume, run_id)

        await self._takeover.watch(go_on)

    async def start(self, target: str, options: Mapping[str, Any]) -> str:
        """Start a run and return its id.

        Args:
            target: as `Session.target` takes it.
            options: see `RunKeywords`.

        Raises:
            CodeensError: it cannot be run; nothing was written.
            SandboxError: the sandbox asked for cannot isolate here.
        """
        failures: list[CodeensError | SandboxError] = []
        run_id = await self._group.start(self._run, target, options, failures)
        if failures:
            raise failures[0]
        return str(run_id)

    async def statistics(self) -> Statistics:
        """Return what is asked over many runs."""
        return (await self.session.opened_store()).statistics

    def running(self) -> list[RunView]:
        """Return the views of the runs of this process that go on, the latest first."""
        return [view_of(live.stream.state) for live in reversed(self._live.values()) if not live.has_ended]

    def activities(self) -> list[Activity]:
        """Return what the runs of this process that go on are at, the latest first."""
        return [live.clock.activity() for live in reversed(self._live.values()) if not live.has_ended]

    def activity(self, run_id: str) -> Activity | None:
        """Return what a run is at; None: it does not go on here."""
        live = self._live.get(run_id)
        return live.clock.activity() if live and not live.has_ended else None

    def stop(self, run_id: str) -> bool:
        """End a run of this process with what was found; False: it is not one that goes on here."""
        live = self._live.get(run_id)
        if live is None or live.has_ended:
            return False
        live.stream.stop()
        return True

    async def state(self, run_id: str) -> RunState:
        """Return what is known of a run.

        Raises:
            InputError: no such run, or several.
            RunError: the store cannot be read.
        """
        live = self._live.get(run_id)
        return live.stream.state if live else await self.session.state(run_id)

    async def view(self, run_id: str) -> RunView:
        """Return the view of a run; see `state` for what it raises."""
        state = await self.state(run_id)
        live = self._live.get(state.run_id)
        return view_of(state, status=self.status_of(state), failure=live.failure if live else "")

    def status_of(self, state: RunState) -> RunStatus | None:
        """Return how a run stands where this process knows; None: as its log says."""
        live = self._live.get(state.run_id)
        return "failed" if live and live.has_ended and state.document is None else None

    async def follow(self, run_id: str, after: int) -> AsyncGenerator[Happened]:
        """Yield the events of a run from the one after `after` on, until it has ended.

        Raises:
            InputError: no such run, or several.
            RunError: the store cannot be read.
        """
        if live := self._live.get(run_id):
            if after < live.before:
                earlier = await (await self.session.opened_store()).events(run_id, after)
                for event in earlier[: live.before - after]:
                    after += 1
                    yield Happened(seq=after, event=event)
            async for happened in live.follow(after):
                yield happened
            return
        async for event in self.session.follow(run_id, after):
            after += 1
            yield Happened(seq=after, event=event)

    async def _run(
        self,
        target: str,
        options: Mapping[str, Any],
        failures: list[CodeensError | SandboxError],
        *,
        task_status: TaskStatus[str],
    ) -> None:
        live: _Live | None = None
        try:
            async with self.session.stream(target, **options) as stream:
                live = self._live[stream.run_id] = _Live(stream)
                self._forget_old()
                await self._takeover.begin(stream.run_id, stream.state.target.path)
                task_status.started(stream.run_id)
                async for event in stream:
                    live.take(event)
        except (CodeensError, SandboxError) as error:
            if live is None:
                failures.append(error)
                task_status.started("")
            else:
                await self._ended(live, str(error))
        else:
            await self._ended(live, "")

    async def _resume(self, run_id: str) -> None:
        live: _Live | None = None
        try:
            known = await self.session.state(run_id)
            if known.document is not None:
                await self._takeover.end(run_id)
                return
            async with self.session.stream_resume(run_id) as stream:
                live = self._live[run_id] = _Live(stream, known.seq)
                async for event in stream:
                    live.take(event)
        except (CodeensError, SandboxError) as error:
            if live is None:
                await self._takeover.end(run_id, str(error))
            else:
                await self._ended(live, str(error))
        else:
            await self._ended(live, "")

    async def _ended(self, live: _Live, failure: str) -> None:
        """Note how a run ended; one that the server's own end cuts short is not noted, and goes on later."""
        live.end(failure)
        if not failure:
            del self._live[live.stream.run_id]
        await self._takeover.end(live.stream.run_id, failure)

    def _forget_old(self) -> None:
        ended = [run_id for run_id, live in self._live.items() if live.has_ended]
        for run_id in ended[:-_REMEMBERED]:
            del self._live[run_id]
