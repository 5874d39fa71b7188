"""Calls tools as an agent does."""

from __future__ import annotations

from typing import Any, NamedTuple

import anyio
from mcp import Client
from mcp_types import TextContent


class Progress(NamedTuple):
    """One notification."""

    progress: float
    total: float | None
    message: str | None


class Answered(NamedTuple):
    """What an agent gets."""

    text: str
    document: Any
    progress: list[Progress]


class Caller:
    """Calls the tools of a client's server."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def call(self, name: str, **arguments: Any) -> Answered:
        """Call a tool that must succeed. The client holds its answer to the tool's output schema."""
        told: list[Progress] = []

        async def hear(progress: float, total: float | None, message: str | None) -> None:
            told.append(Progress(progress, total, message))

        result = await self.client.call_tool(name, arguments, progress_callback=hear)
        first = result.content[0]
        assert isinstance(first, TextContent)
        assert not result.is_error, first.text
        return Answered(first.text, result.structured_content, told)

    async def finished(self, run_id: str) -> Answered:
        """Follow a run to its end."""
        with anyio.fail_after(300):
            while (answered := await self.call("get_run", id=run_id, wait_seconds=45)).document["state"] == "running":
                pass
        return answered

    async def refused(self, name: str, **arguments: Any) -> str:
        """Call a tool that must refuse; what it says."""
        result = await self.client.call_tool(name, arguments)
        first = result.content[0]
        assert isinstance(first, TextContent)
        assert result.is_error, first.text
        assert "Traceback" not in first.text
        return first.text

    async def resource(self, uri: str) -> str:
        """The text of a resource."""
        read = await self.client.read_resource(uri)
        return getattr(read.contents[0], "text")  # noqa: B009 # of a union, without a cast


def candidate(name: str, source: str) -> dict[str, str]:
    """A candidate of the caller's own."""
    return {"id": name, "source": source}


ADD: dict[str, Any] = {
    "id": "add",
    "prompt": 'def add(a, b):\n    """The sum."""\n',
    "entry_point": "add",
    "test_cases": [{"args": [1, 2], "expected_output": 3}, {"args": ["a", "b"], "expected_output": "ab"}],
}
RIGHT = candidate("right", "def add(a, b):\n    return a + b\n")
WRONG = candidate("wrong", "def add(a, b):\n    return a - b\n")
DICT = candidate("dict", "def unique(items):\n    return list(dict.fromkeys(items))\n")
SORTED = candidate("sorted", "def unique(items):\n    return sorted(set(items))\n")
