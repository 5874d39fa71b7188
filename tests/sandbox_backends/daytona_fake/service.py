"""A service on this machine that speaks as Daytona's does, and runs what it is given."""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator
from contextlib import contextmanager

import anyio
from aiohttp import web
from aiohttp.typedefs import Handler
from anyio import from_thread
from daytona_api_client_async import CreateSandbox

from tests.sandbox_backends.daytona_fake import api, toolbox
from tests.sandbox_backends.daytona_fake.faults import KEY, Fault, Faults
from tests.sandbox_backends.fake_machine.machine import Image

_END_S = 100.0
_BODY_AT_MOST = 256 << 20


class Service:
    """A running one. Its methods may be called from any thread."""

    def __init__(self, portal: from_thread.BlockingPortal) -> None:
        self.faults = Faults()
        self.key = KEY
        self.url = ""
        """What `DAYTONA_API_URL` is to be."""
        self.calls: list[str] = []
        """Method and route of each request."""
        self.errors: list[str] = []
        """What the fake itself did wrong."""
        self._routes: set[str] = set()
        self._portal = portal
        self._released = anyio.Event()

    @property
    def sandboxes(self) -> list[str]:
        """Ids of those that are there."""
        return list(self._api.records)

    @property
    def made(self) -> list[CreateSandbox]:
        """All requests for a new one so far."""
        return self._api.made

    @property
    def seen(self) -> bytes:
        """All that was sent into sandboxes so far."""
        return bytes(self._toolbox.seen)

    @property
    def routes(self) -> list[str]:
        """All that are answered, as the vendor's documents write them."""
        return sorted(self._routes)

    def plant(self, labels: dict[str, str]) -> str:
        """A sandbox that somebody else made; its id."""
        return self._api.plant(labels)

    def remove(self, sandbox_id: str) -> None:
        """As somebody else does."""
        self._portal.call(self._api.end, sandbox_id)

    def reset(self) -> None:
        """Forget everything, and end what is left."""
        self.faults.clear()
        self.calls.clear()
        self.errors.clear()
        self._portal.call(self._reset)

    def release(self) -> None:
        """Let go of what was held."""
        self._portal.call(self._released.set)

    async def serve(self, image: Image, started: threading.Event) -> None:
        """Answer until cancelled."""
        async with anyio.create_task_group() as tasks:
            self._api = api.Api(image, self.faults, tasks, KEY)
            self._toolbox = toolbox.Toolbox(self._api, self.faults)
            app = web.Application(middlewares=[self._around], client_max_size=_BODY_AT_MOST)
            self._api.add_to(app)
            self._toolbox.add_to(app)
            self._routes = {_route(route.method, route.resource) for route in app.router.routes()}
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            try:
                await web.TCPSite(runner, "127.0.0.1", 0).start()
                host, port = runner.addresses[0][:2]
                self.url = f"http://{host}:{port}{api.PREFIX}"
                started.set()
                await anyio.sleep_forever()
            finally:
                self._api.close()
                with anyio.CancelScope(shield=True):
                    await runner.cleanup()

    async def _reset(self) -> None:
        self._released.set()
        self._released = anyio.Event()
        self._api.close()
        self._api.made.clear()
        self._toolbox.seen.clear()

    @property
    def _around(self):
        @web.middleware
        async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
            call = _name(request)
            if "socket.io" in call:
                return await handler(request)
            self.calls.append(call)
            if request.headers.get("Authorization") != f"Bearer {KEY}":
                return api.problem(401, "Unauthorized")
            fault = self.faults.take(call, "status", "dropped before", "dropped after", "held")
            try:
                return await self._answered(request, handler, fault)
            except ConnectionError:  # the client is gone
                raise
            except Exception as error:
                self.errors.append(f"{call}: {error!r}")
                logging.getLogger(__name__).exception("the fake failed at %s", call)
                raise

        return around

    async def _answered(self, request: web.Request, handler: Handler, fault: Fault | None) -> web.StreamResponse:
        if fault is None:
            return await handler(request)
        if fault.kind == "status":
            await request.read()
            headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
            return api.problem(fault.status, "injected", headers)
        if fault.kind == "dropped before":
            return _dropped(request)
        if fault.kind == "held" or not _is_upgrade(request):
            response = await handler(request) if not _is_upgrade(request) else web.Response()
            if fault.kind == "held":
                await self._released.wait()
                return response
        return _dropped(request)


def _is_upgrade(request: web.Request) -> bool:
    return request.headers.get("Upgrade", "").lower() == "websocket"


def _dropped(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _name(request: web.Request) -> str:
    """Method and route, as the vendor's documents write them."""
    resource = request.match_info.route.resource
    return _route(request.method, resource) if resource else f"{request.method} {request.path}"


def _route(method: str, resource: web.AbstractResource | None) -> str:
    path = resource.canonical if resource else ""
    return f"{method} {path.removeprefix(toolbox.PREFIX).removeprefix(api.PREFIX)}"


@contextmanager
def started_service() -> Generator[Service]:
    """Start one, in a thread of its own. At the end nothing of it is left."""
    image = Image()
    started = threading.Event()
    try:
        with from_thread.start_blocking_portal("asyncio") as portal:
            service = Service(portal)
            running = portal.start_task_soon(service.serve, image, started)
            try:
                if not started.wait(_END_S):
                    running.result(0)
                yield service
            finally:
                running.cancel()
    finally:
        image.close()
