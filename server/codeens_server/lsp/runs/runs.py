"""Start runs, follow them, and end them: each is a task of the session, and none outlives it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup
from lsprotocol import types

from codeens_server.crash_log import innermost
from codeens_server.errors import InputError, RunError
from codeens_server.lsp.documents.buffers import buffer_of, folder_of, target_in
from codeens_server.lsp.documents.documents import Documents
from codeens_server.lsp.runs.messages import RunArguments, RunChanged, written
from codeens_server.lsp.runs.records import RunRecord, RunRecords
from codeens_server.lsp.transport.client import Client, NoAnswer
from codeens_server.lsp.transport.configuration import Configuration
from codeens_server.lsp.transport.names import RUN_CHANGED
from codeens_server.text import money, one_line

if TYPE_CHECKING:
    from codeens import Session
    from codeens_server.run.engine import RunStream
    from codeens_server.views.model import ProgressView

ProgressToken = str | int
_CREATED_WITHIN_S = 3.0
_ENDED_WITHIN_S = 10.0
_SHOWN_EVERY_S = 0.1
"""Between two views of a run that are sent; a person sees no difference."""
_REFRESHED_EVERY_S = 0.5
_TOLD_EVERY_S = 1.0
"""How long a run has been under way, where nothing else changes."""
_AT_ONCE = 1
"""Two runs would disturb each other's measurements; the others wait."""


class RunTasks:
    """The runs of a session, each a task."""

    def __init__(
        self,
        tasks: TaskGroup,
        client: Client,
        documents: Documents,
        configuration: Configuration,
        records: RunRecords,
    ) -> None:
        self._tasks = tasks
        self._client = client
        self._documents = documents
        self._configuration = configuration
        self._records = records
        self._bars: dict[ProgressToken, RunRecord] = {}
        self._turn = anyio.Semaphore(_AT_ONCE)
        self._arriving: set[tuple[str, int]] = set()
        """Where runs are asked for whose settings are not known yet: the first that came is the one that begins."""
        self._patience_s = _ENDED_WITHIN_S

    async def start(self, arguments: RunArguments, line: int, token: ProgressToken | None) -> RunRecord:
        """Start a run of the function around a line, and return when it has begun.

        Raises:
            InputError: the request is wrong, or the workspace is not trusted; nothing was written.
            SandboxError: the sandbox asked for cannot isolate here.
        """
        self.check_trust()
        place = arguments.uri, line
        if place in self._arriving:
            raise _under_way(arguments.function or f"the function at line {line + 1}")
        self._arriving.add(place)
        try:
            record = await self._record(arguments, line)
        finally:
            self._arriving.discard(place)
        busy = self._records.of_function(record.uri, record.qualname)
        if busy is not None and busy.is_under_way:
            raise _under_way(record.qualname)
        if busy is not None and busy.document is not None:
            record.before_s = busy.document.summary.wall_s
        await self._follow(record, token, rejudge=None)
        return record

    async def rejudge(self, record: RunRecord, token: ProgressToken | None) -> None:
        """Judge a run's candidates again, by the inputs pinned since; see `start`."""
        await self._follow(record.again(), token, rejudge=record.run_id)

    def check_trust(self) -> None:
        """Refuse to run code of a workspace that the user does not trust.

        Raises:
            InputError: the workspace is not trusted.
        """
        self._configuration.check_trust()

    def cancel_by_token(self, token: object) -> None:
        """End the run whose progress the user cancelled."""
        if isinstance(token, (int, str)) and token in self._bars:
            self._bars[token].cancel()

    async def end_all(self) -> None:
        """End all runs at once, and return when nothing of them is left; a second call waits for nothing more."""
        patience, self._patience_s = self._patience_s, 0.0
        with anyio.move_on_after(patience):
            for record in self._records.under_way():
                record.scope.cancel()
            for record in self._records.under_way():
                await record.ended.wait()

    @asynccontextmanager
    async def session(self, record: RunRecord) -> AsyncGenerator[Session]:
        """Open what a run needs, by the settings that it was started with."""
        # The library takes half a second to import, on a busy machine many, for which the end does not wait.
        await anyio.to_thread.run_sync(import_module, "codeens._session", abandon_on_cancel=True)
        from codeens import Session
        from codeens_server.lsp.runs.editor_model import ClientModel

        async with Session(
            record.target.root,
            settings=record.settings,
            trusted=self._configuration.is_trusted,
            editor_model=ClientModel(self._client) if self._client.generates else None,
        ) as session:
            yield session

    async def _record(self, arguments: RunArguments, line: int) -> RunRecord:
        buffer = buffer_of(self._documents, arguments.uri)
        target = await anyio.to_thread.run_sync(target_in, buffer, line)
        folder = folder_of(self._documents, arguments.uri)
        loaded = await self._configuration.load(Path(target.root), folder)
        for sentence in loaded.ignored:
            self._client.say(one_line(sentence), types.MessageType.Warning)
        return RunRecord(buffer, target, arguments, loaded.settings)

    async def _follow(self, record: RunRecord, token: ProgressToken | None, rejudge: str | None) -> None:
        """Make a run a task; return when it has begun, or, with a token of the client, when it ended."""
        self._records.add(record)
        self._tasks.start_soon(self._drive, record, token, rejudge)
        try:
            await (record.begun if token is None else record.ended).wait()
        except anyio.get_cancelled_exc_class():
            record.cancel()
            raise
        if record.failure is not None:
            if not record.shown_id:
                self._records.drop(record)
            raise record.failure

    async def _drive(self, record: RunRecord, token: ProgressToken | None, rejudge: str | None) -> None:
        bar = ProgressBar(self._client, token)
        self._bars[bar.token] = record
        try:
            with record.scope:
                await bar.begin(f"codeens: {record.qualname}")
                if self._turn.value == 0:
                    record.wait()
                    self._show(record, bar)
                    self._client.refresh_lenses()
                async with (
                    self._turn,
                    self.session(record) as session,
                    _opened(session, record, rejudge) as stream,
                ):
                    await self._consume(record, stream, bar)
            if record.state is None or record.state.document is None:
                message = f"the run of {record.qualname} was cancelled; nothing was kept."
                record.fail(RunError(message, code="cancelled"))
        except Exception as error:  # noqa: BLE001
            # Reported to who waits for the run, or shown; a run that fails does not end the session.
            record.fail(innermost(error))
        finally:
            del self._bars[bar.token]
            record.end()
            bar.end(_outcome(record))
            self._announce(record, is_awaited=token is not None)
            if record.waiting_id and not record.run_id:
                self._records.drop(record)

    async def _consume(self, record: RunRecord, stream: RunStream, bar: ProgressBar) -> None:
        """Follow the events to the end; the client is shown what they led to, at most every tenth of a second."""
        record.begin(stream.state, stream.stop)
        self._show(record, bar)
        changed = anyio.Event()

        async def show() -> None:
            nonlocal changed
            refreshed = anyio.current_time()
            while True:
                await changed.wait()
                changed = anyio.Event()
                self._show(record, bar)
                if anyio.current_time() - refreshed > _REFRESHED_EVERY_S:
                    refreshed = anyio.current_time()
                    self._client.refresh_lenses()
                await anyio.sleep(_SHOWN_EVERY_S)

        async def tick() -> None:
            while True:
                await anyio.sleep(_TOLD_EVERY_S)
                changed.set()

        async with anyio.create_task_group() as showing:
            showing.start_soon(show)
            showing.start_soon(tick)
            async for _ in stream:
                changed.set()
            showing.cancel_scope.cancel()
        if record.view is not None:
            bar.report(record.view.progress, record.time)

    def _show(self, record: RunRecord, bar: ProgressBar | None = None) -> None:
        view = record.view
        if view is None:
            return
        if bar is not None:
            bar.report(view.progress, record.time)
        if self._client.follows_runs:
            news = RunChanged(
                uri=record.uri,
                view=view,
                spent=money(self._records.cost_usd),
                time=record.time,
                replaces=record.waiting_id if record.run_id else "",
            )
            self._client.notify(RUN_CHANGED, written(news))

    def _announce(self, record: RunRecord, *, is_awaited: bool) -> None:
        self._client.refresh_lenses()
        self._show(record)
        has_failed = record.failure is not None
        is_told = (is_awaited or not record.shown_id) if has_failed else self._client.has_views
        if is_told or (self._client.has_views and self._client.follows_runs):
            return
        kind = types.MessageType.Error if has_failed else types.MessageType.Info
        self._client.say(f"codeens: {record.qualname}: {_outcome(record)}", kind)


