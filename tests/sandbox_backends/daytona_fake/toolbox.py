"""The vendor's interface to the inside of a sandbox: files and terminals."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator

from aiohttp import web

from tests.sandbox_backends.daytona_fake import terminal
from tests.sandbox_backends.daytona_fake.api import Api, problem
from tests.sandbox_backends.daytona_fake.faults import TERMINAL, Faults
from tests.sandbox_backends.fake_machine.machine import HOME, Machine

PREFIX = "/toolbox/{sandboxId}"
_LARGEST_SIDE = 1000
_VARIABLES = "X-Daytona-Pty-Envs~"


class Toolbox:
    """What the sandboxes of an `Api` answer. All that comes in is added to `seen`."""

    def __init__(self, api: Api, faults: Faults) -> None:
        self.seen = bytearray()
        self._api = api
        self._faults = faults

    def add_to(self, app: web.Application) -> None:
        """Answer to the vendor's routes."""
        app.router.add_post(PREFIX + "/files/bulk-upload", self.upload)
        app.router.add_get(PREFIX + "/process/pty/create-connect", self.open_terminal)

    async def upload(self, request: web.Request) -> web.Response:
        """Fields `files[i].path` and `files[i].file`; the path counts, not the name of the file."""
        machine = self._machine(request)
        if machine is None:
            return problem(404, "Sandbox not found")
        paths: dict[str, str] = {}
        for name, content in _fields(request.headers["Content-Type"], await request.read()):
            self.seen += content
            number, _, kind = name.partition(".")
            if kind == "path":
                paths[number] = content.decode()
                continue
            try:
                await machine.write(paths[number], content)
            except OSError as error:
                return web.json_response({"errors": [str(error)]}, status=400)
        return web.Response()

    async def open_terminal(self, request: web.Request) -> web.StreamResponse:
        """A new shell, which ends when it is told to, and not with the connection."""
        machine = self._machine(request)
        if machine is None:
            return problem(404, "Sandbox not found")
        query = request.query
        if not query.get("id"):
            return problem(400, "session ID is required (query param 'id')")
        size = int(query.get("cols", "80")), int(query.get("rows", "24"))
        if max(size) > _LARGEST_SIDE:
            return problem(400, "cols and rows must be less than 1000")
        cut = _cutter(request)
        socket = web.WebSocketResponse(max_msg_size=terminal.LARGEST_MESSAGE, protocols=[terminal.EXIT_SUBPROTOCOL])
        await socket.prepare(request)
        variables = {"TERM": "xterm-256color"} | _variables(request)
        try:
            program, master = await machine.terminal(query.get("cwd", HOME), variables, size)
        except OSError as error:
            await socket.send_str(json.dumps({"type": "control", "status": "error", "error": str(error)}))
            await socket.close()
            return socket
        fault = self._faults.take(TERMINAL, "truncated", "killed")
        await terminal.serve(socket, terminal.Terminal(program, master, self.seen, fault, cut))
        return socket

    def _machine(self, request: web.Request) -> Machine | None:
        return self._api.running(request.match_info["sandboxId"])


def _fields(kind: str, body: bytes) -> Iterator[tuple[str, bytes]]:
    """Names and contents of a form (RFC 7578)."""
    boundary = kind.partition("boundary=")[2].strip('"').encode()
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        found = re.search(rb'[; ]name="([^"]*)"', head)
        if found:
            yield found[1].decode(), content


def _cutter(request: web.Request) -> Callable[[], None]:
    transport = request.transport
    assert transport is not None
    return transport.abort


def _variables(request: web.Request) -> dict[str, str]:
    """Variables come as one of the subprotocols: base64url without padding of a JSON object."""
    for word in request.headers.get("Sec-WebSocket-Protocol", "").split(","):
        if word.strip().startswith(_VARIABLES):
            text = word.strip().removeprefix(_VARIABLES)
            return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return {}
