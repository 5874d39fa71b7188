"""Code that comes with calls is kept as files: as long as a run is about it, else for an hour."""

from __future__ import annotations

import os
import time
from pathlib import Path

import anyio
import pytest

from tests.mcp_tools.calling import SORTED
from tests.mcp_tools.conftest import SUMS, isolated, opened

pytestmark = [pytest.mark.scene, pytest.mark.anyio, isolated]
AN_HOUR = 3600


def codes(results: Path) -> dict[str, Path]:
    """The folders that hold code, by the first line of what they hold."""
    files = results.glob("given*/*/given.py")
    return {path.read_text(encoding="utf-8").splitlines()[0]: path.parent for path in files}


def age(folder: Path) -> None:
    """As if nobody had brought that code for more than an hour."""
    before = time.time() - AN_HOUR - 60
    os.utime(folder, (before, before))


@pytest.mark.parametrize("database", ["of the results", "of its own"])
async def test_code_that_no_run_needs_is_removed_and_what_a_run_is_about_stays(
    workspace: Path, environ: dict[str, str], tmp_path: Path, database: str
) -> None:
    results = tmp_path / "results"
    if database == "of its own":
        environ["CODEENS_DATABASE_URL"] = f"sqlite:///{tmp_path / 'runs.db'}"
    async with opened(workspace, environ) as (_, caller):
        for name in ("old", "fresh"):
            await caller.call("generate_variants", code=f"# {name}\n{SUMS}", prompts_only=True)
        scored = await caller.call("score", original=f"# scored\n{SUMS}", candidates=[SORTED])
    assert set(codes(results)) == {"# old", "# fresh", "# scored"}
    age(codes(results)["# old"])
    age(codes(results)["# scored"])

    async with opened(workspace, environ) as (_, other):
        await other.call("generate_variants", code=f"# new\n{SUMS}", prompts_only=True)
        with anyio.fail_after(60):
            while "# old" in codes(results):  # noqa: ASYNC110  # a file system tells nobody
                await anyio.sleep(0.01)
        patch = await other.resource(f"run://{scored.document['run_id']}/sorted/diff")

    assert set(codes(results)) == {"# fresh", "# scored", "# new"}
    assert "+    return sorted(set(items))" in patch
    assert not list(results.glob("given*/*/.writing-*"))
