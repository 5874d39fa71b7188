"""`codeens optimize`: a program's slow function is found, improved and committed, with its worth in the program."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from tests.e2e.ensemble import entry, fenced
from tests.e2e.program import Workspace
from tests.loopback.server import ModelServer
from tests.sandbox_backends.machine import why_not

pytestmark = [
    pytest.mark.scene,
    pytest.mark.anyio,
    pytest.mark.scene,
    pytest.mark.timed,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(why_not("local") != "", reason=f"no isolation here: {why_not('local')}"),
]
APP = """\
import sys

def unique(items: list[int]) -> list[int]:
    found: list[int] = []
    for item in items:
        if item not in found:
            found.append(item)
    return found

def checksum(rounds: int) -> int:
    total = 0
    for number in range(rounds):
        total = (total * 31 + number) % 1000003
    return total

def main() -> None:
    print(sum(len(unique(list(range(400)))) for _ in range(500)), checksum(2_000_000))

if __name__ == "__main__":
    main()
"""
BETTER = "def unique(items: list[int]) -> list[int]:\n    return list(dict.fromkeys(items))"


def git(workspace: Workspace, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=workspace.folder, check=True, capture_output=True, text=True)
    return done.stdout


async def test_the_slow_function_of_a_program_is_improved_and_its_worth_in_the_program_is_told(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "project", tmp_path / "home")
    workspace.folder.mkdir()
    workspace.home.mkdir()
    (workspace.folder / "pyproject.toml").write_text("", encoding="utf-8")
    (workspace.folder / "app.py").write_text(APP, encoding="utf-8")
    for words in ("init --quiet", "config user.name a", "config user.email a@localhost", "add .", "commit -qm begin"):
        git(workspace, *words.split())
    arguments = ("optimize", "--command", "python -m app", "--top", "1", "--git", "--json")

    slow: dict[str, Any] = {}
    async with ModelServer(answer=lambda _: fenced(BETTER)) as server:
        workspace.configure(entry("m", server.url))
        # So much else may run here that nothing is measured well enough for a claim.
        for _ in range(3):
            done = await anyio.to_thread.run_sync(lambda: workspace.codeens(*arguments, timeout=400))
            assert done.returncode == 0, done.stderr
            (slow,) = msgspec.json.decode(done.stdout)["functions"]
            if slow.get("worth") is not None:
                break
            git(workspace, "reset", "--quiet", "--hard", ":/begin")

    assert slow["function"] == "app.py::unique"
    assert 0.2 < slow["share"] < 0.9
    assert slow["worth"]["low"] > 1.0, "the program is faster"
    assert slow["worth"]["high"] < slow["speed"][0], "and less so than the function alone"
    assert slow["worth"]["same_output"]
    assert slow["on_calls"][1] > 1.0, "it is faster on inputs like those that the program makes"
    shown = git(workspace, "show")
    assert "+    return list(dict.fromkeys(items))" in shown
    assert f"In `python -m app`: {slow['worth']['ratio']:.2f}\N{MULTIPLICATION SIGN}" in shown
    assert f"codeens run {slow['run_id']}" in shown
