"""Listen on a port, by TCP or WebSocket, and hand each connection over as a channel."""

from __future__ import annotations

import re
import sys
from collections.abc import Awaitable, Callable

import anyio
from anyio.abc import SocketAttribute, SocketStream
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websockets
from websockets.exceptions import ConnectionClosed

from codeens_server.lsp.transport.channels import MOST_BYTES, BadFrame, ByteChannel, MessageChannel

Serve = Callable[[MessageChannel], Awaitable[object]]
# A page of the web reaches every port of the user's machine; its browser says where the page is from.
_LOCAL_ORIGIN = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")


async def listen_tcp(host: str, port: int, serve: Serve) -> None:
    """Serve each TCP connection; never return."""

    async def connected(stream: SocketStream) -> None:
        async with stream:
            await serve(ByteChannel(stream))

    async with await anyio.create_tcp_listener(local_host=host, local_port=port) as listener:
        _tell("tcp", listener.extra_attributes[SocketAttribute.local_address]())
        await listener.serve(connected)


async def listen_ws(host: str, port: int, serve: Serve) -> None:
    """Serve each WebSocket, whose messages are those of LSP; never return."""

    async def connected(connection: ServerConnection) -> None:
        await serve(_Socket(connection))

    # What is a little too large is refused with a reply; what is much too large ends the connection.
    async with serve_websockets(
        connected, host, port, origins=[None, _LOCAL_ORIGIN], max_size=2 * MOST_BYTES
    ) as server:
        _tell("ws", next(iter(server.sockets)).getsockname())
        await anyio.sleep_forever()


class _Socket:
    """A WebSocket as a channel."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection

    async def receive(self) -> list[bytes | BadFrame]:
        try:
            message = await self._connection.recv(decode=False)
        except ConnectionClosed:
            raise anyio.EndOfStream from None
        if len(message) > MOST_BYTES:
            return [BadFrame(f"a message of {len(message)} bytes is too large: at most {MOST_BYTES}")]
        return [message]

    async def send(self, body: bytes) -> None:
        try:
            await self._connection.send(body, text=True)
        except ConnectionClosed:
            raise anyio.BrokenResourceError from None


def _tell(kind: str, address: tuple[str, int] | str) -> None:
    """Print where it listens: a port of 0 becomes one that is free."""
    place = address if isinstance(address, str) else f"{address[0]}:{address[1]}"
    sys.stderr.write(f"codeens-server listens on {kind}://{place}\n")
    sys.stderr.flush()
