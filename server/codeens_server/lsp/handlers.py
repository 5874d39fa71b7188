"""Answer what an editor asks of its documents: at once, from what is known already."""

from __future__ import annotations

from collections.abc import Sequence

from anyio.abc import TaskGroup
from lsprotocol import types

from codeens_sandbox_backends.errors import SandboxError
from codeens_server.errors import CodeensError
from codeens_server.lsp.documents.buffers import file_of
from codeens_server.lsp.documents.documents import Document, Documents
from codeens_server.lsp.documents.outline import Function, Outlines
from codeens_server.lsp.features.actions import ActionRequest, actions
from codeens_server.lsp.features.apply import CandidateEdits
from codeens_server.lsp.features.commands import Commands
from codeens_server.lsp.features.lenses import lenses
from codeens_server.lsp.features.markdown import hover_text
from codeens_server.lsp.runs.lookup import RunLookup
from codeens_server.lsp.runs.messages import RowArguments, command
from codeens_server.lsp.runs.records import RunRecords
from codeens_server.lsp.runs.runs import RunTasks
from codeens_server.lsp.transport.client import Client
from codeens_server.lsp.transport.configuration import Configuration
from codeens_server.lsp.transport.errors import converted
from codeens_server.lsp.transport.names import APPLIED
from codeens_server.text import one_line


class Handlers:
    """What a session works with, joined."""

    def __init__(self, tasks: TaskGroup, client: Client, documents: Documents, configuration: Configuration) -> None:
        self._client = client
        self._documents = documents
        self._configuration = configuration
        self._records = RunRecords()
        self.outlines = Outlines(documents)
        self.runs = RunTasks(tasks, client, documents, configuration, self._records)
        self._tasks = tasks
        self._lookup = lookup = RunLookup(client, documents, self.outlines, configuration, self._records)
        self._edits = CandidateEdits(client, documents, self.outlines, lookup)
        commands = Commands(
            client, documents, self.outlines, self._records, self.runs, lookup, self._edits, configuration
        )
        self.commands = commands.by_name()
        tasks.start_soon(self.outlines.read_ahead)

    def opened(self, uri: str) -> None:
        """Begin to read a document, and look for what earlier sessions found about its functions."""
        self.outlines.touch(uri)
        if self._python(uri) is not None and file_of(uri) is not None:
            self._tasks.start_soon(self._remember, uri)

    async def _remember(self, uri: str) -> None:
        try:
            await self._lookup.remember(uri)
        except (CodeensError, SandboxError) as error:
            # Nobody asked for it: it is told where somebody does.
            self._client.log(f"earlier runs of {uri} are not known: {one_line(str(error))}")

    def code_actions(self, params: types.CodeActionParams) -> Sequence[types.CodeAction | types.Command]:
        """Return the actions for a place; to a client that knows no actions, the commands that they have."""
        document = self._python(params.text_document.uri)
        if document is None:
            return []
        records = self._records.of_document(document.uri)
        asked = ActionRequest(document, self.outlines.of(document), params.range.start.line, params.context)
        found = actions(asked, self._client, records)
        return found if self._client.knows_actions else [action.command for action in found if action.command]

    async def resolve(self, action: types.CodeAction) -> types.CodeAction:
        """Return an action with its edit.

        Raises:
            ErrorReply: it is none of ours.
            InputError: what it would change is not what was run any more.
        """
        if action.data is not None:
            asked = converted(action.data, RowArguments)
            action.edit = (await self._edits.of(asked)).edit
            if self._client.has_views:
                # Carried out after the edit: where it stands then is marked.
                action.command = command(action.title, APPLIED, asked)
        return action

    def code_lenses(self, params: types.CodeLensParams) -> list[types.CodeLens]:
        """Return the lenses of a document."""
        document = self._python(params.text_document.uri)
        records = self._records.of_document(params.text_document.uri)
        before_run = self._configuration.has_lens_before_run and self._configuration.options.trusted is not False
        if document is None or not (records or before_run):
            return []
        return lenses(document, self.outlines.of(document), records, before_run=before_run)

    def hover(self, params: types.HoverParams) -> types.Hover | None:
        """Return the results of the function whose first line is pointed at."""
        document = self._python(params.text_document.uri)
        records = self._records.of_document(params.text_document.uri)
        if document is None or not records:
            return None
        function = self.outlines.of(document).at(params.position.line)
        if not isinstance(function, Function) or params.position.line > function.def_line:
            return None
        record = records.get(function.qualname)
        if record is None or record.view is None or record.view.status != "finished":
            return None
        kind = types.MarkupKind.Markdown if self._client.reads_markdown else types.MarkupKind.PlainText
        return types.Hover(contents=types.MarkupContent(kind=kind, value=hover_text(record.view)))

    def _python(self, uri: str) -> Document | None:
        document = self._documents.opened(uri)
        return document if document is not None and document.language_id in (None, "", "python") else None
