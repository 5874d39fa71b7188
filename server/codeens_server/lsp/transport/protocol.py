"""JSON-RPC as LSP uses it: every message that is wrong gets an error reply, and none of them ends the server.

pygls knows the types and the capabilities. What comes in is taken apart here, since also what pygls would drop is
answered: broken JSON, wrong parameters, requests before `initialize` and after `shutdown`, uncalled-for answers.
"""

from __future__ import annotations

import contextvars
import json
from collections.abc import Awaitable, Callable, Generator, Mapping
from concurrent.futures import Future
from typing import Any, Protocol, cast
from uuid import uuid4

from cattrs import Converter
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, lsp_method

from codeens_server.lsp.documents.documents import Documents
from codeens_server.lsp.transport.errors import ErrorReply, error_reply, invalid_params, parse_error

MsgId = str | int

_ENDS = "the session ends"


class _Handlers(Protocol):
    """What is used of pygls' feature manager, with its types."""

    commands: Mapping[str, Callable[[types.ExecuteCommandParams], Awaitable[Any]]]
    builtin_features: dict[str, Callable[..., Any]]

    def add_builtin_feature(self, feature_name: str, func: Callable[..., Any]) -> None: ...


class ServerProtocol(LanguageServerProtocol):
    """The server's end of one connection."""

    def __init__(self, server: LanguageServer, converter: Converter) -> None:
        super().__init__(server, converter)
        self._asked: set[MsgId] = set()
        """Ids of requests that the client has not answered yet."""
        self.ending: Callable[[], Awaitable[None]] | None = None
        """Ends all work; called by `shutdown`."""
        self.is_initialized = False
        self.exit_code: int | None = None
        """Set by `exit`."""
        self._handlers = cast("_Handlers", self.fm)
        self._handlers.add_builtin_feature(types.WORKSPACE_EXECUTE_COMMAND, self._execute_command)
        self._handlers.add_builtin_feature(types.SHUTDOWN, self._shut_down)
        self._handlers.add_builtin_feature(types.EXIT, self._exit)
        # Progress is not shown by pygls here, so that it has nothing to cancel, and the session has.
        del self._handlers.builtin_features[types.WINDOW_WORK_DONE_PROGRESS_CANCEL]

    def documents(self) -> Documents:
        """Return the client's documents. Not a property: pygls reads all properties before there are any."""
        return cast("Documents", self.workspace)

    def accept(self, body: bytes) -> None:
        """Handle one message."""
        try:
            message: object = json.loads(body)
        except (ValueError, RecursionError) as error:
            self.refuse(None, parse_error(f"a message is not JSON: {error}"))
            return
        if not isinstance(message, dict) or cast("dict[str, object]", message).get("jsonrpc") != self.VERSION:
            why = "a message is one JSON object with jsonrpc 2.0; batches are not read"
            self.refuse(None, ErrorReply(types.ErrorCodes.InvalidRequest, why))
            return
        try:
            self._accept(cast("dict[str, Any]", message))
        except Exception as error:  # noqa: BLE001
            # A fault of ours in taking in one message must not end the session.
            self.refuse(None, error_reply(error))

    def refuse(self, msg_id: MsgId | None, refusal: ErrorReply) -> None:
        """Answer with an error; the id is None where it is not known what was asked."""
        error: dict[str, Any] = {"code": refusal.code, "message": str(refusal)}
        if refusal.kind is not None:
            error["data"] = {"code": refusal.kind}
        self._send_data({"jsonrpc": self.VERSION, "id": msg_id, "error": error})

    def log(self, message: str) -> None:
        """Tell what a user need not see, but who looks for a fault wants to."""
        self.notify(types.WINDOW_LOG_MESSAGE, types.LogMessageParams(type=types.MessageType.Warning, message=message))

    def _accept(self, message: dict[str, Any]) -> None:
        method, msg_id = message.get("method"), _id(message)
        if "method" not in message and msg_id is not None:
            self._answered(msg_id, message)
        elif not isinstance(method, str) or ("id" in message and msg_id is None):
            self.refuse(None, ErrorReply(types.ErrorCodes.InvalidRequest, "a message has no valid method or id"))
        elif msg_id is None:
            self._notified(method, message)
        else:
            self._requested(msg_id, method, message)

    def _requested(self, msg_id: MsgId, method: str, message: dict[str, Any]) -> None:
        try:
            self._check_state(method)
            self._get_handler(method)
            params = self._params(method, message)
        except Exception as error:  # noqa: BLE001
            # Foreign data cannot be read in any number of ways.
            self.refuse(msg_id, invalid_params(error))
            return
        # At once: `exit` may come before the task of the request begins.
        self._shutdown = self._shutdown or method == types.SHUTDOWN
        contextvars.copy_context().run(self._handle_request, msg_id, method, params)

    def _notified(self, method: str, message: dict[str, Any]) -> None:
        if method != types.EXIT and (self._shutdown or not self.is_initialized):
            return
        try:
            params = self._params(method, message)
        except Exception as error:  # noqa: BLE001
            # See `_requested`.
            self.log(f"{method} was ignored: {invalid_params(error)}")
            return
        contextvars.copy_context().run(self._handle_notification, method, params)

    def _check_state(self, method: str) -> None:
        if self._shutdown:
            raise ErrorReply(types.ErrorCodes.InvalidRequest, "the server was shut down")
        if self.is_initialized and method == types.INITIALIZE:
            raise ErrorReply(types.ErrorCodes.InvalidRequest, "the server was initialized already")
        if not self.is_initialized and method != types.INITIALIZE:
            raise ErrorReply(types.ErrorCodes.ServerNotInitialized, "the first request must be initialize")

    def _params(self, method: str, message: dict[str, Any]) -> Any:
        kind = self.get_message_type(method)
        return message.get("params") if kind is None else self._converter.structure(message, kind).params

    def _answered(self, msg_id: MsgId, message: dict[str, Any]) -> None:
        """Hand an answer to who waits for it; one that nobody waits for is dropped."""
        if msg_id not in self._asked:
            return
        self._asked.discard(msg_id)
        future = self._request_futures.pop(msg_id, None)
        kind = self._result_types.pop(msg_id, None)
        if future is None or future.done():
            return
        try:
            if "error" in message:
                told = self._converter.structure(message["error"], types.ResponseError)
                future.set_exception(JsonRpcException.from_error(told))
            else:
                future.set_result(self._converter.structure(message, kind).result if kind else message.get("result"))
        except Exception as error:  # noqa: BLE001
            # See `_requested`; who asked gets it.
            future.set_exception(error)

    def new_id(self) -> str:
        """Return an id for a request to the client."""
        return str(uuid4())

    def send_request(
        self,
        method: str,
        params: Any | None = None,
        callback: Callable[[Any], None] | None = None,
        msg_id: MsgId | None = None,
    ) -> Future[Any]:
        msg_id = self.new_id() if msg_id is None else msg_id
        self._asked.add(msg_id)
        return super().send_request(method, params, callback, msg_id)

    def _handle_cancel_notification(self, msg_id: object) -> None:
        # The types of the protocol let anything through here.
        if isinstance(msg_id, (int, str)) and msg_id not in self._asked and msg_id in self._request_futures:
            self._request_futures[msg_id].cancel()

    def _send_handler_result(self, future: Future[Any], *, msg_id: MsgId) -> None:
        self._request_futures.pop(msg_id, None)
        if future.cancelled():
            self.refuse(msg_id, ErrorReply(types.LSPErrorCodes.RequestCancelled, "the request was cancelled"))
        elif error := future.exception():
            self.refuse(msg_id, error_reply(error))
        else:
            self._send_response(msg_id, result=future.result())

    def _check_handler_result(self, future: Future[Any]) -> None:
        if not future.cancelled() and (error := future.exception()):
            self.log(f"a notification was ignored: {error_reply(error)}")

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, params: types.InitializeParams) -> Generator[Any, Any, types.InitializeResult]:
        result = yield from super().lsp_initialize(params)
        self._workspace = Documents(self.workspace)
        # `codeens-server --mcp` is there too: a client may offer it to its agents.
        result.capabilities.experimental = {"codeens": {"mcp": True}}
        self.is_initialized = True
        return result

    async def _execute_command(self, params: types.ExecuteCommandParams) -> Any:
        if (handler := self._handlers.commands.get(params.command)) is None:
            known = ", ".join(self._handlers.commands)
            raise ErrorReply(
                types.ErrorCodes.InvalidParams, f"no command is called {params.command!r}. Known: {known}."
            )
        return await handler(params)

    async def _shut_down(self, _params: object) -> None:
        """Answered when nothing is left running."""
        current = self.msg_id
        for msg_id, future in list(self._request_futures.items()):
            if msg_id in self._asked:
                # To cancel it would cancel the task that waits for it, and with that all others of the session.
                self._answered(msg_id, {"error": {"code": types.ErrorCodes.InternalError, "message": _ENDS}})
            elif msg_id != current:
                future.cancel()
        if self.ending is not None:
            await self.ending()

    def _exit(self, _params: object) -> None:
        self.exit_code = 0 if self._shutdown else 1


def _id(message: dict[str, Any]) -> MsgId | None:
    msg_id = message.get("id")
    return msg_id if isinstance(msg_id, (int, str)) and not isinstance(msg_id, bool) else None
