"""What `workspace/executeCommand` does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio.to_thread
import msgspec
from lsprotocol import types
from msgspec.structs import replace

from codeens_server.domain import ORIGINAL
from codeens_server.errors import ChangedError, InputError, TargetError
from codeens_server.lsp import names
from codeens_server.lsp.applying import Applying
from codeens_server.lsp.arguments import RerunArguments, RowArguments, RunArguments, RunId, read
from codeens_server.lsp.client import Client
from codeens_server.lsp.documents import Documents
from codeens_server.lsp.markdown import report
from codeens_server.lsp.outlines import Outlines
from codeens_server.lsp.pin_input import PinInput
from codeens_server.lsp.recalling import Recalling
from codeens_server.lsp.records import Record, Records
from codeens_server.lsp.reranking import Reranking
from codeens_server.lsp.runs import Runs
from codeens_server.ranking.wording import label
from codeens_server.text import one_line
from codeens_server.workspace.edit import splice, unified_diff
from codeens_server.workspace.text import snapshot

Command = Callable[[types.ExecuteCommandParams], Awaitable[Any]]


class Commands:
    """The commands of a session."""

    def __init__(
        self,
        client: Client,
        documents: Documents,
        outlines: Outlines,
        records: Records,
        runs: Runs,
        recalling: Recalling,
        applying: Applying,
    ) -> None:
        self._client = client
        self._documents = documents
        self._outlines = outlines
        self._records = records
        self._runs = runs
        self._recalling = recalling
        self._applying = applying

    def by_name(self) -> dict[str, Command]:
        """All of them."""
        pin_input = PinInput(self._client, self._documents, self._recalling, self._runs)
        return {
            names.RUN: self.run,
            names.RERUN: self.rerun,
            names.CANCEL: self.cancel,
            names.APPLY: self.apply,
            names.DIFF: self.diff,
            names.SHOW_RUN: self.show_run,
            names.KEEP_INPUT: pin_input.execute,
            names.RERANK: Reranking(self._recalling).execute,
        }

    async def run(self, params: types.ExecuteCommandParams) -> dict[str, Any]:
        """Start a run. Answered when it has begun; with a work-done token, when it ended."""
        return await self._started(read(params, RunArguments), params)

    async def rerun(self, params: types.ExecuteCommandParams) -> dict[str, Any]:
        """Start a run once more, on the function as it is now."""
        asked = read(params, RerunArguments)
        record = await self._recalling.record(asked.run_id)
        again = replace(record.arguments, function=record.qualname, line=None, fresh=asked.fresh)
        return await self._started(again, params)

    async def cancel(self, params: types.ExecuteCommandParams) -> None:
        """End a run at once, and keep what it found; without an id, all that are under way."""
        run_id = read(params, RunId).run_id
        for record in self._records.under_way() if run_id is None else [self._records.get(run_id)]:
            record.cancel()

    async def apply(self, params: types.ExecuteCommandParams) -> dict[str, Any]:
        """Have the client put a result into its document."""
        record, row, edit = await self._applying.of(read(params, RowArguments))
        await self._client.make_edit(edit, f"codeens: {one_line(label(row.candidate))} for {record.qualname}")
        return {"runId": record.run_id, "candidate": row.candidate.id}

    async def diff(self, params: types.ExecuteCommandParams) -> dict[str, Any]:
        """The change of a result: as a diff, and as the texts before and after; shown where the client has no view."""
        asked = read(params, RowArguments)
        record = await self._recalling.record(asked.run_id)
        row = record.row(asked.candidate)
        new = row.candidate.replacement
        before = snapshot(record.target).text
        diff = await anyio.to_thread.run_sync(unified_diff, record.target, new)
        after = await anyio.to_thread.run_sync(splice, before, record.target, new)
        await self._show(record, f"{row.candidate.id}.diff", diff)
        return {
            "runId": record.run_id,
            "candidate": row.candidate.id,
            "uri": record.uri,
            "diff": diff,
            "before": before,
            "after": after,
        }

    async def show_run(self, params: types.ExecuteCommandParams) -> dict[str, Any]:
        """A run's document and its report; the report is shown where the client has no view."""
        record = await self._recalling.record(read(params, RunId).run_id)
        run = record.finished()
        text = report(run, await anyio.to_thread.run_sync(_best_change, record))
        await self._show(record, "report.md", text)
        return {"uri": record.uri, "run": msgspec.to_builtins(run), "report": text}

    async def _started(self, arguments: RunArguments, params: types.ExecuteCommandParams) -> dict[str, Any]:
        record = await self._runs.start(arguments, self._line(arguments), params.work_done_token)
        return {
            "runId": record.run_id,
            "headline": record.run.headline if record.run else None,
            "best": record.run.best if record.run else None,
        }

    def _line(self, arguments: RunArguments) -> int:
        if arguments.function is None:
            if arguments.line is None:
                raise InputError("say what is to be run: its function or a line of it.")
            return arguments.line
        document = self._documents.opened(arguments.uri)
        if document is None:
            raise InputError(f"{arguments.uri} is not open in the editor; name a line.")
        found = self._outlines.of(document).named(arguments.function)
        if not found:
            raise InputError(f"there is no function {arguments.function} any more.")
        return next((function for function in reversed(found) if not function.refusal), found[-1]).def_line

    async def _show(self, record: Record, name: str, text: str) -> None:
        if self._client.has_views or not self._client.shows_documents:
            return
        from codeens_server.lsp.engine_room import write_artifact

        path = await anyio.to_thread.run_sync(write_artifact, record.settings, record.run_id, name, text)
        await self._client.show(path.as_uri())


def _best_change(record: Record) -> str:
    """The diff of the best; empty when the original stays, or when a run of old has lost its file."""
    if record.finished().best == ORIGINAL:
        return ""
    try:
        return unified_diff(record.target, record.row(None).candidate.replacement)
    except (ChangedError, TargetError):
        return ""
