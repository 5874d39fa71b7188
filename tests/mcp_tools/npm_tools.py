"""Programs from npm that tests use, where they were installed."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

VARIABLE = "CODEENS_NPM_TOOLS"
_BY_DEFAULT = Path(__file__).parents[2] / ".venv" / "npm-tools"  # where .ci/run installs them


def tools_folder() -> Path:
    """The folder in which `tests/mcp_tools/npm/package.json` was installed; skips where there is none."""
    folder = Path(os.environ.get(VARIABLE) or _BY_DEFAULT)
    if not (folder / "node_modules" / ".bin").is_dir():
        pytest.skip(f"neither {VARIABLE} nor .venv/npm-tools has what tests/mcp_tools/npm/package.json names")
    return folder


def version_of(package: str) -> str:
    """The version of an installed package."""
    manifest = tools_folder() / "node_modules" / package / "package.json"
    return json.loads(manifest.read_text(encoding="utf-8"))["version"]


def run_tool(
    name: str, *arguments: str, home: Path, environ: Mapping[str, str] | None = None, within_s: float = 100
) -> str:
    """Run an installed program to its end; gives what it printed, and fails the test when it failed."""
    binaries = tools_folder() / "node_modules" / ".bin"
    done = subprocess.run(
        [str(binaries / name), *arguments],
        cwd=home,
        env={"PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}", "HOME": str(home), **(environ or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=within_s,
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout
