"""Put a result into its document: the edit for it, or the refusal when the function is not what was run any more."""

from __future__ import annotations

from typing import NamedTuple

import anyio.to_thread
from lsprotocol import types

from codeens_server.domain.document import RankedResult
from codeens_server.errors import ChangedError, InputError
from codeens_server.lsp.documents.buffers import BYTE_ORDER_MARK, buffer_of, without_magics
from codeens_server.lsp.documents.documents import Document, Documents
from codeens_server.lsp.documents.edits import applied, text_edits, unchanged, workspace_edit
from codeens_server.lsp.documents.outline import Outlines
from codeens_server.lsp.runs.lookup import RunLookup
from codeens_server.lsp.runs.messages import RowArguments
from codeens_server.lsp.runs.records import RunRecord
from codeens_server.lsp.transport.client import Client
from codeens_server.ranking.wording import label
from codeens_server.text import one_line


class CandidateEdit(NamedTuple):
    """A result, and the edit that puts it into its document."""

    record: RunRecord
    row: RankedResult
    edit: types.WorkspaceEdit


class CandidateEdits:
    """Makes the edits of a session's results."""

    def __init__(self, client: Client, documents: Documents, outlines: Outlines, lookup: RunLookup) -> None:
        self._client = client
        self._documents = documents
        self._outlines = outlines
        self._lookup = lookup

    async def of(self, asked: RowArguments) -> CandidateEdit:
        """Return the edit for a result, in the document as it is now.

        Raises:
            InputError: there is no such result, or it is the original, or one is applied already.
            ChangedError: the function was changed since the run.
            ConflictError: its imports or helpers would rebind a name of the module.
        """
        record = await self._lookup.record(asked.run_id)
        row = record.row(asked.candidate)
        document = self._documents.opened(record.uri) or self._closed(record.uri)
        outline = self._outlines.of(document)
        function = unchanged(document, outline, record.target)
        if function is None and (there := applied(document, outline, record.finished())):
            message = f"{one_line(label(there.candidate))} is applied already. Undo that to apply another."
            raise InputError(message, code="applied_already")
        if function is None:
            message = (
                f"{record.qualname} was changed since the run {record.run_id}; nothing was applied. "
                "Run again on the function as it is now."
            )
            raise ChangedError(message)
        is_cell = self._documents.get_notebook_document(cell_uri=record.uri) is not None
        text = document.source.removeprefix(BYTE_ORDER_MARK)
        edits = await anyio.to_thread.run_sync(
            text_edits,
            document,
            without_magics(text) if is_cell else text,
            function,
            record.target,
            row.candidate.replacement,
        )
        edit = workspace_edit(document, edits, versioned=self._client.takes_versioned_edits)
        return CandidateEdit(record, row, edit)

    def _closed(self, uri: str) -> Document:
        """Read a document that the editor has closed meanwhile from its file."""
        return Document(uri, buffer_of(self._documents, uri).text)
