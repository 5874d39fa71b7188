"""LiteLLM waits between retries as its environment says when it is imported."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

from tests.quick import drawn_cases, short_races
from tests.sandbox_backends.daemon import started_daemon, why_no_daemon

__all__ = ["drawn_cases", "short_races"]

os.environ.setdefault("INITIAL_RETRY_DELAY", "0.01")
os.environ.setdefault("JITTER", "0")


@pytest.fixture
def daemon_host() -> Generator[str]:
    """The address of a Docker daemon of the test's own; at the end it must have no container left."""
    if reason := why_no_daemon():
        pytest.skip(reason)
    with started_daemon() as daemon:
        yield daemon.host
        assert daemon.containers() == []
