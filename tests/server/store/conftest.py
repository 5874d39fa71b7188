"""Stores in both kinds of database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from codeens_server.config.settings import Settings
from codeens_server.store.opening import open_store
from codeens_server.store.runs import RunStore
from tests.server.store import postgresql


@pytest.fixture(scope="session")
def server() -> Iterator[postgresql.Server]:
    """A PostgreSQL that is there for all tests of a worker."""
    if reason := postgresql.why_not():
        pytest.skip(reason)
    with postgresql.started() as running:
        yield running


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "data" / "results"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.xdist_group("postgresql"))])
def settings(request: pytest.FixtureRequest, results: Path) -> Settings:
    """Settings of an empty store."""
    if request.param == "sqlite":
        return Settings(results=str(results))
    server: postgresql.Server = request.getfixturevalue("server")
    return Settings(results=str(results), database_url=server.new_database())


@pytest.fixture
def store(settings: Settings) -> Iterator[RunStore]:
    with open_store(settings) as opened:
        yield opened
