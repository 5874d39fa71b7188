"""The Docker daemon that tests of this folder share."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.sandbox_backends.daemon import Daemon, started_daemon, why_no_daemon


@pytest.fixture(scope="session")
def shared_daemon() -> Generator[Daemon]:
    """Started when first asked for; at the end it must have no container left."""
    reason = why_no_daemon()
    if reason:
        pytest.skip(reason)
    with started_daemon() as daemon:
        yield daemon
        assert daemon.containers() == []


@pytest.fixture
def daemon(shared_daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> Daemon:
    """The shared daemon, as the one that codeens finds."""
    monkeypatch.setenv("DOCKER_HOST", shared_daemon.host)
    return shared_daemon
