"""Clients of the older protocol over HTTP that close the connection, or their session, in the middle of a call."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from tests.e2e.ensemble import fenced
from tests.e2e.program import Process, descendants, until_begun, until_gone
from tests.loopback.server import ModelServer
from tests.mcp_tools.conftest import SUMS, isolated
from tests.mcp_tools.outside import Listening, listening
from tests.mcp_tools.test_generate import configure
from tests.mcp_tools.test_http import HEADERS
from tests.mcp_tools.test_stdio import INITIALIZE, SLOW, request

SECONDS = 400
pytestmark = [pytest.mark.scene, pytest.mark.anyio, isolated, pytest.mark.timeout(SECONDS + 100)]
KEY = {"LOOPBACK_KEY": "sk-loopback-0123456789abcdef"}


class Session:
    """A client that is no SDK: it never says that it cancels."""

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        self._http = http
        self._url = url

    async def begin(self) -> None:
        answer = await self._http.post(self._url, json=INITIALIZE)
        self._http.headers["Mcp-Session-Id"] = answer.headers["mcp-session-id"]
        self._http.headers["MCP-Protocol-Version"] = "2025-11-25"
        await self._http.post(self._url, json={"jsonrpc": "2.0", "method": "notifications/initialized"})

    async def call(self, number: int, name: str, arguments: dict[str, Any]) -> str:
        """What a tool answers: its events, as they came."""
        message = request(number, "tools/call", name=name, arguments=arguments)
        async with self._http.stream("POST", self._url, json=message) as answer:
            assert answer.status_code == 200
            return (await answer.aread()).decode()

    @asynccontextmanager
    async def calling(self, number: int, name: str, arguments: dict[str, Any]) -> AsyncGenerator[None]:
        """A call that is under way in the block; at its end the connection is closed."""
        async with anyio.create_task_group() as group:
            group.start_soon(self.call, number, name, arguments)
            yield
            group.cancel_scope.cancel()

    async def end(self) -> None:
        """End the session, as the protocol wants it."""
        assert (await self._http.delete(self._url)).status_code == 200


@asynccontextmanager
async def session(server: Listening) -> AsyncGenerator[Session]:
    headers = {**HEADERS, **server.headers()}
    async with httpx.AsyncClient(headers=headers, timeout=None, trust_env=False) as http:
        begun = Session(http, server.url)
        await begun.begin()
        yield begun


async def test_a_closed_connection_ends_the_question_to_a_model_and_no_other_call(workspace: Path, home: Path) -> None:
    call = {"target": "sums.py::unique", "variants": ["baseline"]}
    async with ModelServer(answer=lambda _: fenced(SUMS), script={"*": ["ok", "hang"]}) as model:
        configure(home, model, "slow")
        with listening(workspace, home, environ=KEY) as server, anyio.fail_after(SECONDS):
            async with session(server) as client:
                # What models need is imported by now. A call that takes 40 s is handed over, and its client may go.
                said = await client.call(0, "generate_variants", {**call, "variants": ["super_readable"]})
                assert '"isError":false' in said
                await model.until_asked()
                await model.until_left()
                model.requests.clear()
                async with client.calling(1, "generate_variants", {**call, "variants": ["performance"]}):
                    await model.until_asked()
                    async with client.calling(2, "generate_variants", call):
                        await model.until_asked(2)
                        assert model.open_connections == 2
                    await model.until_left(1)
                    assert '"isError":false' in await client.call(3, "list_variants", {})
                    assert model.open_connections == 1
                await model.until_left()
            until_gone(descendants(server.process.pid))


@pytest.mark.parametrize("way", ["connection", "session"])
async def test_a_client_that_goes_leaves_no_process_of_its_call(workspace: Path, home: Path, way: str) -> None:
    under_way: set[Process] = set()
    with listening(workspace, home) as server, anyio.fail_after(SECONDS):
        async with session(server) as client, client.calling(1, "run_in_sandbox", SLOW):
            under_way = await until_begun(server.process.pid)
            if way == "session":
                await client.end()
        until_gone(under_way)
        async with session(server) as other:
            assert '"isError":false' in await other.call(1, "list_variants", {})
