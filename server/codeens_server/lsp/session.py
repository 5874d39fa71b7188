"""One editor's session: what it answers, and the end of everything that it began.

What is asked about a document is answered at once from what is known; only commands wait.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Protocol, cast

from anyio.abc import TaskGroup
from lsprotocol import types
from pygls.lsp.server import LanguageServer

from codeens_server.lsp.transport.client import Client
from codeens_server.lsp.transport.configuration import Configuration
from codeens_server.lsp.transport.errors import ErrorReply
from codeens_server.lsp.transport.names import COMMANDS, KINDS
from codeens_server.lsp.transport.protocol import ServerProtocol

if TYPE_CHECKING:
    from codeens_server.lsp.handlers import Handlers

VERSION = "0.1.0"
"""Of the distribution. Its metadata takes as long to read as a twentieth of all that an editor waits for."""

_PYTHON_CELLS = types.NotebookDocumentSyncOptions(
    notebook_selector=[types.NotebookDocumentFilterWithCells(cells=[types.NotebookCellLanguage(language="python")])]
)


class _Registry(Protocol):
    """How handlers are given to pygls, with types."""

    def feature(self, feature_name: str, options: object = None) -> Callable[[Callable[..., Any]], object]: ...

    def command(self, command_name: str) -> Callable[[Callable[..., Any]], object]: ...


class EditorSession:
    """The session of one connection."""

    def __init__(self, tasks: TaskGroup, token: str | None) -> None:
        """`token`: what the client must know to be served; None: nothing."""
        self._tasks = tasks
        self._token = token
        server = LanguageServer(
            "codeens-server", VERSION, notebook_document_sync=_PYTHON_CELLS, protocol_cls=ServerProtocol
        )
        self.protocol = cast("ServerProtocol", server.protocol)
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
            await self._handlers.runs.end_all()

    @cached_property
    def _handlers(self) -> Handlers:
        # Not at the top: what it imports is not needed for the first answer.
        from codeens_server.lsp import handlers

        return handlers.Handlers(self._tasks, self._client, self.protocol.documents(), self._configuration)

    def _register(self, server: _Registry) -> None:
        handlers: dict[str, Callable[..., Any]] = {
            types.INITIALIZE: self._initialize,
            types.TEXT_DOCUMENT_DID_OPEN: self._opened,
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

    def _code_actions(self, params: types.CodeActionParams) -> Sequence[types.CodeAction | types.Command]:
        return self._handlers.code_actions(params)

    async def _resolve(self, action: types.CodeAction) -> types.CodeAction:
        return await self._handlers.resolve(action)

    def _code_lenses(self, params: types.CodeLensParams) -> list[types.CodeLens]:
        return self._handlers.code_lenses(params)

    def _hover(self, params: types.HoverParams) -> types.Hover | None:
        return self._handlers.hover(params)

    async def _execute(self, params: types.ExecuteCommandParams) -> Any:
        return await self._handlers.commands[params.command](params)

    def _initialize(self, params: types.InitializeParams) -> None:
        self._configuration.take_options(params.initialization_options)
        if self._token is not None and not _is_same(self._configuration.options.token, self._token):
            message = "this server asks for a token: initializationOptions.token must be what its --token-file holds."
            raise ErrorReply(types.ErrorCodes.InvalidParams, message)

    def _opened(self, params: types.DidOpenTextDocumentParams) -> None:
        self._handlers.opened(params.text_document.uri)

    def _touched(self, params: types.DidChangeTextDocumentParams) -> None:
        self._handlers.outlines.touch(params.text_document.uri)

    def _closed(self, params: types.DidCloseTextDocumentParams) -> None:
        self._handlers.outlines.forget(params.text_document.uri)

    def _configured(self, params: types.DidChangeConfigurationParams) -> None:
        had_lenses = self._configuration.has_lens_before_run
        self._configuration.take_pushed(params.settings)
        if had_lenses != self._configuration.has_lens_before_run:
            self._client.refresh_lenses()

    def _progress_cancelled(self, params: types.WorkDoneProgressCancelParams) -> None:
        self._handlers.runs.cancel_by_token(params.token)


def _is_same(given: str, token: str) -> bool:
    """Compare two texts in a time that does not depend on where they differ."""
    import hmac

    return hmac.compare_digest(given.encode(), token.encode())
