"""Starts runs, follows them, and ends them: each is a task of the session, and none outlives it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import anyio
import anyio.to_thread
import msgspec
from anyio.abc import TaskGroup
from lsprotocol import types

from codeens_server.errors import InputError, RunError
from codeens_server.lsp.arguments import RunArguments
from codeens_server.lsp.buffers import buffer_of, folder_of, target_in
from codeens_server.lsp.client import Client
from codeens_server.lsp.configuration import Configuration
from codeens_server.lsp.documents import Documents
from codeens_server.lsp.editor_model import ClientModel
from codeens_server.lsp.progress import ProgressBar, ProgressToken
from codeens_server.lsp.records import Record, Records
from codeens_server.lsp.refusals import refusal_for
from codeens_server.run.events import RunEvent
from codeens_server.run.request import RunOptions, resolve
from codeens_server.run.state import RunState
from codeens_server.text import one_line

EVENT = "codeens/event"
_ENDED_WITHIN_S = 10.0
_REFRESHED_EVERY_S = 0.5


class Runs:
    """The runs of a session."""

    def __init__(
        self,
        tasks: TaskGroup,
        client: Client,
        documents: Documents,
        configuration: Configuration,
        records: Records,
    ) -> None:
        self._tasks = tasks
        self._client = client
        self._documents = documents
        self._configuration = configuration
        self._records = records
        self._bars: dict[ProgressToken, Record] = {}

    async def start(self, arguments: RunArguments, line: int, token: ProgressToken | None) -> Record:
        """Start a run of the function around a line, and come back when it has begun.

        Raises:
            InputError: the request is wrong, or the workspace is not trusted; nothing was written.
            SandboxError: the sandbox asked for cannot isolate here.
        """
        self.check_trust()
        record = await self._record(arguments, line)
        busy = self._records.of_function(record.uri, record.qualname)
        if busy is not None and busy.is_under_way:
            raise InputError(f"a run of {record.qualname} is under way; cancel it first.")
        await self.follow(record, token)
        return record

    async def follow(self, record: Record, token: ProgressToken | None, judge_again: str | None = None) -> None:
        """Make a run a task of the session; come back when it has begun, or, with a token of the client, when it ended.

        Raises:
            InputError: see `start`.
            SandboxError: see `start`.
        """
        self._records.add(record)
        self._tasks.start_soon(self._drive, record, token, judge_again)
        try:
            await (record.begun if token is None else record.ended).wait()
        except anyio.get_cancelled_exc_class():
            record.cancel()
            raise
        if record.failure is not None:
            if not record.run_id:
                self._records.drop(record)
            raise record.failure

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
        """End all runs at once, and come back when nothing of them is left."""
        with anyio.move_on_after(_ENDED_WITHIN_S):
            for record in self._records.under_way():
                record.scope.cancel()
            for record in self._records.under_way():
                await record.ended.wait()

    async def _record(self, arguments: RunArguments, line: int) -> Record:
        buffer = buffer_of(self._documents, arguments.uri)
        target = await anyio.to_thread.run_sync(target_in, buffer, line)
        flags = {
            "goal": arguments.goal,
            "samples": arguments.samples,
            "sandbox": arguments.sandbox,
            "budget_usd": arguments.budget_usd,
            "timeout_s": arguments.timeout_s,
        }
        folder = folder_of(self._documents, arguments.uri)
        loaded = await self._configuration.load(Path(target.root), folder, flags)
        for sentence in loaded.ignored:
            self._client.say(one_line(sentence), types.MessageType.Warning)
        settings = loaded.settings
        options = RunOptions(
            mode=arguments.mode,
            models=arguments.models,
            variants=arguments.variants,
            rounds=arguments.rounds,
            tests=arguments.tests,
            fresh=arguments.fresh,
        )
        request = resolve(f"{target.path}:{target.line}", options, settings)
        return Record(buffer, target, arguments, request, settings)

    async def _drive(self, record: Record, token: ProgressToken | None, judge_again: str | None) -> None:
        bar = ProgressBar(self._client, token)
        self._bars[bar.token] = record
        try:
            with record.scope:
                await bar.begin(f"codeens: {record.qualname}")
                await self._run(record, bar, judge_again)
            if record.run is None:
                record.failure = RunError(f"the run of {record.qualname} was cancelled; nothing was kept.")
        except Exception as error:  # noqa: BLE001
            # Told to who waits for the run, or shown; a run that fails does not end the session.
            record.failure = error
        finally:
            del self._bars[bar.token]
            record.end()
            bar.end(_outcome(record))
            self._announce(record, is_awaited=token is not None)

    async def _run(self, record: Record, bar: ProgressBar, judge_again: str | None) -> None:
        # The engine takes half a second to import.
        await anyio.to_thread.run_sync(import_module, "codeens_server.lsp.engine_room")
        from codeens_server.lsp.engine_room import Job, run_job

        refreshed = anyio.current_time()

        def take(event: RunEvent, state: RunState) -> None:
            nonlocal refreshed
            record.take(state)
            bar.report(state)
            if self._client.wants_events:
                params = {"runId": record.run_id, "uri": record.uri, "event": msgspec.to_builtins(event)}
                self._client.notify(EVENT, params)
            if anyio.current_time() - refreshed > _REFRESHED_EVERY_S:
                refreshed = anyio.current_time()
                self._client.refresh_lenses()

        job = Job(
            settings=record.settings,
            request=record.request,
            target=record.target,
            trusted=self._configuration.is_trusted,
            judge_again=judge_again,
        )
        model = ClientModel(self._client) if self._client.generates else None
        await run_job(job, editor_model=model, at_start=record.set_stop, take=take)

    def _announce(self, record: Record, *, is_awaited: bool) -> None:
        self._client.refresh_lenses()
        has_failed = record.failure is not None
        if has_failed and record.run_id and self._client.wants_events:
            self._client.notify(EVENT, {"runId": record.run_id, "uri": record.uri, "failure": _outcome(record)})
        is_told = (is_awaited or not record.run_id) if has_failed else self._client.has_views
        if is_told or (self._client.has_views and self._client.wants_events):
            return
        kind = types.MessageType.Error if has_failed else types.MessageType.Info
        self._client.say(f"codeens: {record.qualname}: {_outcome(record)}", kind)


def _outcome(record: Record) -> str:
    if record.failure is not None:
        return one_line(str(refusal_for(record.failure)))
    return one_line(record.run.headline) if record.run else "cancelled"
