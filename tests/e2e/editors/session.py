"""A workspace for an editor, and the wait until it has done what a script told it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.e2e.program import Workspace, make_workspace

SECONDS = 500
SETTINGS = 'variants = ["baseline"]\nrewrites = "always"\n'


class Told(NamedTuple):
    """What a script in the editor wrote down."""

    actions: list[str]
    """Titles, before the run."""
    results: list[str]
    """Titles, after it."""
    message: str
    applied: str
    """The document, line by line, after the winner was applied."""
    undone: bytes
    """The file as it was saved after one undo."""


def shop(tmp_path: Path) -> Workspace:
    """The example, with settings that make a run short."""
    workspace = make_workspace(tmp_path)
    workspace.configure(SETTINGS)
    return workspace


def run_editor(workspace: Workspace, command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Told:
    """Run an editor to its end; its script wrote `told.json` into the home folder, and saved the file."""
    scripts = Path(sys.executable).parent
    env = workspace.environment() | {"PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}", **(environment or {})}
    done = subprocess.run(command, cwd=workspace.folder, env=env, capture_output=True, text=True, timeout=SECONDS)
    path = workspace.home / "told.json"
    assert path.exists(), f"{done.stdout}\n{done.stderr}"
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    assert "error" not in told, told
    return Told(**told, undone=(workspace.folder / "orders.py").read_bytes())


def tool(requirement: str, program: str, folder: Path) -> Path:
    """Have uv bring a program from PyPI; skips where it cannot."""
    uv = Path(sys.executable).with_name("uv")
    folders = {"UV_TOOL_DIR": str(folder / "tools"), "UV_TOOL_BIN_DIR": str(folder / "bin")}
    done = subprocess.run([uv, "tool", "install", "-q", requirement], env=os.environ | folders, capture_output=True)
    if done.returncode:
        pytest.skip(f"uv cannot bring {requirement}")
    return folder / "bin" / program


def check(told: Told, original: bytes) -> None:
    """What is the same in all editors."""
    assert "Run ensemble on `repeat_customers`" in told.actions
    assert "Make `repeat_customers` faster" in told.actions
    first = next(title for title in told.results if title.startswith("1. Apply offline · "))
    assert "tests and" in first
    assert told.message.startswith("codeens: repeat_customers: "), told.message
    before = original.decode()
    assert told.applied != before
    assert told.applied.startswith(before[: before.index("def repeat_customers")])
    compile(told.applied, "orders.py", "exec")
    assert told.undone == original
