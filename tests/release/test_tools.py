"""The wheel becomes a command by the installers of commands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from release.carried import build_wheel
from release.lock import server_lock

pytestmark = [pytest.mark.scene, pytest.mark.timeout(600)]

UV = str(Path(sys.executable).with_name("uv"))


def installed(tmp_path: Path, *command: str) -> str:
    """Install, with folders that are thrown away; gives what the installed command says of itself."""
    folders = {name: str(tmp_path / name) for name in ("UV_TOOL_DIR", "UV_TOOL_BIN_DIR", "PIPX_HOME", "PIPX_BIN_DIR")}
    environ = os.environ | folders
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    programs = {path.name: path for path in [*tmp_path.glob("*_BIN_DIR/*")]}
    assert {"codeens", "codeens-server"} <= set(programs)
    return subprocess.run([programs["codeens"], "--version"], capture_output=True, text=True, check=True).stdout


def test_uv_makes_a_tool_of_the_wheel_by_the_lock_of_the_release(tmp_path: Path) -> None:
    wheel, lock = build_wheel(tmp_path), tmp_path / "lock"
    lock.write_text(server_lock(), encoding="utf-8")

    assert installed(tmp_path, UV, "tool", "install", str(wheel), "-c", str(lock)).startswith("codeens ")


def test_pipx_makes_a_command_of_the_wheel(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path)

    assert installed(tmp_path, UV, "tool", "run", "pipx", "install", str(wheel)).startswith("codeens ")
