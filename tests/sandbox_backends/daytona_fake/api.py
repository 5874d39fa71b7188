"""The vendor's control interface: making, telling of, listing and deleting sandboxes, and saying when they change."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import anyio
from aiohttp import web
from anyio.abc import TaskGroup
from daytona_api_client_async import CreateSandbox, SandboxState

from tests.sandbox_backends.daytona_fake.faults import Faults
from tests.sandbox_backends.daytona_fake.records import Record, page
from tests.sandbox_backends.fake_machine.machine import Image, Machine

PREFIX = "/api"
_SLOW_START_S = 0.3


class Api:
    """Sandboxes by id. Its methods are called in the service's loop."""

    def __init__(self, image: Image, faults: Faults, tasks: TaskGroup, key: str) -> None:
        self.records: dict[str, Record] = {}
        self.made: list[CreateSandbox] = []
        """What was asked for, each time."""
        self._image = image
        self._faults = faults
        self._tasks = tasks
        self._key = key
        self._events: Any = import_module("socketio").AsyncServer(
            async_mode="aiohttp", cors_allowed_origins="*", transports=["websocket"]
        )
        self._events.on("connect", self._let_in)

    def add_to(self, app: web.Application) -> None:
        """Answer to the vendor's routes."""
        self._events.attach(app, socketio_path=f"{PREFIX}/socket.io".lstrip("/"))
        app.router.add_post(f"{PREFIX}/sandbox", self.create)
        app.router.add_get(f"{PREFIX}/sandbox", self.list)
        app.router.add_get(PREFIX + "/sandbox/{sandboxIdOrName}", self.get)
        app.router.add_delete(PREFIX + "/sandbox/{sandboxIdOrName}", self.delete)
        app.router.add_post(PREFIX + "/sandbox/{sandboxIdOrName}/ttl/{ttlMinutes}", self.set_ttl)
        app.router.add_post(PREFIX + "/sandbox/{sandboxIdOrName}/autostop/{interval}", self.set_autostop)

    async def create(self, request: web.Request) -> web.Response:
        """A new one; it runs at once, as one from a warm pool does."""
        wanted = CreateSandbox.from_dict(json.loads(await request.read()))
        assert wanted is not None
        if wanted.additional_properties:
            return problem(400, f"property {', '.join(wanted.additional_properties)} should not exist")
        self.made.append(wanted)
        record = Record(wanted, f"{request.scheme}://{request.host}/toolbox")
        if any(other.name == record.name for other in self.records.values()):
            return problem(409, f"Sandbox with name {record.name} already exists")
        self.records[record.id] = record
        fault = self._faults.take("POST /sandbox", "slow start", "error state")
        if fault is None:
            self._start(record)
        elif fault.kind == "slow start":
            self._tasks.start_soon(self._start_later, record)
        else:
            record.state, record.error_reason = SandboxState.ERROR, "no runner could start it"
        return told(record.told().to_json())

    async def list(self, request: web.Request) -> web.Response:
        query = request.query
        return told(page(self.records.values(), query.get("labels"), query.get("cursor"), query.get("limit")).to_json())

    async def get(self, request: web.Request) -> web.Response:
        record = self._found(request)
        if record is None:
            return problem(404, "Sandbox not found")
        return told(record.told().to_json())

    async def delete(self, request: web.Request) -> web.Response:
        record = self._found(request)
        if record is None:
            return problem(404, "Sandbox not found")
        await self.end(record.id)
        return told(record.told().to_json())

    async def end(self, sandbox_id: str) -> None:
        """Destroy a sandbox."""
        record = self.records.pop(sandbox_id)
        if record.machine:
            record.machine.close()
        record.state = SandboxState.DESTROYED
        await self._announce(record)

    def plant(self, labels: dict[str, str]) -> str:
        """A sandbox, stopped, that nobody has asked for."""
        record = Record(CreateSandbox(labels=labels), "http://127.0.0.1:9/toolbox")
        record.state = SandboxState.STOPPED
        self.records[record.id] = record
        return record.id

    async def set_ttl(self, request: web.Request) -> web.Response:
        """A time from now on, in minutes."""
        record = self._found(request)
        if record is None:
            return problem(404, "Sandbox not found")
        record.ends_in(int(request.match_info["ttlMinutes"]))
        return told(record.told().to_json())

    async def set_autostop(self, request: web.Request) -> web.Response:
        record = self._found(request)
        if record is None:
            return problem(404, "Sandbox not found")
        record.wanted.auto_stop_interval = int(request.match_info["interval"])
        return told(record.told().to_json())

    def running(self, sandbox_id: str) -> Machine | None:
        """The machine of a sandbox that runs."""
        record = self.records.get(sandbox_id)
        return record.machine if record else None

    def close(self) -> None:
        """End all machines."""
        for record in self.records.values():
            if record.machine:
                record.machine.close()
        self.records.clear()

    def _found(self, request: web.Request) -> Record | None:
        wanted = request.match_info["sandboxIdOrName"]
        return next((record for record in self.records.values() if wanted in {record.id, record.name}), None)

    def _start(self, record: Record) -> None:
        own = {"DAYTONA_SANDBOX_ID": record.id, "DAYTONA_SANDBOX_USER": "root"}
        network = not record.wanted.network_block_all
        record.machine = Machine(self._image, record.id, own | (record.wanted.env or {}), network=network)
        self._tasks.start_soon(record.machine.serve)
        record.state = SandboxState.STARTED

    async def _start_later(self, record: Record) -> None:
        await anyio.sleep(_SLOW_START_S)
        if record.id in self.records:
            self._start(record)
            await self._announce(record)

    async def _let_in(self, _: str, __: object, auth: dict[str, str]) -> bool:
        return auth.get("token") == self._key

    async def _announce(self, record: Record) -> None:
        await self._events.emit("sandbox.state.updated", {"sandbox": record.told().to_dict(), "newState": record.state})


def told(text: str) -> web.Response:
    return web.Response(text=text, content_type="application/json")


def problem(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    """An error in the vendor's envelope."""
    body = {"statusCode": status, "message": message, "source": "DAYTONA_API"}
    return web.Response(text=json.dumps(body), status=status, headers=headers, content_type="application/json")
