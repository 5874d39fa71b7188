"""What `import codeens` gives: pinned names, complete types, and nothing heavy before it is used."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import codeens

ROOT = Path(__file__).parents[2]
HEAVY = ("litellm", "sqlalchemy", "hypothesis", "libcst", "anyio", "msgspec")

PINNED = {
    *(
        "Session",
        "Settings",
        "ModelSettings",
        "Limits",
        "Message",
        "RunKeywords",
        "Target",
        "Code",
        "Task",
        "Candidate",
    ),
    *("Run", "Report", "Comparison", "CodeResult", "CallResult", "Generated", "Prompt"),
    *("RunStream", "RunEvent", "RunState", "RunLine", "RunDocument", "RankedResult", "Verdict"),
    *("Evidence", "Case", "Coverage", "Excluded", "MutationScore"),
    *("Interval", "EnvironmentSpeed", "Memory", "Readability", "DiffSize"),
    *("ScoreReport", "ScoreResult", "CodeensError", "InputError", "SandboxError", "Hint"),
    *("run", "run_sync", "stream", "judge", "judge_sync", "compare", "compare_sync", "run_code", "run_code_sync"),
}


def test_the_names_that_are_public_are_pinned() -> None:
    assert set(codeens.__all__) == PINNED
    assert set(dir(codeens)) >= PINNED
    for name in codeens.__all__:
        assert getattr(codeens, name) is not None


def test_a_name_that_is_not_there_cannot_be_imported() -> None:
    with pytest.raises(ImportError, match="cannot import name 'ran'"):
        exec("from codeens import ran", {})


def test_importing_it_loads_nothing_heavy() -> None:
    program = f"import sys, codeens; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.scene
@pytest.mark.timeout(400)
def test_its_types_are_complete() -> None:
    folders = [ROOT / name for name in ("server", "sandbox_backends", "variants")]
    path = os.pathsep.join(map(str, [*folders, sysconfig.get_path("purelib")]))
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--verifytypes", "codeens"]
    done = subprocess.run(
        [*command, "--ignoreexternal"], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    assert "Type completeness score: 100%" in done.stdout, done.stdout


def test_the_door_for_agents_stands_on_the_library_and_few_modules_below_it() -> None:
    door = ROOT / "mcp_tools"
    imports = re.compile(r"^\s*from (codeens_server[\w.]*) import", re.MULTILINE)
    found = {name for path in door.rglob("*.py") for name in imports.findall(path.read_text(encoding="utf-8"))}
    assert 0 < len(found) <= 10
