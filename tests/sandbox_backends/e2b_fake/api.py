"""The service: its REST API and the door to its sandboxes, on one port."""

from __future__ import annotations

import secrets
import threading
import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from subprocess import CalledProcessError
from typing import Any, cast
from urllib.parse import parse_qsl, unquote

import anyio
import msgspec
from anyio.abc import TaskGroup
from anyio.from_thread import BlockingPortal, start_blocking_portal
from e2b.api.client.models import Error, ListedSandbox, NewSandboxV2, Sandbox, SandboxState, SandboxTimeoutRequest
from e2b.envd.client_shared import ENVD_JSON_CODEC
from e2b.envd.process.process_connect import ProcessASGIApplication

from tests.sandbox_backends.e2b_fake.envd import ProcessService, uploaded
from tests.sandbox_backends.e2b_fake.faults import Call, Plan
from tests.sandbox_backends.e2b_fake.http_server import BreakOff, Message, Receive, Send, serve
from tests.sandbox_backends.e2b_fake.machine import FakeMachine, start_machine

ENVD_VERSION = "0.6.7"
TEMPLATES = ("base",)
ROUTES: dict[Call, tuple[str, str]] = {
    "create": ("POST", "/v2/sandboxes"),
    "list": ("GET", "/v2/sandboxes"),
    "delete": ("DELETE", "/sandboxes/{sandboxID}"),
    "extend": ("POST", "/sandboxes/{sandboxID}/timeout"),
    "upload": ("POST", "/files"),
    "start": ("POST", "/process.Process/Start"),
    "send": ("POST", "/process.Process/SendInput"),
}
"""All that is answered, besides the health of a sandbox's daemon; the last three are that daemon's."""
_PAGE = 2


class FakeSandbox:
    """A sandbox, as the service knows it."""

    def __init__(self, wanted: NewSandboxV2, machine: FakeMachine, tasks: TaskGroup) -> None:
        self.wanted = wanted
        self.machine = machine
        self.id = secrets.token_hex(10)
        self.token = secrets.token_hex(16)
        self.started_at = datetime.now(UTC)
        self.ends_at = self.started_at + timedelta(seconds=int(wanted.timeout or 0))
        self.processes = ProcessASGIApplication(ProcessService(machine, tasks), codecs=[ENVD_JSON_CODEC])

    @property
    def metadata(self) -> dict[str, str]:
        found: dict[str, str] = self.wanted.metadata or {}
        return found

    def as_made(self) -> Sandbox:
        """As it is told to who made it."""
        return Sandbox(
            template_id=self.wanted.template_id,
            sandbox_id=self.id,
            client_id="fake",
            envd_version=ENVD_VERSION,
            envd_access_token=self.token,
            domain=None,
        )

    def as_listed(self) -> ListedSandbox:
        """As it is told to who lists all."""
        return ListedSandbox(
            template_id=self.wanted.template_id,
            sandbox_id=self.id,
            client_id="fake",
            started_at=self.started_at,
            end_at=self.ends_at,
            cpu_count=2,
            memory_mb=512,
            disk_size_mb=1024,
            state=SandboxState.RUNNING,
            envd_version=ENVD_VERSION,
            metadata=self.metadata,
        )


