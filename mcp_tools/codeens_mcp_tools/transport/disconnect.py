"""Ends a call when its client closes the connection, in versions of the protocol that leave this open.

Since 2026-07-28 the end of a request's connection ends the call. Before, a client may come back for what it missed, but
only where the server gave numbers to its events, which this one does not: nobody could ever read the answer.
"""

from __future__ import annotations

from contextlib import suppress

import msgspec
from msgspec import Struct
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from codeens_mcp_tools.transport.guards import SESSION_HEADER
from codeens_mcp_tools.transport.stdio import MOST_BYTES
from codeens_sandbox_backends.reading import decoded


class _Request(Struct):
    """What must be known of a request to cancel it."""

    id: str | int
    method: str


class VanishedGuard:
    """Tells a session, as its client would, that a call is cancelled when the connection closes before the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_call = scope["type"] == "http" and scope["method"] == "POST" and SESSION_HEADER in Headers(scope=scope)
        if not is_call:
            await self._app(scope, receive, send)
            return
        known = dict(scope)
        exchange = _Exchange(receive, send)
        await self._app(scope, exchange.receive, exchange.send)
        if exchange.is_abandoned and exchange.request is not None:
            await self._cancel(exchange.request, known)

    async def _cancel(self, request: _Request, scope: Scope) -> None:
        params = {"requestId": request.id, "reason": "The client closed the connection."}
        body = msgspec.json.encode({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params})
        headers = MutableHeaders(raw=list(scope["headers"]))
        headers["content-length"] = str(len(body))

        async def receive() -> Message:
            return {"type": "http.request", "body": body}

        async def send(_: Message) -> None:
            """Nobody is there to read it."""

        await self._app({**scope, "headers": headers.raw}, receive, send)


class _Exchange:
    """A request and its answer, looked at while they pass."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self.request: _Request | None = None
        """None until it is there, and where it is something else."""
        self._body = bytearray()
        self._is_answered = False
        self._is_closed = False

    @property
    def is_abandoned(self) -> bool:
        """Whether the connection was closed before the whole answer was sent."""
        return self._is_closed and not self._is_answered

    async def receive(self) -> Message:
        """The next piece of the request."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._is_closed = True
        else:
            self._take(message)
        return message

    async def send(self, message: Message) -> None:
        """The next piece of the answer."""
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self._is_answered = True
        await self._send(message)

    def _take(self, message: Message) -> None:
        if len(self._body) <= MOST_BYTES:
            self._body += message.get("body", b"")
        if not message.get("more_body", False):
            with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                self.request = decoded(bytes(self._body), _Request)
            self._body.clear()
