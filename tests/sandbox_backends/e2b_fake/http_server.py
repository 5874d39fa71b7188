"""A small HTTP/1.1 server for ASGI applications, on loopback, that can break off whenever it is told to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import anyio
import h11
from anyio.abc import SocketAttribute, SocketStream, TaskStatus

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]
_PIECE = 1 << 16


class BreakOff(Exception):
    """Raised by an application to have the connection closed, whatever was sent so far."""


async def serve(application: Application, *, task_status: TaskStatus[int]) -> None:
    """Serve until cancelled; the status is the port."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")

    async def connected(stream: SocketStream) -> None:
        async with stream:
            await _Connection(stream, application).serve()

    async with listener:
        task_status.started(listener.extra(SocketAttribute.local_port))
        await listener.serve(connected)


class _Connection:
    def __init__(self, stream: SocketStream, application: Application) -> None:
        self._stream = stream
        self._application = application
        self._http = h11.Connection(h11.SERVER)

    async def serve(self) -> None:
        try:
            while True:
                event = await self._next()
                if not isinstance(event, h11.Request):
                    return
                await self._answer(event)
                if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                    return
                self._http.start_next_cycle()
        except (BreakOff, anyio.BrokenResourceError, anyio.ClosedResourceError):
            return

    async def _next(self) -> Any:
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError:  # the client went in the middle of its request
                raise BreakOff from None
            if event is not h11.NEED_DATA:
                return event
            try:
                self._http.receive_data(await self._stream.receive(_PIECE))
            except anyio.EndOfStream:
                self._http.receive_data(b"")

    async def _answer(self, request: h11.Request) -> None:
        path, _, query = request.target.decode("ascii").partition("?")
        scope: Message = {
            "type": "http",
            "method": request.method.decode("ascii"),
            "path": path,
            "query_string": query.encode("ascii"),
            "headers": [(bytes(name), bytes(value)) for name, value in request.headers],
            "root_path": "",
            "extensions": {},
        }
        await self._application(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        """A part of the request; after its end, that the client has gone, when it has."""
        if self._http.their_state is h11.DONE:
            with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                await self._stream.receive(1)
            return {"type": "http.disconnect"}
        event = await self._next()
        if isinstance(event, h11.Data):
            return {"type": "http.request", "body": bytes(event.data), "more_body": True}
        if isinstance(event, h11.EndOfMessage):
            return {"type": "http.request", "body": b"", "more_body": False}
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers: list[tuple[bytes, bytes]] = list(message["headers"])
            await self._write(h11.Response(status_code=message["status"], headers=headers))
        elif message["type"] == "http.response.body":
            await self._write(h11.Data(data=message.get("body", b"")))
            if not message.get("more_body"):
                await self._write(h11.EndOfMessage())

    async def _write(self, event: h11.Response | h11.Data | h11.EndOfMessage) -> None:
        if self._http.our_state in (h11.DONE, h11.ERROR, h11.CLOSED):  # an error after the end: the client has gone
            raise BreakOff
        data = self._http.send(event)
        if data:
            await self._stream.send(data)
