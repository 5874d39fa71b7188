"""A candidate holds in every interpreter asked for: verdict and speed stand for each."""

from __future__ import annotations

import sys
import venv
from collections.abc import Mapping
from pathlib import Path

import pytest

from codeens import Session
from codeens_server.config.settings import Settings
from codeens_server.domain.document import RunDocument
from codeens_server.errors import ConfigError, EvidenceError
from codeens_server.views.run_view import document_view
from codeens_server.workspace.environment import environments_of
from tests.sandbox_backends.machine import why_not

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("sandbox")]
SCALED = '''from rates import RATE


def scaled(items: list[int]) -> list[int]:
    """Each times the rate.

    >>> scaled([])
    []
    """
    result = []
    for item in items:
        result.append(item * RATE)
    return result
'''
RIGHT = "def scaled(items: list[int]) -> list[int]:\n    return [item * RATE for item in items]\n"
HERE_ONLY = "def scaled(items: list[int]) -> list[int]:\n    return [item + item + item for item in items]\n"
THERE_RAISES = (
    "def scaled(items: list[int]) -> list[int]:\n    return [[0, 0, 0, item * RATE][RATE] for item in items]\n"
)


def environment(folder: Path, rate: int) -> str:
    """A virtual environment with a package of its own."""
    venv.create(folder, symlinks=True)
    site = next(folder.glob("lib/python3.*/site-packages"))
    (site / "rates.py").write_text(f"RATE = {rate}\n", encoding="utf-8")
    return str(folder / "bin" / "python")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("environments")
    (root / "pyproject.toml").touch()
    (root / "mod.py").write_text(SCALED, encoding="utf-8")
    environment(root / ".venv", 3)
    environment(root / "other", 5)
    return root


async def judged(workspace: Path, candidates: Mapping[str, str], *python: str) -> RunDocument:
    if reason := why_not("local"):
        pytest.skip(reason)
    settings = {"max_inputs": 8, "max_mutants": 0, "effort": "quick", "results": str(workspace / ".results")}
    async with Session(workspace, settings=settings, trusted=True) as session:
        return (await session.judge("mod.py::scaled", candidates, python=python)).document


@pytest.mark.scene
async def test_verdict_and_speed_stand_for_each_interpreter(workspace: Path):
    names = (".venv/bin/python", "other/bin/python")
    run = await judged(workspace, {"right": RIGHT, "here": HERE_ONLY, "raises": THERE_RAISES}, *names)
    rows = {row.candidate.id: row for row in run.results}
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    other = f"{own} ({workspace / 'other' / 'bin' / 'python'})"

    right = rows["right"]
    assert right.verdict.status == "passed"
    assert [(there.python, there.status) for there in right.verdict.environments] == [
        (own, "passed"),
        (other, "passed"),
    ]
    assert [there.python for there in right.measurement.environments] == [own, other]
    known = [there.speed.low for there in right.measurement.environments if there.speed]
    assert right.speed is None or right.speed.low == min(known)
    assert f"holds with Python {own}" in right.reason

    here = rows["here"].verdict
    assert here.status == "failed"
    assert here.reason.startswith(f"Python {other}: differs on ")
    assert [there.status for there in here.environments] == ["passed", "failed"]
    assert [there.short for there in rows["raises"].verdict.environments] == ["", "IndexError"]

    view = document_view(run)
    shown = view.row("raises")
    assert shown is not None
    assert f"{own} ✓ {other}: IndexError" in shown.verdict.detail
    assert f"with Python {own}, {other}" in view.evidence
    assert any("does something else on" in note.text for note in view.notes)


@pytest.mark.scene
async def test_by_default_there_is_the_workspaces_own_interpreter_alone(workspace: Path):
    run = await judged(workspace, {"here": HERE_ONLY})
    (row,) = run.results
    assert row.verdict.status == "passed"
    assert (row.verdict.environments, row.measurement.environments) == ((), ())
    assert run.evidence.python == f"{sys.version_info[0]}.{sys.version_info[1]}"


async def test_what_ends_a_run_is_raised_as_it_is(workspace: Path):
    (workspace / "lost.py").write_text("import nowhere_at_all\n\n\ndef f(n: int):\n    return n\n", encoding="utf-8")
    if reason := why_not("local"):
        pytest.skip(reason)
    async with Session(workspace, settings={"results": str(workspace / ".results")}) as session:
        with pytest.raises(EvidenceError, match="lost cannot be loaded"):
            await session.judge("lost.py::f", {"a": "def f(n: int):\n    return n + 0\n"})


async def test_an_interpreter_in_which_the_module_cannot_be_loaded_is_named(workspace: Path):
    bare = workspace / "bare"
    venv.create(bare, symlinks=True)
    with pytest.raises(EvidenceError, match=r"mod cannot be loaded with .*bare/bin/python.*No module named 'rates'"):
        await judged(workspace, {"right": RIGHT}, ".venv/bin/python", "bare/bin/python")


def test_interpreters_are_named_by_path_or_version_and_each_counts_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    installed = tmp_path / "pyenv" / "versions"
    for version in ("3.12.9", "3.12.10"):
        (installed / version / "bin").mkdir(parents=True)
        (installed / version / "bin" / "python3.12").symlink_to(sys.executable)
    shims = tmp_path / "shims"
    shims.mkdir()
    (shims / "python3.12").write_text("#!/bin/sh\n", encoding="utf-8")
    (shims / "python3.9").write_text("#!/bin/sh\n", encoding="utf-8")
    for shim in shims.iterdir():
        shim.chmod(0o755)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("PATH", str(shims))

    latest = installed / "3.12.10" / "bin" / "python3.12"
    assert environments_of(tmp_path, ("3.12", str(latest)), Settings()) == (latest,)
    assert environments_of(tmp_path, (), Settings(python=sys.executable)) == (Path(sys.executable),)
    for name in ("3.9", "3.8", "nowhere/python"):
        with pytest.raises(ConfigError, match="does not name an interpreter"):
            environments_of(tmp_path, (name,), Settings())
