"""Reads and writes stay inside the allowed folders, whatever path is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeens_mcp_tools.errors import ToolError
from codeens_mcp_tools.roots import Roots
from tests.mcp_tools.calling import DICT, SORTED, Caller
from tests.mcp_tools.conftest import SUMS, isolated, opened

OUTSIDE = "outside of the folders"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A module beside the workspace."""
    path = tmp_path / "secret.py"
    path.write_text("def unique(items):\n    return 'secret'\n", encoding="utf-8")
    return path


def test_a_path_inside_is_resolved_from_the_first_root(tmp_path: Path) -> None:
    assert Roots([tmp_path]).resolve("a/../b.py") == tmp_path / "b.py"


@pytest.mark.parametrize("name", ["../b.py", "a/../../b.py", "/etc/passwd", "~/b.py", "", "..", "a\0b"])
def test_a_path_outside_is_refused(tmp_path: Path, name: str) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    if name:
        with pytest.raises(ToolError):
            Roots([inside]).resolve(name)
    else:
        assert Roots([inside]).resolve(name) == inside


def test_a_folder_whose_name_only_begins_like_a_root_is_outside(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    with pytest.raises(ToolError, match=OUTSIDE):
        Roots([tmp_path / "work"]).resolve(str(tmp_path / "work-of-others" / "a.py"))


@pytest.mark.anyio
@pytest.mark.parametrize("how", ["dots", "absolute", "file link", "folder link"])
async def test_a_function_outside_is_not_read(caller: Caller, workspace: Path, secret: Path, how: str) -> None:
    (workspace / "link.py").symlink_to(secret)
    (workspace / "folder").symlink_to(secret.parent)
    path = {"dots": "../secret.py", "absolute": str(secret), "file link": "link.py", "folder link": "folder/secret.py"}

    for name in ("start_ensemble", "generate_variants"):
        said = await caller.refused(name, target=f"{path[how]}::unique")
        assert OUTSIDE in said
        assert "'secret'" not in said


@pytest.mark.anyio
async def test_a_workspace_that_reaches_beyond_the_root_is_refused(workspace: Path, environ: dict[str, str]) -> None:
    inner = workspace / "inner"
    inner.mkdir()
    (inner / "sums.py").write_text(SUMS, encoding="utf-8")

    async with opened(inner, environ) as (_, caller):
        said = await caller.refused("score", target="sums.py::unique", candidates=[DICT])

    assert "--root" in said


@pytest.mark.anyio
@isolated
async def test_runs_of_other_folders_are_not_told(tmp_path: Path, workspace: Path, environ: dict[str, str]) -> None:
    async with opened(workspace, environ) as (_, caller):
        scored = await caller.call("score", target="sums.py::unique", candidates=[SORTED])
        given = await caller.call("score", original=SUMS, candidates=[SORTED])
    (tmp_path / "other").mkdir()
    async with opened(tmp_path / "other", environ) as (_, caller):
        said = await caller.refused("get_run", id=scored.document["run_id"])
        told = await caller.call("get_run", id=given.document["run_id"])

    assert OUTSIDE in said
    assert told.document["state"] == "finished"
