"""Runs by their id: those of the session, and those that the store has from before, or from the command line."""

from __future__ import annotations

from pathlib import Path

import anyio.to_thread

from codeens_server.domain import Target
from codeens_server.errors import TargetError
from codeens_server.lsp.documents.buffers import Buffer, buffer_of, first_folder, target_in
from codeens_server.lsp.documents.documents import Document, Documents
from codeens_server.lsp.documents.edits import unchanged
from codeens_server.lsp.documents.outline import Outlines
from codeens_server.lsp.runs.arguments import RunArguments
from codeens_server.lsp.runs.records import Record, Records
from codeens_server.lsp.transport.client import Client
from codeens_server.lsp.transport.configuration import Configuration
from codeens_server.run.request import RunRequest


class RunLookup:
    """Finds runs, and makes those of the store known to the session."""

    def __init__(
        self,
        client: Client,
        documents: Documents,
        outlines: Outlines,
        configuration: Configuration,
        records: Records,
    ) -> None:
        self._client = client
        self._documents = documents
        self._outlines = outlines
        self._configuration = configuration
        self._records = records

    async def record(self, run_id: str | None) -> Record:
        """A run by its id, which may be shortened to its beginning when it is from the store; None: the latest.

        Raises:
            InputError: there is no such run, or it did not come to an end.
            RunError: the store cannot be read.
        """
        if run_id is None or self._records.find(run_id) is not None:
            return self._records.get(run_id)
        from codeens_server.lsp.engine_room import finished_run

        loaded = await self._configuration.load(first_folder(self._documents) or Path.cwd(), None, {})
        stored, run = await finished_run(run_id, loaded.settings)
        buffer, target = await self._place(run.target)
        if known := self._records.find(run.run_id):
            return known
        arguments = _asked(buffer.uri, run.target, stored.request)
        record = Record.of_done(buffer, target, arguments, stored.request, loaded.settings, run)
        self._records.recall(record)
        self._client.refresh_lenses()
        return record

    async def _place(self, target: Target) -> tuple[Buffer, Target]:
        """The text that a run was about, as it is now, and the target in it, where it is still what was run."""
        path = Path(target.path)
        uri = path.as_uri()
        try:
            buffer = buffer_of(self._documents, uri)
        except TargetError:
            return Buffer(uri=uri, path=path, text=""), target
        document = self._documents.opened(uri) or Document(uri, buffer.text)
        function = unchanged(document, self._outlines.of(document), target)
        if function is None:
            return buffer, target
        return buffer, await anyio.to_thread.run_sync(target_in, buffer, function.def_line)


def _asked(uri: str, target: Target, request: RunRequest) -> RunArguments:
    """What would have an editor make the run."""
    return RunArguments(
        uri=uri,
        function=target.qualname,
        goal=request.goal,
        mode=request.mode,
        models=request.models,
        variants=request.variants,
        samples=request.samples,
        rounds=request.rounds,
        sandbox=request.sandbox,
        tests=request.tests,
        budget_usd=request.budget_usd,
        timeout_s=request.timeout_s,
    )
