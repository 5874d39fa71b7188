from __future__ import annotations

from pathlib import Path

import pytest

from codeens_server.measuring import measure
from codeens_server.run import engine, execution, report
from tests.server.run import fakes


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> fakes.World:
    backend = fakes.FakeBackend()
    monkeypatch.setattr(engine, "get_backend", {"fake": backend}.__getitem__)
    monkeypatch.setattr(execution, "gather", fakes.known_evidence)
    monkeypatch.setattr(execution.Prober, "fresh_cases", fakes.known_cases)
    monkeypatch.setattr(execution.Prober, "sized_cases", fakes.no_cases)
    monkeypatch.setattr(measure, "readability", fakes.easy_to_read)
    monkeypatch.setattr(report, "DIFFERENCES_BUDGET_S", 0.0)
    return fakes.World(tmp_path, backend)
