"""The Docker daemon and the fake services that tests of this folder share."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

from tests.sandbox_backends.daemon import Daemon, started_daemon, why_no_daemon
from tests.sandbox_backends.fake_machine.machine import why_no_machines

if TYPE_CHECKING:
    from tests.sandbox_backends.daytona_fake.service import Service
    from tests.sandbox_backends.e2b_fake.api import FakeE2B


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


@pytest.fixture(scope="session")
def shared_daytona() -> Generator[Service]:
    """Started when first asked for."""
    from tests.sandbox_backends.daytona_fake.service import started_service  # takes a second

    reason = why_no_machines()
    if reason:
        pytest.skip(reason)
    with started_service() as service:
        yield service


@pytest.fixture
def daytona(shared_daytona: Service, monkeypatch: pytest.MonkeyPatch) -> Generator[Service]:
    """The shared fake of Daytona, as the service that codeens finds. At the end nothing may be left in it."""
    for name in ("DAYTONA_TARGET", "CODEENS_DAYTONA_SNAPSHOT", "CODEENS_DAYTONA_PYTHON", "CODEENS_DAYTONA_SANDBOXES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DAYTONA_API_KEY", shared_daytona.key)
    monkeypatch.setenv("DAYTONA_API_URL", shared_daytona.url)
    shared_daytona.reset()
    yield shared_daytona
    left, errors = shared_daytona.sandboxes, list(shared_daytona.errors)
    shared_daytona.reset()
    assert (left, errors) == ([], [])


@pytest.fixture(scope="session")
def shared_e2b() -> Generator[FakeE2B]:
    """Started when first asked for."""
    from tests.sandbox_backends.e2b_fake.api import fake_e2b  # takes a second

    reason = why_no_machines()
    if reason:
        pytest.skip(reason)
    with fake_e2b() as fake:
        yield fake


@pytest.fixture
def e2b(shared_e2b: FakeE2B, monkeypatch: pytest.MonkeyPatch) -> Generator[FakeE2B]:
    """The shared fake of E2B, as the service that codeens finds. At the end nothing may be left in it."""
    for name in ("E2B_DOMAIN", "CODEENS_E2B_TEMPLATE", "CODEENS_E2B_PYTHON", "CODEENS_E2B_SANDBOXES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("E2B_API_KEY", shared_e2b.key)
    monkeypatch.setenv("E2B_API_URL", shared_e2b.url)
    monkeypatch.setenv("E2B_SANDBOX_URL", shared_e2b.url)
    shared_e2b.reset()
    yield shared_e2b
    left, errors = shared_e2b.alive, list(shared_e2b.errors)
    shared_e2b.reset()
    assert (left, errors) == ([], [])
