"""Emacs with eglot, with the settings that the documentation gives."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.e2e.editors.session import check, run_editor, shop, tool
from tests.e2e.editors.snippets import snippet
from tests.sandbox_backends.machine import why_not

ELPA = Path("/usr/share/emacs/site-lisp/elpa")

pytestmark = [
    pytest.mark.timed,  # what asks several servers does not wait long for one
    pytest.mark.scene,
    pytest.mark.timeout(600),
    pytest.mark.skipif(shutil.which("emacs") is None, reason="Emacs is not installed"),
    pytest.mark.skipif(not list(ELPA.glob("eglot-*")), reason="eglot is not installed (elpa-eglot)"),
    pytest.mark.skipif(why_not("local") != "", reason=f"no isolation here: {why_not('local')}"),
]

SCRIPT = Path(__file__).parent / "emacs.el"


def test_beside_another_server_an_ensemble_is_run_and_its_winner_applied_and_undone(tmp_path: Path) -> None:
    workspace = shop(tmp_path)
    original = (workspace.folder / "orders.py").read_bytes()
    settings = tmp_path / "init.el"
    settings.write_text(snippet("Emacs"), encoding="utf-8")
    rass = tool("rassumfrassum==0.3.5", "rass", tmp_path)
    command = ["emacs", "--batch", "-Q", "-l", str(settings), "-l", str(SCRIPT)]
    path = os.pathsep.join([str(rass.parent), str(Path(sys.executable).parent), os.environ["PATH"]])
    told = run_editor(workspace, command, environment={"PATH": path})
    check(told, original)
    assert "Report on `repeat_customers`" in told.results, "eglot shows no lenses"