class FakeE2B:
    """The service. Its sandboxes and its plan of faults may be looked at from other threads."""

    def __init__(self, portal: BlockingPortal) -> None:
        self.key = f"e2b_{secrets.token_hex(20)}"
        self.plan: Plan
        self.sandboxes: dict[str, FakeSandbox] = {}
        self.url = ""
        self.made: list[NewSandboxV2] = []
        """All that were asked for."""
        self.sent = bytearray()
        """All that went into sandboxes."""
        self.errors: list[str] = []
        """What the fake itself did wrong."""
        self._portal = portal
        self._made: dict[str, FakeSandbox] = {}
        """By idempotency key."""
        self._making: dict[str, anyio.Lock] = {}
        self._tasks: TaskGroup

    @property
    def alive(self) -> list[str]:
        """Ids of all sandboxes."""
        return list(self.sandboxes)

    def make(self, metadata: dict[str, str]) -> str:
        """Make a sandbox as if somebody else had; its id."""
        wanted = NewSandboxV2(template_id="base", metadata=metadata)
        return self._portal.call(self._new, wanted).id

    def end_all(self) -> None:
        """End every sandbox from the service's side."""
        for one in tuple(self.sandboxes.values()):
            self._portal.call(self._end, one)

    def kill_programs(self) -> None:
        """Kill what runs in the sandboxes; these stay."""
        for one in tuple(self.sandboxes.values()):
            one.machine.kill_programs()

    def release(self) -> None:
        """Let go of requests that are held."""
        self._portal.call(self.plan.release)

    def reset(self) -> None:
        """Forget faults and requests, and end what is left."""
        self.end_all()
        self.plan = self._portal.call(Plan)
        self.made.clear()
        self.errors.clear()
        self.sent.clear()

    async def serve(self, ready: Callable[[], None]) -> None:
        """Until cancelled; nothing is left then."""
        self.plan = Plan()
        async with anyio.create_task_group() as self._tasks:
            port = await self._tasks.start(serve, self._answer)
            self.url = f"http://127.0.0.1:{port}"
            ready()
            try:
                await anyio.sleep_forever()
            finally:
                with anyio.CancelScope(shield=True):
                    for one in tuple(self.sandboxes.values()):
                        await self._end(one)

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        request = _Request(scope, receive, send)
        call = request.call
        try:
            if call is None:
                await self._route(request, receive, send)
            else:
                await self.plan.carry_out(call, receive, send, partial(self._route, request))
        except (BreakOff, anyio.BrokenResourceError, anyio.ClosedResourceError):
            raise BreakOff from None
        except Exception:  # noqa: BLE001  # kept for the test to see
            self.errors.append(traceback.format_exc())
            raise BreakOff from None

    async def _route(self, request: _Request, receive: Receive, send: Send) -> None:
        request.receive, request.send = receive, send
        if "e2b-sandbox-id" in request.headers:
            await self._route_inside(request)
        elif request.headers.get("x-api-key") != self.key:
            await request.refuse(401, "invalid API key")
        else:
            match request.call:
                case "create":
                    await self._create(request)
                case "list":
                    await self._list(request)
                case "delete":
                    await self._delete(request)
                case "extend":
                    await self._extend(request)
                case _:
                    self.errors.append(f"no route {request.path}")
                    await request.refuse(404, f"no route {request.path}")

    async def _create(self, request: _Request) -> None:
        wanted = NewSandboxV2.from_dict(msgspec.json.decode(await request.body()))
        if wanted.template_id not in TEMPLATES:
            await request.refuse(404, f"template '{wanted.template_id}' not found")
            return
        key = request.headers.get("idempotency-key", secrets.token_hex(8))
        async with self._making.setdefault(key, anyio.Lock()):
            one = self._made.get(key) or await self._new(wanted)
            self._made[key] = one
        await request.answer(201, one.as_made().to_dict())

    async def _list(self, request: _Request) -> None:
        filters = dict(parse_qsl(request.query.get("metadata", "")))
        wanted = {unquote(name): unquote(value) for name, value in filters.items()}
        fitting = [one for one in self.sandboxes.values() if wanted.items() <= one.metadata.items()]
        first = int(request.query.get("nextToken", "0"))
        rest = {"x-next-token": str(first + _PAGE)} if first + _PAGE < len(fitting) else {}
        page = [one.as_listed().to_dict() for one in fitting[first : first + _PAGE]]
        await request.answer(200, page, rest)

    async def _delete(self, request: _Request) -> None:
        one = self.sandboxes.get(request.parts[2])
        if one is None:
            await request.refuse(404, "sandbox not found")
            return
        await self._end(one)
        await request.answer(204)

    async def _extend(self, request: _Request) -> None:
        one = self.sandboxes.get(request.parts[2])
        if one is None:
            await request.refuse(404, "sandbox not found")
            return
        wanted = SandboxTimeoutRequest.from_dict(msgspec.json.decode(await request.body()))
        one.ends_at = datetime.now(UTC) + timedelta(seconds=wanted.timeout)
        await request.answer(204)

    async def _route_inside(self, request: _Request) -> None:
        listening = request.receive

        async def receive() -> Message:
            message = await listening()
            self.sent.extend(message.get("body", b""))
            return message

        request.receive = receive
        self.sent.extend(str(request.headers).encode("utf-8"))
        one = self.sandboxes.get(request.headers["e2b-sandbox-id"])
        if one is None or not one.machine.is_running:
            await request.refuse(502, "The sandbox was not found")
        elif request.headers.get("x-access-token") != one.token:
            await request.refuse(401, "invalid access token")
        elif request.path == "/health":
            await request.answer(204)
        elif request.path == "/files":
            path = request.query["path"]
            try:
                await one.machine.write(path, uploaded(request.headers["content-type"], await request.body()))
            except CalledProcessError:  # it was ended meanwhile
                raise BreakOff from None
            await request.answer(200, [{"name": path.rpartition("/")[2], "type": "file", "path": path}])
        else:
            await one.processes(cast("Any", request.scope), cast("Any", request.receive), cast("Any", request.send))

    async def _new(self, wanted: NewSandboxV2) -> FakeSandbox:
        self.made.append(wanted)
        one = FakeSandbox(wanted, start_machine(), self._tasks)
        self.sandboxes[one.id] = one
        return one

    async def _end(self, one: FakeSandbox) -> None:
        await one.machine.end()
        self.sandboxes.pop(one.id, None)


