"""The view of a run inside an agent's window, in Chromium, through the official host for MCP Apps."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from codeens_mcp_tools.resources.view import page
from tests.mcp_tools.calling import SORTED, Caller, candidate
from tests.mcp_tools.clients import tried
from tests.mcp_tools.conftest import isolated
from tests.mcp_tools.npm_tools import run_tool, tools_folder, version_of
from tests.mcp_tools.outside import TOKEN, listening

UGLY = candidate(
    "ugly",
    """\
def unique(items: list[int]) -> list[int]:
    found = {}
    for item in items:
        if item is not None or item is None:
            if item in found or item not in found:
                if item not in found:
                    found[item] = True
                elif item in found:
                    found[item] = found[item] or True
    return list(found)
""",
)
SLOW = candidate(
    "slow",
    """\
def unique(items: list[int]) -> list[int]:
    return [item for place, item in enumerate(items) if sum(range(400)) and item not in items[:place]]
""",
)
"""Reads easier, and takes many times as long."""
THEMES = ("light", "dark")
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
@pytest.mark.scene
@pytest.mark.timed
@pytest.mark.timeout(700)
def test_a_person_follows_runs_weighs_and_applies_what_they_found_in_the_window(
    workspace: Path, home: Path, tmp_path: Path
) -> None:
    chromium = shutil.which("chromium") or pytest.skip("chromium is not installed")
    tools = str(tools_folder())
    with listening(workspace, home) as server:
        picture = str(tmp_path / "view.png")
        candidates = json.dumps([SLOW, UGLY, SORTED])
        arguments = (str(HOST), tools, chromium, server.url, TOKEN, "sums.py::unique", candidates, picture)
        seen = json.loads(run_tool("node", *arguments, home=home, within_s=600))

    assert seen["mime"] == "text/html;profile=mcp-app"
    assert seen["headline"] not in ("", seen["atFirst"])
    assert "offline" in seen["rows"][1]
    assert seen["after"] != seen["before"]
    assert "+    found_set" in seen["patch"]
    assert seen["calls"][0]["name"] == "get_run"
    written = [call["arguments"] for call in seen["calls"] if call["arguments"].get("write_to")]
    assert [each["write_to"] for each in written] == [str(workspace / "sums.py")] * 2
    assert (seen["ranked"], seen["reranked"]) == (
        ["original", "agent · ugly", "agent · slow", "agent · sorted"],
        ["original", "agent · slow", "agent · ugly", "agent · sorted"],
    )
    alike = [set(cluster.partition("unlike")[0].split(", ")) for cluster in seen["clusters"]]
    assert alike == [{"original", "slow", "ugly"}, {"sorted"}]
    assert "unlike sorted: unique(" in seen["clusters"][0]
    assert "sum(range(400))" in (workspace / "sums.py").read_text(encoding="utf-8")
    assert seen["size"]["height"] > 100
    assert seen["faults"] == []
    assert [(look["width"], look["theme"]) for look in seen["looks"]] == [(w, t) for w in (380, 800) for t in THEMES]
    for look in seen["looks"]:
        assert (look["over"], look["outside"], look["empty"], look["faint"]) == (0, [], 0, []), look
        assert (look["ground"] < 0.5) == (look["theme"] == "dark"), look
        assert look["bars"] == seen["measured"]
    assert [url for url in seen["requests"] if not url.startswith(("about:", "data:"))] == []
    tried("ext-apps", version_of("@modelcontextprotocol/ext-apps"))