def _under_way(name: str) -> InputError:
    return InputError(f"a run of {name} is under way; cancel it first.", code="run_under_way")


def _opened(session: Session, record: RunRecord, rejudge: str | None) -> AbstractAsyncContextManager[RunStream]:
    if rejudge is not None:
        return session.stream_rejudge(rejudge)
    return session.stream(record.target, **record.arguments.options())


def _outcome(record: RunRecord) -> str:
    return record.why or (record.view.headline if record.document and record.view else "cancelled")


class ProgressBar:
    """The work-done progress of one run, with its button to cancel, where the client shows progress."""

    def __init__(self, client: Client, token: ProgressToken | None) -> None:
        """Prepare it; a `token` that the client gave with its request needs no permission to be used."""
        self._client = client
        self._is_given = token is not None
        self.token: ProgressToken = uuid4().hex if token is None else token
        self._is_open = False

    async def begin(self, title: str) -> None:
        """Show it."""
        if not self._is_given:
            if not self._client.shows_progress:
                return
            try:
                params = types.WorkDoneProgressCreateParams(token=self.token)
                await self._client.ask(types.WINDOW_WORK_DONE_PROGRESS_CREATE, params, _CREATED_WITHIN_S)
            except NoAnswer:
                return
        self._is_open = True
        self._send(types.WorkDoneProgressBegin(title=title, cancellable=True, message="starting", percentage=0))

    def report(self, progress: ProgressView, time: str) -> None:
        """Show how far it is, and for how long."""
        done = min(99, 100 * progress.executed // progress.planned) if progress.planned else 0
        self._send(
            types.WorkDoneProgressReport(
                cancellable=True, message=" · ".join(filter(None, (progress.text, time))), percentage=done
            )
        )

    def end(self, message: str) -> None:
        """Close it."""
        self._send(types.WorkDoneProgressEnd(message=message))
        self._is_open = False

    def _send(
        self, value: types.WorkDoneProgressBegin | types.WorkDoneProgressReport | types.WorkDoneProgressEnd
    ) -> None:
        if self._is_open:
            self._client.notify(types.PROGRESS, types.ProgressParams(token=self.token, value=value))
