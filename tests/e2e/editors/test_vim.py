"""Vim with ALE, with the settings that the documentation gives."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.e2e.editors.session import check, run_editor, shop
from tests.e2e.editors.snippets import snippet
from tests.sandbox_backends.machine import why_not

ALE = Path("/usr/share/vim-ale")

pytestmark = [
    pytest.mark.scene,
    pytest.mark.timeout(600),
    pytest.mark.skipif(shutil.which("vim") is None, reason="Vim is not installed"),
    pytest.mark.skipif(not ALE.is_dir(), reason="ALE is not installed (vim-ale)"),
    pytest.mark.skipif(why_not("local") != "", reason=f"no isolation here: {why_not('local')}"),
]

SCRIPT = Path(__file__).parent / "ale.vim"


def test_an_ensemble_is_run_and_its_winner_applied_and_undone(tmp_path: Path) -> None:
    workspace = shop(tmp_path)
    original = (workspace.folder / "orders.py").read_bytes()
    settings = tmp_path / "vimrc"
    settings.write_text(f"set nocompatible\n{snippet('Vim with ALE')}filetype plugin indent on\n", encoding="utf-8")
    command = ["vim", "-T", "dumb", "--not-a-term", "-n", "-i", "NONE", "-u", str(settings), "-S", str(SCRIPT)]
    check(run_editor(workspace, command), original)
