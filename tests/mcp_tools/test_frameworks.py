"""The server's tools as agents' frameworks take them: each connects over stdio and converts the list for its models."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.mcp_tools.clients import tried
from tests.mcp_tools.outside import SERVER, environment
from tests.mcp_tools.test_offering import OPEN_OBJECTS

pytestmark = pytest.mark.scene
PACKAGES = (
    *("langchain-mcp-adapters", "langchain-openai", "openai-agents", "pydantic-ai-slim[mcp,openai,google]"),
    *("google-genai", "smolagents[mcp]"),
)
INSTALLED_WITHIN_S = 600
CONVERTED_WITHIN_S = 300
STRICT = "openai-agents, strict"
PROGRAM = """
import asyncio, json, sys
from importlib.metadata import version
COMMAND, ARGUMENTS, STRICT = sys.argv[1], sys.argv[2:], "openai-agents, strict"
told = {}

def tell(name, package, tools):
    told[name] = {"version": version(package), "tools": sorted(tools)}

async def langchain():
    from langchain_core.utils.function_calling import convert_to_openai_tool
    from langchain_mcp_adapters.client import MultiServerMCPClient
    client = MultiServerMCPClient({"codeens": {"transport": "stdio", "command": COMMAND, "args": ARGUMENTS}})
    tools = [convert_to_openai_tool(tool)["function"]["name"] for tool in await client.get_tools()]
    tell("langchain-mcp-adapters", "langchain-mcp-adapters", tools)

async def openai_agents(strict):
    from agents.mcp import MCPServerStdio
    from agents.mcp.util import MCPUtil
    params = {"command": COMMAND, "args": ARGUMENTS}
    async with MCPServerStdio(params, client_session_timeout_seconds=60) as server:
        tools = [MCPUtil.to_function_tool(tool, server, strict) for tool in await server.list_tools()]
    label = STRICT if strict else "openai-agents"
    tell(label, "openai-agents", [tool.name for tool in tools if tool.strict_json_schema == strict])

async def google_and_pydantic():
    from google.genai import types
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client
    from pydantic_ai.profiles.google import GoogleJsonSchemaTransformer
    from pydantic_ai.profiles.openai import OpenAIJsonSchemaTransformer
    async with stdio_client(StdioServerParameters(command=COMMAND, args=ARGUMENTS)) as (read, write):
        async with ClientSession(read, write) as session:
            await session.initialize()
            tools = (await session.list_tools()).tools
    names = []
    for tool in tools:
        schema = types.Schema.from_json_schema(json_schema=types.JSONSchema(**tool.inputSchema))
        names.append(types.FunctionDeclaration(name=tool.name, description=tool.description, parameters=schema).name)
        OpenAIJsonSchemaTransformer(tool.inputSchema, strict=None).walk()
        GoogleJsonSchemaTransformer(tool.inputSchema).walk()
    tell("google-genai", "google-genai", names)
    tell("pydantic-ai-slim", "pydantic-ai-slim", [tool.name for tool in tools])

def smolagents():
    from mcp import StdioServerParameters
    from smolagents import ToolCollection
    parameters = StdioServerParameters(command=COMMAND, args=ARGUMENTS)
    with ToolCollection.from_mcp(parameters, trust_remote_code=True, structured_output=True) as collection:
        tell("smolagents", "smolagents", [tool.name for tool in collection.tools])

for work in (langchain(), openai_agents(False), openai_agents(True), google_and_pydantic()):
    asyncio.run(work)
smolagents()
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter that has the frameworks, in an environment of its own: they want another version of MCP's SDK."""
    folder = tmp_path_factory.mktemp("frameworks")
    uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
    if not Path(uv).exists():
        pytest.skip("uv, which installs the frameworks, is not installed")
    for command in ([uv, "venv", "-q", str(folder)], [uv, "pip", "install", "-q", "-p", str(folder), *PACKAGES]):
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=INSTALLED_WITHIN_S)
        if done.returncode:
            pytest.skip(f"the frameworks cannot be installed here: {done.stderr[-300:]}")
    return str(folder / "bin" / "python")


def test_every_framework_takes_every_tool(python: str, workspace: Path, home: Path) -> None:
    command = [python, "-c", PROGRAM, SERVER, "--mcp", "stdio", "--root", str(workspace)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=CONVERTED_WITHIN_S, env=environment(home)
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, dict[str, Any]] = json.loads(done.stdout)

    every = set(told["langchain-mcp-adapters"]["tools"])
    assert len(every) == 13
    for name, found in told.items():
        missing = every - set(found["tools"])
        assert missing == (OPEN_OBJECTS if name == STRICT else set()), name
    for name in told.keys() - {STRICT}:
        tried(name, told[name]["version"])
