"""A workspace with one function, and a session on it that keeps its runs in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

import codeens
from tests.codeens.sources import SLOW
from tests.quick import short_races
from tests.sandbox_backends.machine import why_not

__all__ = ["short_races"]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text("", encoding="utf-8")
    (folder / "tools.py").write_text(SLOW, encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def long_searches(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is, the smallest input is found: for how long it is searched is not looked at."""
    monkeypatch.setattr("codeens._comparing._SEARCH_S", 90.0)
    monkeypatch.setattr("codeens_server.judging.shrinking._LIMITS", codeens.Limits(wall_s=60.0, call_s=30.0))


@pytest.fixture
def session(workspace: Path, tmp_path: Path) -> codeens.Session:
    if why := why_not("local"):
        pytest.skip(why)
    settings = {"results": str(tmp_path / "results"), "max_inputs": 10, "max_mutants": 2, "effort": "quick"}
    return codeens.Session(workspace, settings=settings, environ={})
