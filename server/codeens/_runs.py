"""Runs: made, gone on with, judged again, found again."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import anyio
import anyio.to_thread

from codeens._candidates import GIVEN, Candidates, given_candidates
from codeens._options import RunKeywords, resolve
from codeens._resources import Resources
from codeens._results import Run
from codeens._targets import TargetLike
from codeens_server.config.settings import Settings
from codeens_server.config.user_file import set_refused_conditions
from codeens_server.domain.evidence import Case
from codeens_server.domain.target import Target
from codeens_server.domain.terms import ConditionKind
from codeens_server.errors import Hint, InputError, RunError
from codeens_server.run.engine import Engine, RunStream
from codeens_server.run.events import RunEvent, RunFinished, StoredEvent
from codeens_server.run.pinning import finished as document_of
from codeens_server.run.pinning import pin
from codeens_server.run.state import RunState
from codeens_server.store.artifacts import artifact

if TYPE_CHECKING:
    from codeens_server.store.rows import RunLine
    from codeens_server.store.transfer import Imported, Removable

OnEvent = Callable[[RunEvent], None]


class Runs(Resources):
    """What a session does with runs."""

    @asynccontextmanager
    async def stream(self, target: TargetLike, **options: Unpack[RunKeywords]) -> AsyncGenerator[RunStream]:
        """Start a run, and give its events as they come. Leaving the block early cancels all that is under way.

        Args:
            target: the function; see `Session.target`.
            options: see `RunKeywords`.

        Raises:
            InputError: the request is wrong; nothing was written.
            SandboxError: the sandbox asked for cannot isolate here.
            RunError: the run could not be completed (raised when the block is left).
        """
        found = await self.target(target)
        engine, settings = await self._engine(found)
        async with engine.start(resolve(found, options, settings), found) as stream:
            yield stream

    @asynccontextmanager
    async def stream_judge(
        self,
        target: TargetLike,
        candidates: Candidates,
        *,
        author: str = GIVEN,
        parents: Mapping[str, str] | None = None,
        **options: Unpack[RunKeywords],
    ) -> AsyncGenerator[RunStream]:
        """Judge, measure and rank given candidates against a function, and give the events as they come.

        Args:
            target: the function; see `Session.target`.
            candidates: their sources by id; see `Candidates`.
            author: what results call those who wrote them.
            parents: ids of earlier candidates that some of these were made from, by their own.
            options: see `RunKeywords`; no model is asked.

        Raises:
            CodeensError: see `stream`.
            SandboxError: the sandbox asked for cannot isolate here.
        """
        found = await self.target(target)
        given = await anyio.to_thread.run_sync(given_candidates, found, candidates, author, parents)
        engine, settings = await self._engine(found)
        async with engine.judge(resolve(found, options, settings), found, given) as stream:
            yield stream

    @asynccontextmanager
    async def stream_resume(self, run_id: str) -> AsyncGenerator[RunStream]:
        """Go on with a run that was interrupted; what it finished is not done again.

        Raises:
            CodeensError: there is no such run, or see `stream`.
            SandboxError: the sandbox asked for cannot isolate here.
        """
        state = await self.state(run_id)
        engine, _ = await self._engine(state.target)
        async with engine.resume(state.run_id) as stream:
            yield stream

    @asynccontextmanager
    async def stream_rejudge(self, run_id: str) -> AsyncGenerator[RunStream]:
        """Judge a run's candidates again, by the inputs pinned since; no model is asked.

        Raises:
            CodeensError: there is no such run, or see `stream`.
            SandboxError: the sandbox asked for cannot isolate here.
        """
        state = await self.state(run_id)
        engine, _ = await self._engine(state.target)
        async with engine.rejudge(state.run_id) as stream:
            yield stream

    async def run(self, target: TargetLike, *, on_event: OnEvent | None = None, **options: Unpack[RunKeywords]) -> Run:
        """Ask an ensemble for better implementations of a function, prove each, and rank them.

        Args:
            target: the function; see `Session.target`.
            on_event: gets every event as it comes.
            options: see `RunKeywords`.

        Returns:
            The finished run.

        Raises:
            InputError: the request is wrong; nothing was written.
            RunError: the run could not be completed.
            SandboxError: the sandbox asked for cannot isolate here.
        """
        return await finished(self.stream(target, **options), on_event)

    async def resume(self, run_id: str, *, on_event: OnEvent | None = None) -> Run:
        """Go on with a run that was interrupted; what it finished is not done again.

        Raises:
            CodeensError: there is no such run, or it could not be completed.
            SandboxError: the sandbox asked for cannot isolate here.
        """
        return await finished(self.stream_resume(run_id), on_event)

    async def rejudge(self, run_id: str, *, on_event: OnEvent | None = None) -> Run:
        """Judge a run's candidates again, by the inputs pinned since; no model is asked.

        Raises:
            CodeensError: there is no such run, or it could not be completed.
            SandboxError: the sandbox asked for cannot isolate here.
        """
        return await finished(self.stream_rejudge(run_id), on_event)

    async def pin(self, run_id: str, number: int, right: int | None = None) -> Case:
        """Decide what is right on an input where candidates differ, and keep it with the run, for `rejudge`.

        Args:
            run_id: a finished run.
            number: of the input, counted from 1 in the order in which the run's report tells them.
            right: the group that is right; None: the original, where the run improved it.

        Returns:
            The input, with what must come out.

        Raises:
            InputError: there is no such run or input, or nobody says what is right on it.
            SandboxError: the sandbox failed.
        """
        state = await self.state(run_id)
        settings = await anyio.to_thread.run_sync(self.settings_of, state.target)
        return await pin(await self.opened_store(), state.run_id, number, right, settings=settings)

    async def refuse(self, run_id: str, kind: ConditionKind) -> Path:
        """Let no candidate pass on a kind of condition in a run's workspace any more, this run's at `rejudge`.

        Args:
            run_id: a run of the workspace.
            kind: of the condition.

        Returns:
            The file of settings that says so now.

        Raises:
            InputError: there is no such run, or it is about code without a workspace.
            ConfigError: the workspace's settings cannot be read or written.
        """
        state = await self.state(run_id)

        def write() -> Path:
            if self.is_code(state.target):
                message = "code without a file has no workspace whose settings could refuse a condition."
                raise InputError(message, code="no_workspace")
            kinds = dict.fromkeys((*self.settings_of(state.target).refused_conditions, kind))
            path = set_refused_conditions(Path(state.target.root), [*kinds])
            self._fresh.forget()
            return path

        return await anyio.to_thread.run_sync(write)

    async def runs(self, limit: int = 20, *, function: str | None = None) -> list[RunLine]:
        """Return the latest runs, newest first.

        Args:
            limit: how many at the most.
            function: only those of this one, as a run's line names it: `/absolute/path.py::qualname`.

        Raises:
            RunError: the store cannot be read.
        """
        return await (await self.opened_store()).list_runs(limit, function)

    async def state(self, run_id: str) -> RunState:
        """Return everything that is known of a run, finished or not.

        Args:
            run_id: may be shortened to its beginning, or to what follows the date; `latest` is the run of the session's
                workspace that began last.

        Raises:
            InputError: no such run, or several.
            RunError: the store cannot be read.
        """
        return await (await self.opened_store()).load(await self._full_id(run_id))

    def artifact(self, state: RunState, candidate_id: str, name: str) -> str:
        """Return what is kept of a candidate of a run, as text; may block.

        Args:
            state: the run, finished or not.
            candidate_id: one of its answers, or `original`.
            name: solution, prompt, response, payload (the module as sandboxes get it), diff, or result (its row, JSON).

        Raises:
            InputError: there is none of that name, no such row, or the file is not what it was.
        """
        return artifact(state, candidate_id, name)

    async def load(self, run_id: str) -> Run:
        """Return a finished run.

        Raises:
            InputError: no such run, or several, or it did not come to an end (code `run_not_finished`).
            RunError: the store cannot be read.
        """
        return Run(document_of(await self.state(run_id)))

    async def follow(self, run_id: str, after: int = 0) -> AsyncGenerator[StoredEvent]:
        """Yield the events of a run as they are committed, by whatever process, until it has ended.

        A run whose process was killed never ends: bound the wait where that matters.

        Args:
            run_id: may be shortened.
            after: how many events of the run's log are known already.

        Raises:
            InputError: no such run, or several.
            RunError: the store cannot be read.
        """
        store = await self.opened_store()
        async for event in store.follow(await self._full_id(run_id), after):
            yield event

    async def export(self, run_ids: Sequence[str] = ()) -> AsyncGenerator[str]:
        """Yield runs as lines of JSON, one for each event, which `import_runs` of another store takes.

        Args:
            run_ids: which, in any form that `state` takes; none: all, oldest first.

        Raises:
            InputError: no such run, or several.
            RunError: the store cannot be read.
        """
        store = await self.opened_store()
        whole = [await self._full_id(run_id) for run_id in run_ids] or await store.all_ids()
        for run_id in whole:
            for line in await store.transfer.export(run_id):
                yield line

    async def import_runs(self, lines: Sequence[str]) -> Imported:
        """Take in exported runs, each as a whole or not at all.

        Raises:
            InputError: a line is no exported event, a run has gaps, or is here with other events.
            RunError: the store cannot be written.
        """
        return await (await self.opened_store()).transfer.take_in(lines)

    async def prune(self, before: datetime, *, keep: int = 0, remove: bool = True) -> Removable:
        """Remove runs with their candidates' files, and kept answers of models.

        Args:
            before: what was begun earlier goes, but for runs that may still be under way.
            keep: how many of the newest runs stay whatever their age.
            remove: False: only say what would go.

        Returns:
            What was, or would be, removed.

        Raises:
            RunError: the store cannot be read or written.
        """
        transfer = (await self.opened_store()).transfer
        found = await transfer.removable(before, keep=keep)
        if remove:
            await transfer.remove(found, before)
        return found

    async def _full_id(self, run_id: str) -> str:
        def folder() -> str:
            return str(self.root.resolve())

        return await (await self.opened_store()).full_id(run_id, await anyio.to_thread.run_sync(folder))

    async def _engine(self, target: Target) -> tuple[Engine, Settings]:
        """Return what runs a target, with the settings and variants of its workspace."""

        def prepare() -> tuple[Engine, Settings]:
            settings = self.settings_of(target)
            engine = Engine(
                settings,
                self.store,
                variants=self.variants_of(target),
                environ=self.environ,
                editor_model=self.editor_model,
            )
            return engine, settings

        return await anyio.to_thread.run_sync(prepare)


async def finished(
    made: AbstractAsyncContextManager[RunStream],
    on_event: OnEvent | None,
    show: Callable[[RunState], None] = lambda _: None,
) -> Run:
    """Return what a run comes to.

    Args:
        made: starts it.
        on_event: gets every event as it comes.
        show: gets what is known by then, before that.

    Raises:
        CodeensError: why it did not come to a result.
        SandboxError: the sandbox failed.
    """
    result: Run | None = None
    async with made as stream:
        async for event in stream:
            show(stream.state)
            if on_event is not None:
                on_event(event)
            if isinstance(event, RunFinished):
                result = Run(event.run)
    if result is None:
        message = "the run was ended before it came to a result."
        raise RunError(message, code="no_result", hint=Hint("runs"))
    return result
