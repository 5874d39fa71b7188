"""`codeens.pinInputAsTest`: what is right on an input is decided, written as a test, and all candidates held to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
from lsprotocol import types

from codeens_server.domain import Case, RunDocument
from codeens_server.errors import InputError
from codeens_server.lsp.arguments import PinArguments, read
from codeens_server.lsp.client import Client
from codeens_server.lsp.documents import Document, Documents
from codeens_server.lsp.pinned_tests import appended, file_of_test, free_number, source_of_test
from codeens_server.lsp.recalling import Recalling
from codeens_server.lsp.runs import Runs
from codeens_server.workspace.text import read_source


class PinInput:
    """The command."""

    def __init__(self, client: Client, documents: Documents, recalling: Recalling, runs: Runs) -> None:
        self._client = client
        self._documents = documents
        self._recalling = recalling
        self._runs = runs

    async def execute(self, params: types.ExecuteCommandParams) -> dict[str, Any]:
        """Decide, write the test, and judge all candidates again. Answered when the test is written."""
        asked = read(params, PinArguments)
        self._runs.check_trust()
        record = await self._recalling.record(asked.run_id)
        run = record.finished()
        from codeens_server.lsp.engine_room import pin_input

        case = await pin_input(run, asked.number, asked.right, settings=record.settings)
        path, test = await self._write(run, case)
        again = record.again()
        await self._runs.follow(again, params.work_done_token, judge_again=record.run_id)
        return {"runId": record.run_id, "uri": path.as_uri(), "test": test}

    async def _write(self, run: RunDocument, case: Case) -> tuple[Path, str]:
        path = file_of_test(run)
        opened = self._documents.opened(path.as_uri())
        exists = opened is not None or await anyio.Path(path).is_file()
        document = opened or Document(path.as_uri(), read_source(path).text if exists else "")
        number = free_number(document.source, run.target.qualname)
        imports, function = source_of_test(case, run.target, number)
        text = appended(document.source, imports, function)
        edit = _edit(document, text, exists=exists, client=self._client)
        await self._client.make_edit(edit, "codeens: keep input as test")
        return path, text


def _edit(document: Document, added: str, *, exists: bool, client: Client) -> types.WorkspaceEdit:
    """The test at the end of a file; the file is made by the same edit, where the client can make files."""
    last = len(document.lines) - 1
    end = types.Position(line=last, character=document.units(last, len(document.lines[last])))
    edits = [types.TextEdit(range=types.Range(start=end, end=end), new_text=added)]
    if not exists and not client.creates_files:
        raise InputError(f"this editor cannot be asked to make the file {document.uri}; make an empty one first.")
    if not client.takes_versioned_edits:
        return types.WorkspaceEdit(changes={document.uri: edits})
    identifier = types.OptionalVersionedTextDocumentIdentifier(uri=document.uri, version=document.version)
    edit = types.TextDocumentEdit(text_document=identifier, edits=edits)
    made = [] if exists else [types.CreateFile(uri=document.uri)]
    return types.WorkspaceEdit(document_changes=[*made, edit])
