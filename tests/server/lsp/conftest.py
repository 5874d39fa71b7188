"""One event loop for a file of tests: a server is started once, and many tests look at it."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"