class _Request:
    """A request, and the ways to answer it."""

    def __init__(self, scope: Message, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.path: str = scope["path"]
        self.parts = self.path.split("/")
        self.headers = {name.decode("ascii").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        self.query = dict(parse_qsl(scope["query_string"].decode("ascii")))

    @property
    def call(self) -> Call | None:
        """What is asked for; None when it is nothing that can be planned to fail."""
        for call, (method, path) in ROUTES.items():
            if method == self.scope["method"] and _fits(self.parts, path.split("/")):
                return call
        return None

    async def body(self) -> bytes:
        """All of it."""
        whole = b""
        while True:
            message = await self.receive()
            whole += message.get("body", b"")
            if not message.get("more_body"):
                return whole

    async def answer(self, status: int, value: object = None, headers: dict[str, str] | None = None) -> None:
        """With JSON, or with nothing."""
        body = b"" if value is None else msgspec.json.encode(value)
        fields = {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
        if status == 204:
            fields = {}
        encoded = [(name.encode("ascii"), text.encode("ascii")) for name, text in fields.items()]
        await self.send({"type": "http.response.start", "status": status, "headers": encoded})
        await self.send({"type": "http.response.body", "body": body})

    async def refuse(self, status: int, message: str) -> None:
        """With the vendor's own form of an error."""
        await self.answer(status, Error(code=status, message=message).to_dict())


def _fits(parts: Sequence[str], route: Sequence[str]) -> bool:
    same = (mine == theirs or theirs.startswith("{") for mine, theirs in zip(parts, route, strict=False))
    return len(parts) == len(route) and all(same)


@contextmanager
def fake_e2b() -> Generator[FakeE2B]:
    """A service that runs in a thread of its own."""
    with start_blocking_portal("asyncio") as portal:
        fake = FakeE2B(portal)
        begun = threading.Event()
        serving = portal.start_task_soon(fake.serve, begun.set)
        try:
            if not begun.wait(100):
                raise RuntimeError("the fake service did not start")
            yield fake
            if serving.done():  # it must not have failed meanwhile
                serving.result()
        finally:
            serving.cancel()
