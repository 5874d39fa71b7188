"""The view of a run inside an agent's window, in Chromium, through the official host for MCP Apps."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from codeens_mcp_tools.view import page
from tests.mcp_tools.calling import Caller
from tests.mcp_tools.conftest import SUMS, isolated
from tests.mcp_tools.npm_tools import run_tool, tools_folder
from tests.mcp_tools.outside import TOKEN, listening

HOST = Path(__file__).parent / "npm" / "host.mjs"


def test_the_page_is_one_file_that_loads_nothing_and_runs_its_own_script_only() -> None:
    html = page()

    assert "default-src 'none'" in html
    assert "unsafe" not in html
    assert not re.findall(r"(?:src|href)\s*=|https?://|@import|url\(|innerHTML|eval\(", html)


@pytest.mark.anyio
async def test_tools_of_runs_link_the_view(caller: Caller) -> None:
    listed = await caller.client.list_tools()
    linked = {tool.name for tool in listed.tools if (tool.meta or {}).get("ui") == {"resourceUri": "ui://codeens/run"}}
    read = await caller.client.read_resource("ui://codeens/run")

    assert linked == {"score", "get_run", "start_ensemble"}
    assert read.contents[0].mime_type == "text/html;profile=mcp-app"
    assert read.contents[0].meta == {
        "ui": {"csp": {"connectDomains": [], "resourceDomains": [], "frameDomains": [], "baseUriDomains": []}}
    }


@isolated
def test_a_person_follows_a_run_and_applies_its_best_in_the_window(workspace: Path, home: Path, tmp_path: Path) -> None:
    chromium = shutil.which("chromium") or pytest.skip("chromium is not installed")
    tools = str(tools_folder())
    with listening(workspace, home) as server:
        picture = str(tmp_path / "view.png")
        arguments = (str(HOST), tools, chromium, server.url, TOKEN, "sums.py::unique", picture)
        seen = json.loads(run_tool("node", *arguments, home=home))

    assert seen["mime"] == "text/html;profile=mcp-app"
    assert "faster" in seen["headline"]
    assert "offline" in seen["rows"][1]
    assert seen["after"] != seen["before"]
    assert "+    found_set" in seen["patch"]
    names = [call["name"] for call in seen["calls"]]
    assert names[0] == "get_run"
    assert names[-1] == "apply_candidate"
    assert seen["calls"][-1]["arguments"]["write_to"] == str(workspace / "sums.py")
    assert (workspace / "sums.py").read_text(encoding="utf-8") != SUMS
    assert seen["size"]["height"] > 100
    assert seen["faults"] == []
    assert [url for url in seen["requests"] if not url.startswith(("about:", "data:"))] == []
