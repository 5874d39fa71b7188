"""What stands before the HTTP door: a client that asks too much is told to wait, and no other is."""

from __future__ import annotations

import anyio
import httpx
import pytest
from starlette.types import Receive, Scope, Send

from codeens_mcp_tools.transport.guards import SESSION_HEADER, ClientLimits, LimitGuard

pytestmark = pytest.mark.anyio


class Slow:
    """An application that answers when it is told to."""

    def __init__(self) -> None:
        self.go = anyio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})


class Clock:
    """Time that passes when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def client_of(guard: LimitGuard, session: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(guard)
    return httpx.AsyncClient(transport=transport, base_url="http://here", headers={SESSION_HEADER: session})


async def test_requests_beyond_the_rate_are_refused_until_time_has_passed() -> None:
    clock, app = Clock(), Slow()
    app.go.set()
    guard = LimitGuard(app, ClientLimits(per_second=2.0, burst=3.0), clock)

    async with client_of(guard, "a") as one, client_of(guard, "b") as other:
        statuses = [(await one.get("/")).status_code for _ in range(4)]
        unharmed = await other.get("/")
        refused = await one.get("/")
        clock.now += 0.5
        later = await one.get("/")

    assert statuses == [200, 200, 200, 429]
    assert (unharmed.status_code, later.status_code) == (200, 200)
    assert refused.headers["retry-after"] == "1"


async def test_only_so_many_requests_of_a_client_and_of_all_go_on_at_once() -> None:
    app = Slow()
    guard = LimitGuard(app, ClientLimits(at_once=2, all_at_once=3))
    statuses: list[int] = []

    async def get(client: httpx.AsyncClient) -> None:
        statuses.append((await client.get("/")).status_code)

    async with client_of(guard, "a") as one, client_of(guard, "b") as other, anyio.create_task_group() as group:
        group.start_soon(get, one)
        group.start_soon(get, one)
        await anyio.wait_all_tasks_blocked()
        assert (await one.get("/")).status_code == 429
        group.start_soon(get, other)
        await anyio.wait_all_tasks_blocked()
        assert (await other.get("/")).status_code == 503
        app.go.set()

    assert statuses == [200, 200, 200]
