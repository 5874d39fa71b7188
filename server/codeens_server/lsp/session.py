"""One editor's session: what it answers, and the end of everything that it began.

What is asked about a document is answered at once from what is known; only commands wait.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, cast
from typing import Protocol as TypingProtocol

from anyio.abc import TaskGroup
from lsprotocol import types
from pygls.lsp.server import LanguageServer

from codeens_server.lsp.client import Client
from codeens_server.lsp.configuration import Configuration
from codeens_server.lsp.names import COMMANDS, KINDS
from codeens_server.lsp.protocol import Protocol
from codeens_server.lsp.refusals import Refusal

if TYPE_CHECKING:
    from codeens_server.lsp.desk import Desk

VERSION = "0.1.0"
"""Of the distribution. Its metadata takes as long to read as a twentieth of all that an editor waits for."""

_PYTHON_CELLS = types.NotebookDocumentSyncOptions(
    notebook_selector=[types.NotebookDocumentFilterWithCells(cells=[types.NotebookCellLanguage(language="python")])]
)


class _Registry(TypingProtocol):
    """How handlers are given to pygls, with types."""

    def feature(self, feature_name: str, options: object = None) -> Callable[[Callable[..., Any]], object]: ...

    def command(self, command_name: str) -> Callable[[Callable[..., Any]], object]: ...


class Session:
    """The session of one connection."""

    def __init__(self, tasks: TaskGroup, token: str | None) -> None:
        """`token`: what the client must know to be served; None: nothing."""
        self._tasks = tasks
        self._token = token
        server = LanguageServer("codeens-server", VERSION, notebook_document_sync=_PYTHON_CELLS, protocol_cls=Protocol)
        self.protocol = cast("Protocol", server.protocol)
        self._client = Client(self.protocol)
        self._configuration = Configuration(self._client)
        self.protocol.ending = self.end
        self._server = server
        self._register(cast("_Registry", server))

    @property
    def client_pid(self) -> int | None:
        """The process of the client, where it said so."""
        return self._server.process_id

    async def end(self) -> None:
        """End all runs; nothing of them is left when this returns."""
        if self.protocol.is_initialized:
            await self._desk.runs.end_all()

    @cached_property
    def _desk(self) -> Desk:
        from codeens_server.lsp import desk

        return desk.Desk(self._tasks, self._client, self.protocol.documents(), self._configuration)

    def _register(self, server: _Registry) -> None:
        handlers: dict[str, Callable[..., Any]] = {
            types.INITIALIZE: self._initialize,
            types.TEXT_DOCUMENT_DID_OPEN: self._touched,
            types.TEXT_DOCUMENT_DID_CHANGE: self._touched,
            types.TEXT_DOCUMENT_DID_CLOSE: self._closed,
            types.WORKSPACE_DID_CHANGE_CONFIGURATION: self._configured,
            types.WINDOW_WORK_DONE_PROGRESS_CANCEL: self._progress_cancelled,
            types.TEXT_DOCUMENT_CODE_ACTION: self._code_actions,
            types.CODE_ACTION_RESOLVE: self._resolve,
            types.TEXT_DOCUMENT_CODE_LENS: self._code_lenses,
            types.TEXT_DOCUMENT_HOVER: self._hover,
        }
        actions = types.CodeActionOptions(code_action_kinds=list(KINDS), resolve_provider=True)
        # pygls writes on what it is given, which a method does not bear and a partial does.
        for name, handler in handlers.items():
            server.feature(name, actions if name == types.TEXT_DOCUMENT_CODE_ACTION else None)(partial(handler))
        for name in COMMANDS:
            server.command(name)(partial(self._execute))

    def _code_actions(self, params: types.CodeActionParams) -> list[types.CodeAction]:
        return self._desk.code_actions(params)

    async def _resolve(self, action: types.CodeAction) -> types.CodeAction:
        return await self._desk.resolve(action)

    def _code_lenses(self, params: types.CodeLensParams) -> list[types.CodeLens]:
        return self._desk.code_lenses(params)

    def _hover(self, params: types.HoverParams) -> types.Hover | None:
        return self._desk.hover(params)

    async def _execute(self, params: types.ExecuteCommandParams) -> Any:
        return await self._desk.commands[params.command](params)

    def _initialize(self, params: types.InitializeParams) -> None:
        self._configuration.take_options(params.initialization_options)
        if self._token is not None and not _is_same(self._configuration.options.token, self._token):
            message = "this server asks for a token: initializationOptions.token must be what its --token-file holds."
            raise Refusal(types.ErrorCodes.InvalidParams, message)

    def _touched(self, params: types.DidOpenTextDocumentParams | types.DidChangeTextDocumentParams) -> None:
        self._desk.outlines.touch(params.text_document.uri)

    def _closed(self, params: types.DidCloseTextDocumentParams) -> None:
        self._desk.outlines.forget(params.text_document.uri)

    def _configured(self, params: types.DidChangeConfigurationParams) -> None:
        self._configuration.take_pushed(params.settings)

    def _progress_cancelled(self, params: types.WorkDoneProgressCancelParams) -> None:
        self._desk.runs.cancel_by_token(params.token)


def _is_same(given: str, token: str) -> bool:
    """Whether two texts are the same, in a time that does not say where they begin to differ."""
    import hmac

    return hmac.compare_digest(given.encode(), token.encode())
