"""An agent: smolagents' loop, a model on loopback that issues tool calls, and codeens' tools over stdio only."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio.from_thread
import anyio.to_thread
from mcp import Client
from mcp_types import TextContent
from smolagents import OpenAIServerModel, Tool, ToolCallingAgent

from tests.loopback.server import ChatRequest, ModelServer
from tests.mcp_tools.outside import stdio

_STEPS = 6
_QUIET = -1


class RemoteTool(Tool):
    """A tool of the server, as the agent's loop wants it."""

    output_type = "string"
    skip_forward_signature_validation = True

    def __init__(self, client: Client, name: str, description: str, schema: Mapping[str, Any]) -> None:
        self.name = name
        self.description = description
        self.inputs = {
            key: {"type": "any", "description": str(value.get("description", key)), "nullable": True}
            for key, value in schema.get("properties", {}).items()
        }
        self._client = client
        super().__init__()

    def forward(self, **arguments: Any) -> str:
        """Call it, from the loop's thread."""
        return anyio.from_thread.run(self._call, arguments)

    async def _call(self, arguments: dict[str, Any]) -> str:
        result = await self._client.call_tool(self.name, arguments)
        first = result.content[0]
        assert isinstance(first, TextContent)
        return first.text


class Scripted:
    """A model that knows some answers, of which not all are right, and finds out by the tools which is."""

    def __init__(self, tasks: Mapping[str, Mapping[str, Any]], attempts: Mapping[str, list[str]]) -> None:
        """`attempts`: for each task's id the sources that the model has in mind."""
        self._tasks = tasks
        self._attempts = attempts

    def __call__(self, request: ChatRequest) -> str:
        """The next step of a conversation, as a call."""
        (task_id,) = set(re.findall(r"SOLVE <([^>]+)>", request.prompt))
        task = self._tasks[task_id]
        if "Rules for all" not in request.prompt:
            return _call("generate_variants", {"task": task, "prompts_only": True, "variants": ["baseline"]})
        found = re.search(r"Next: take (\w+)\.", request.prompt)
        if found is None:
            sources = enumerate(self._attempts[task_id])
            candidates = [{"id": f"attempt{number}", "source": source} for number, source in sources]
            return _call("score", {"task": task, "candidates": candidates})
        chosen = self._attempts[task_id][int(found[1].removeprefix("attempt"))]
        return _call("final_answer", {"answer": chosen})


def _call(name: str, arguments: dict[str, Any]) -> str:
    return json.dumps({"name": name, "arguments": arguments})


async def solve(
    tasks: Mapping[str, Mapping[str, Any]], attempts: Mapping[str, list[str]], workspace: Path, home: Path
) -> dict[str, str]:
    """The agent's answer to each task."""
    answers: dict[str, str] = {}
    model = Scripted(tasks, attempts)
    async with ModelServer(answer=model) as server, Client(stdio(workspace, home)) as client:
        listed = await client.list_tools()
        for task_id in tasks:
            tools = [RemoteTool(client, tool.name, tool.description or "", tool.input_schema) for tool in listed.tools]

            def run(task_id: str = task_id, tools: Sequence[Tool] = tools) -> str:
                call = OpenAIServerModel("loopback", api_base=server.url, api_key="none")
                agent = ToolCallingAgent(tools=tools, model=call, max_steps=_STEPS, verbosity_level=_QUIET)
                return str(agent.run(f"SOLVE <{task_id}>"))

            answers[task_id] = await anyio.to_thread.run_sync(run)
    return answers
