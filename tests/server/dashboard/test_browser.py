"""The dashboard as a person uses it: the installed command, a real browser, a real run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from codeens_server.config.settings import Settings
from codeens_server.store.opening import open_store
from tests.mcp_tools.npm_tools import run_tool, tools_folder
from tests.quick import QUICK
from tests.sandbox_backends.machine import why_not
from tests.server import facts

SCRIPT = Path(__file__).with_name("browser.mjs")
UNIQUE = """\
def unique(items: list[int]) -> list[int]:
    found = []
    for item in items:
        if item not in found:
            found.append(item)
    return found
"""


async def _seed(folder: Path) -> None:
    """Keep a run of models, so that charts of costs and systems have something to show."""
    with open_store(Settings(results=str(folder / "data" / "codeens" / "results"))) as store:
        target = facts.target_in(folder)
        state = await facts.keep(store, facts.found(target))
        await facts.add(store, state, facts.finished(state.run_id, target))


@pytest.mark.scene
@pytest.mark.timeout(300)
def test_a_person_starts_a_run_watches_it_and_looks_at_what_came_of_it(tmp_path: Path) -> None:
    chromium = shutil.which("chromium") or pytest.skip("chromium is not installed")
    if why := why_not("local"):
        pytest.skip(why)
    tools = str(tools_folder())
    project, pictures = tmp_path / "project", tmp_path / "pictures"
    for folder in (project, pictures):
        folder.mkdir()
    (project / "lists.py").write_text(UNIQUE, encoding="utf-8")
    anyio.run(_seed, tmp_path)
    command = [sys.executable, "-m", "codeens", "dashboard", "--port", "0"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CODEENS_")}
    environ = {**kept, **QUICK, "XDG_DATA_HOME": str(tmp_path / "data"), "HOME": str(tmp_path)}
    with subprocess.Popen(command, cwd=project, env=environ, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        try:
            told = run_tool(
                "node",
                str(SCRIPT),
                tools,
                chromium,
                url,
                "lists.py::unique",
                str(pictures),
                home=tmp_path,
                within_s=280,
            )
        finally:
            server.terminate()
    seen = json.loads(told)

    assert "token" not in seen["address"]
    assert "there is no file" in seen["refused"]
    assert seen["live"]
    assert seen["both"]
    assert "best" in seen["headline"] or "keep the original" in seen["headline"]
    assert seen["reloaded"] == seen["headline"]
    assert seen["before"][0] == seen["after"][0] == "0"
    assert [place for place in seen["after"][1:] if place] == [str(n) for n in range(1, len(seen["after"]))]
    assert "As it was after event 2" in seen["then"]
    assert "found" in seen["diff"]
    assert seen["faults"] == []
    assert seen["violations"] == []
    assert server.returncode == 0
    if folder := os.environ.get("KEEP_PICTURES"):
        shutil.copytree(pictures, folder, dirs_exist_ok=True)
