"""A dashboard over a store with one finished run, asked in process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from codeens import Session
from codeens_server.dashboard.app import Dashboard
from codeens_server.dashboard.guard import GuardedDoor
from tests.quick import short_races
from tests.server import facts

__all__ = ["short_races"]
DOOR = GuardedDoor(host="127.0.0.1", port=8765, token="a-token-of-twenty-letters")
RUN = "20260101-aaaaaa"
KEY = "a-key-that-nobody-may-see"
ENVIRON = {"OPENAI_API_KEY": KEY}


@pytest.fixture
async def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Session]:
    """One that looks at the settings of a user and of a workspace in this folder, and at nothing else."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    settings = {"results": str(tmp_path / "results"), "effort": "quick", "max_inputs": 10, "max_mutants": 0}
    async with Session(tmp_path, settings=settings, environ=ENVIRON) as opened:
        target = facts.target_in(tmp_path)
        store = await opened.opened_store()
        state = await facts.keep(store, facts.found(target, RUN))
        await facts.add(store, state, facts.finished(RUN, target))
        yield opened


@pytest.fixture
async def stranger(session: Session) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who does not know the token."""
    async with Dashboard(session, DOOR).opened() as app:
        address = f"http://{DOOR.host}:{DOOR.port}"
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=address) as client:
            yield client


@pytest.fixture
def client(stranger: httpx.AsyncClient) -> httpx.AsyncClient:
    """Somebody who does."""
    stranger.headers["authorization"] = f"Bearer {DOOR.token}"
    return stranger
