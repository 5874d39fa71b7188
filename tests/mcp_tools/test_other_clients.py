"""The server and fastmcp's client."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tests.mcp_tools.calling import ADD, RIGHT
from tests.mcp_tools.clients import tried
from tests.mcp_tools.conftest import isolated
from tests.mcp_tools.outside import SERVER, environment, listening

pytestmark = [pytest.mark.scene, pytest.mark.anyio, isolated]


@pytest.fixture
def fastmcp() -> Any:
    """Imported for these tests alone: it takes a second."""
    return pytest.importorskip("fastmcp", reason="fastmcp is not installed")


async def test_the_client_of_fastmcp_is_served_over_stdio(fastmcp: Any, workspace: Path, home: Path) -> None:
    entry = {"command": SERVER, "args": ["--mcp", "stdio", "--root", str(workspace)], "env": environment(home)}

    async with fastmcp.Client({"mcpServers": {"codeens": entry}}) as client:
        tools = {tool.name for tool in await client.list_tools()}
        scored = await client.call_tool("score", {"task": ADD, "candidates": [RIGHT]})

    assert "start_ensemble" in tools
    assert scored.structured_content["results"][0]["rank"] == 1


async def test_the_client_of_fastmcp_is_served_over_http(fastmcp: Any, workspace: Path, home: Path) -> None:
    with listening(workspace, home) as server:
        async with fastmcp.Client(server.url, auth=server.token) as client:
            scored = await client.call_tool("score", {"task": ADD, "candidates": [RIGHT]})

    assert scored.structured_content["results"][0]["rank"] == 1
    tried("fastmcp", version("fastmcp"))
