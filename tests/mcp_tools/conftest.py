"""A workspace with one module, and a client of a server that works in it."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from codeens_mcp_tools.context import AppContext, ServerOptions, open_context
from codeens_mcp_tools.server import make_server
from tests.mcp_tools.calling import Caller
from tests.quick import QUICK
from tests.sandbox_backends.machine import why_not

SUMS = '''"""Sums."""

from __future__ import annotations

__all__ = ["short_races"]


def unique(items: list[int]) -> list[int]:
    """Each item once, in order.

    >>> unique([2, 1, 2])
    [2, 1]
    """
    found = []
    for item in items:
        if item not in found:
            found.append(item)
    return found
'''

isolated = pytest.mark.skipif(why_not("local") != "", reason=f"no isolation here: {why_not('local')}")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """The folder that the server may use."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "pyproject.toml").write_text("", encoding="utf-8")
    (folder / "sums.py").write_text(SUMS, encoding="utf-8")
    return folder


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """No key, no setting, and runs are kept beside the workspace."""
    return {"CODEENS_RESULTS": str(tmp_path / "results"), "CODEENS_MAX_INPUTS": "12", **QUICK}


@pytest.fixture(scope="session", autouse=True)
def schemas_are_not_checked_by_each_client() -> Generator[None]:
    """That each is one is shown in test_offering.py; a client that checked it anew would take half a second for it."""
    from jsonschema import Draft202012Validator

    def nothing(schema: Any, **more: Any) -> None:
        del schema, more

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Draft202012Validator, "check_schema", staticmethod(nothing))
        yield


@asynccontextmanager
async def opened(workspace: Path, environ: Mapping[str, str]) -> AsyncGenerator[tuple[AppContext, Caller]]:
    """A server's app and a client of it, in this process."""
    async with (
        open_context(ServerOptions(roots=(workspace,), environ=environ)) as app,
        Client(make_server(app)) as client,
    ):
        app.desk.hand_over_after_s = 300  # a busy machine is not what the tests are about
        yield app, Caller(client)


@pytest.fixture
async def caller(workspace: Path, environ: dict[str, str], anyio_backend: str) -> AsyncGenerator[Caller]:
    async with opened(workspace, environ) as (_, caller):
        yield caller


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of the test's own: no settings of the user's, and nothing written there."""
    folder = tmp_path / "home"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith(("XDG_", "CODEENS_"))]:
        if name not in ("CODEENS_DATA", "CODEENS_NPM_TOOLS"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(folder))
    return folder
