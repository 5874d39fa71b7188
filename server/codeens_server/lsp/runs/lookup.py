"""Find runs by their id: those of the session, and those that the store has from before, or from the command line."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread

from codeens_server.config.settings import Settings
from codeens_server.domain.target import Target
from codeens_server.errors import Hint, InputError, TargetError
from codeens_server.lsp.documents.buffers import Buffer, buffer_of, file_of, first_folder, target_in
from codeens_server.lsp.documents.documents import Document, Documents
from codeens_server.lsp.documents.edits import unchanged
from codeens_server.lsp.documents.outline import Outlines
from codeens_server.lsp.runs.messages import KnownRun, RunArguments
from codeens_server.lsp.runs.records import RunRecord, RunRecords
from codeens_server.lsp.transport.client import Client
from codeens_server.lsp.transport.configuration import Configuration
from codeens_server.run.request import RunRequest
from codeens_server.text import one_line

if TYPE_CHECKING:
    from codeens_server.run.state import RunState
    from codeens_server.store.rows import RunLine

_MOST_REMEMBERED = 50
_ASKED_BY_EDITORS = frozenset(RunArguments.__struct_fields__) & frozenset(RunRequest.__struct_fields__)


class RunLookup:
    """Finds runs, and makes those of the store known to the session."""

    def __init__(
        self,
        client: Client,
        documents: Documents,
        outlines: Outlines,
        configuration: Configuration,
        records: RunRecords,
    ) -> None:
        self._client = client
        self._documents = documents
        self._outlines = outlines
        self._configuration = configuration
        self._records = records

    async def record(self, run_id: str | None) -> RunRecord:
        """Return a run by its id, which may be shortened when it is from the store; None: the latest.

        Raises:
            InputError: there is no such run, or it did not come to an end.
            RunError: the store cannot be read.
        """
        if run_id is None or self._records.find(run_id) is not None:
            record = self._records.get(run_id)
            if record.is_recalled:
                self._records.recall(record, is_asked_for=True)
            return record
        return await self._from_store(run_id, is_asked_for=True)

    async def _from_store(self, run_id: str, *, is_asked_for: bool) -> RunRecord:
        # The library takes half a second to import.
        from codeens import Session

        root = first_folder(self._documents) or Path.cwd()
        loaded = await self._configuration.load(root, None)
        async with Session(root, settings=loaded.settings) as session:
            state = await session.state(run_id)
        return await self._recall(state, loaded.settings, is_asked_for=is_asked_for)

    async def lines(self, limit: int) -> list[KnownRun]:
        """Return the latest runs of the workspace that the store has, newest first; none where there is no store.

        Raises:
            RunError: the store cannot be read.
        """
        root = first_folder(self._documents) or Path.cwd()
        settings = (await self._configuration.load(root, None)).settings
        if not await anyio.to_thread.run_sync(_has_store, settings):
            return []
        return [_line(line, root) for line in await self._stored(root, settings, str(root), limit)]

    async def remember(self, uri: str) -> None:
        """Make the latest finished run of each function of a file known, where the session has none of it.

        Raises:
            CodeensError: settings or store cannot be read.
        """
        root = first_folder(self._documents) or Path.cwd()
        path = file_of(uri)
        settings = (await self._configuration.load(root, None)).settings
        if path is None or not await anyio.to_thread.run_sync(_has_store, settings):
            return
        latest: dict[str, RunLine] = {}
        for line in await self._stored(root, settings, f"{path}::", _MOST_REMEMBERED):
            if line.ended:
                latest.setdefault(line.target, line)
        for target, line in latest.items():
            if self._records.of_function(uri, target.partition("::")[2]) is None:
                await self._from_store(line.run_id, is_asked_for=False)

    async def _stored(self, root: Path, settings: Settings, within: str, limit: int) -> list[RunLine]:
        # The library takes half a second to import.
        await anyio.to_thread.run_sync(import_module, "codeens._session", abandon_on_cancel=True)
        from codeens import Session

        async with Session(root, settings=settings) as session:
            page = await (await session.opened_store()).statistics.runs(text=within, limit=limit)
        return [line for line in page.runs if line.target.startswith(within)]

    async def _recall(self, state: RunState, settings: Settings, *, is_asked_for: bool) -> RunRecord:
        if state.document is None:
            message = f"run {state.run_id} did not come to an end; it can be resumed."
            raise InputError(message, code="run_not_finished", hint=Hint("runs", state.run_id))
        buffer, target = await self._place(state.target)
        arguments = _asked(buffer.uri, target, state.request)
        known = self._records.find(state.run_id)
        record = known or RunRecord.recalled(buffer, target, arguments, settings, state)
        if known is None or (known.is_recalled and is_asked_for):
            self._records.recall(record, is_asked_for=is_asked_for)
        self._client.refresh_lenses()
        return record

    async def _place(self, target: Target) -> tuple[Buffer, Target]:
        """Return the text that a run was about as it is now, and the target in it if it is unchanged."""
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


def _has_store(settings: Settings) -> bool:
    """Return whether runs were ever kept: nobody waits for the library where there are none."""
    from codeens_server.store.opening import results_folder

    return bool(settings.database_url) or results_folder(settings).is_dir()


def _line(line: RunLine, root: Path) -> KnownRun:
    file, _, qualname = line.target.partition("::")
    path = Path(file)
    return KnownRun(
        run_id=line.run_id,
        function=one_line(qualname),
        file=one_line(path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name),
        time=line.created.isoformat(),
        goal=line.goal,
        result=one_line(line.headline) if line.ended else "did not come to an end",
        ended=line.ended,
    )


def _asked(uri: str, target: Target, request: RunRequest) -> RunArguments:
    """Return the arguments with which an editor would have started a run."""
    options = {name: getattr(request, name) for name in _ASKED_BY_EDITORS}
    return RunArguments(uri=uri, function=target.qualname, **options)
