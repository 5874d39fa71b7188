"""The official tools for MCP, from npm: conformance suite and inspector."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.mcp_tools.calling import ADD, DICT, RIGHT
from tests.mcp_tools.clients import tried
from tests.mcp_tools.conftest import SUMS, isolated, opened
from tests.mcp_tools.npm_tools import run_tool, tools_folder, version_of
from tests.mcp_tools.outside import SERVER, TOKEN, environment, listening, read_url

pytestmark = [
    pytest.mark.scene,
    pytest.mark.timeout(400),  # the inspector starts two programs for each call of each tool
]
HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]


def calls_of_every_tool(run_id: str) -> dict[str, dict[str, Any]]:
    """A call of each, that succeeds."""
    return {
        "generate_variants": {"code": SUMS, "prompts_only": True},
        "run_in_sandbox": {"code": "def f(n):\n    return n\n", "calls": ["f(1)"]},
        "score": {"task": ADD, "candidates": [RIGHT]},
        "start_ensemble": {"target": "sums.py::unique"},
        "get_run": {"id": run_id},
        "list_runs": {},
        "find_slow": {"path": "sums.py"},
        "cancel_run": {"id": run_id},
        "apply_candidate": {"id": run_id, "rank": 1},
        "compare_candidates": {"code": SUMS, "a": "original", "b": DICT},
        "list_variants": {},
        "list_models": {},
        "list_backends": {},
    }


@pytest.fixture
async def calls(workspace: Path, home: Path, anyio_backend: str) -> dict[str, dict[str, Any]]:
    """The calls, with a run that is done, as the server under test will find it."""
    tools_folder()
    async with opened(workspace, environment(home)) as (_, caller):
        scored = await caller.call("score", target="sums.py::unique", candidates=[DICT])
    return calls_of_every_tool(scored.document["run_id"])


@contextmanager
def fixture_server(workspace: Path, home: Path) -> Generator[str]:
    """The URL of the server that has the suite's fixtures too."""
    command = [sys.executable, "-m", "tests.mcp_tools.fixture_server", str(workspace)]
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment(home), stderr=subprocess.PIPE) as process:
        try:
            assert process.stderr is not None
            yield read_url(process.stderr)
        finally:
            process.kill()


@pytest.mark.parametrize("version", ["2025-11-25", "2026-07-28"])
def test_the_official_conformance_suite_finds_nothing_unexpected(workspace: Path, home: Path, version: str) -> None:
    tools_folder()
    expected = str(HERE / "npm" / "expected-failures.yml")
    options = ("--spec-version", version, "--expected-failures", expected, "-o", "out")
    with fixture_server(workspace, home) as url:
        said = run_tool("conformance", "server", "--url", url, *options, home=home)

    assert "✓ tools-list" in said
    assert "✓ dns-rebinding-protection" in said
    tried("conformance", version_of("@modelcontextprotocol/conformance"))


@isolated
@pytest.mark.anyio
async def test_the_inspector_lists_and_calls_every_tool_over_stdio(
    workspace: Path, home: Path, calls: dict[str, dict[str, Any]]
) -> None:
    inspect(calls, home, "--cli", SERVER, "--mcp", "stdio", "--root", str(workspace))


@isolated
@pytest.mark.anyio
async def test_the_inspector_lists_and_calls_every_tool_over_http(
    workspace: Path, home: Path, calls: dict[str, dict[str, Any]]
) -> None:
    with listening(workspace, home) as server:
        header = f"Authorization: Bearer {TOKEN}"
        inspect(calls, home, "--cli", server.url, "--transport", "http", "--header", header)
    tried("inspector", version_of("@modelcontextprotocol/inspector"))


def inspect(calls: dict[str, dict[str, Any]], home: Path, *connection: str) -> None:
    """List all tools, and call each."""
    listed = json.loads(run_tool("mcp-inspector", *connection, "--method", "tools/list", home=home))
    assert {tool["name"] for tool in listed["tools"]} == set(calls)
    for name, arguments in calls.items():
        call = ("--method", "tools/call", "--tool-name", name, *_given(arguments))
        assert json.loads(run_tool("mcp-inspector", *connection, *call, home=home))["content"][0]["text"], name


def _given(arguments: dict[str, Any]) -> list[str]:
    given: list[str] = []
    for name, value in arguments.items():
        given += ["--tool-arg", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
    return given
