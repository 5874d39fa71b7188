"""The examples of docs/python.md and the example notebook run as they stand, without a key."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox_backends.machine import why_not

pytestmark = pytest.mark.skipif(bool(why_not("local")), reason=why_not("local") or "bubblewrap works")

ROOT = Path(__file__).parents[2]
_EXAMPLE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def alone(folder: Path) -> dict[str, str]:
    """An environment without keys, whose data and settings are in a folder."""
    kept = {name: value for name, value in os.environ.items() if not name.endswith(("_KEY", "_TOKEN"))}
    folders = {"XDG_DATA_HOME": str(folder / "data"), "XDG_CONFIG_HOME": str(folder / "config")}
    return kept | folders | {"CODEENS_MAX_INPUTS": "10", "CODEENS_MAX_MUTANTS": "4"}


@pytest.mark.scene
@pytest.mark.timeout(400)
def test_the_examples_of_the_page_run_as_they_stand(tmp_path: Path) -> None:
    examples = _EXAMPLE.findall((ROOT / "docs" / "python.md").read_text(encoding="utf-8"))
    assert len(examples) > 5
    program = "\n".join(examples)
    quick = alone(tmp_path) | {"CODEENS_EFFORT": "quick"}
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=quick, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "RunFinished" in done.stdout


@pytest.mark.scene
@pytest.mark.timeout(400)
def test_the_notebook_runs_and_shows_progress_table_and_bars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbclient, nbformat = import_module("nbclient"), import_module("nbformat")
    for name in [name for name in os.environ if name.endswith(("_KEY", "_TOKEN"))]:
        monkeypatch.delenv(name)
    for name, value in alone(tmp_path).items():
        monkeypatch.setenv(name, value)
    notebook: Any = nbformat.read(ROOT / "examples" / "notebook.ipynb", as_version=4)
    where = {"metadata": {"path": str(tmp_path)}}
    done: Any = nbclient.NotebookClient(notebook, timeout=380, kernel_name="python3", resources=where).execute()
    outputs: list[Any] = [output for cell in done["cells"] for output in cell.get("outputs", ())]
    shown = [output["data"].get("text/html", "") for output in outputs if "data" in output]
    assert any("<svg" in html and "<table" in html for html in shown)
    assert [output["name"] for output in outputs if output["output_type"] == "stream"] == []
