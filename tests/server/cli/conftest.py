"""The command line as a user meets it: own folders, no settings, a workspace to stand in."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest
from click.testing import CliRunner, Result

from codeens._scripts.codeens import main
from codeens_server.config.settings import Settings
from codeens_server.domain.document import RunDocument
from codeens_server.run.events import (
    CandidateGenerated,
    CandidateJudged,
    EvidenceGathered,
    RunFinished,
    RunStarted,
    StoredEvent,
)
from codeens_server.store.opening import open_store
from tests.quick import QUICK, short_races
from tests.server import facts

__all__ = ["short_races"]

Codeens = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders of a user who never used codeens; no key in the environment, and runs are quick."""
    for name in list(os.environ):
        if name.startswith("CODEENS_") or name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
    for name, value in QUICK.items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "home"
    for variable, place in (("XDG_DATA_HOME", "data"), ("XDG_CONFIG_HOME", "config")):
        monkeypatch.setenv(variable, str(folder / place))
    return folder


@pytest.fixture
def here(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with one file, and the current folder."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "pyproject.toml").write_text("", encoding="utf-8")
    facts.workspace(folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def codeens(here: Path) -> Codeens:
    """Runs a command line in the workspace."""

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, list(arguments))

    return run


@pytest.fixture
def keep(here: Path) -> Callable[[RunDocument], None]:
    """Puts the document of an ended run into the user's store."""

    async def store(run: RunDocument) -> None:
        with open_store(Settings()) as opened:
            events: list[StoredEvent] = [
                RunStarted(run_id=run.run_id, request=facts.request(run.target), target=run.target),
                EvidenceGathered(evidence=run.evidence),
            ]
            for row in run.results:
                events.append(CandidateGenerated(candidate=row.candidate))
                events.append(CandidateJudged(candidate_id=row.candidate.id, verdict=row.verdict))
            await facts.keep(opened, [*events, RunFinished(run=run)])

    return lambda run: anyio.run(store, run)


@pytest.fixture
def ended(here: Path, keep: Callable[[RunDocument], None]) -> RunDocument:
    """An ended run of the workspace's function, in the store."""
    run = facts.run_document("20260101-abcdef", facts.target_in(here))
    keep(run)
    return run
