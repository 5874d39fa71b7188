"""`start_ensemble`, `get_run`, `cancel_run`: long work by the id of a run."""

from __future__ import annotations

import os
from pathlib import Path

import anyio
import pytest

from tests.e2e.ensemble import fenced
from tests.e2e.program import Process, descendants, until_begun, until_gone
from tests.loopback.server import ModelServer
from tests.mcp_tools.calling import DICT, Caller
from tests.mcp_tools.conftest import SUMS, isolated, opened
from tests.mcp_tools.test_generate import configure

pytestmark = [pytest.mark.scene, pytest.mark.anyio, isolated]
TARGET = "sums.py::unique"
UNWRITTEN = "def add(a: int, b: int) -> int:\n    '''The sum.'''\n"


async def test_a_run_is_started_followed_and_found_again_by_another_server(
    workspace: Path, environ: dict[str, str]
) -> None:
    async with opened(workspace, environ) as (_, caller):
        started = await caller.call("start_ensemble", target=TARGET, goal="speed")
        run_id = started.document["run_id"]
        assert started.document["state"] == "running"
        assert f"get_run(id={run_id!r}" in started.text
        assert "no result yet" in await caller.refused("apply_candidate", id=run_id)
        done = await caller.finished(run_id)
        page = await caller.call("get_run", id=run_id, offset=99)
    async with opened(workspace, environ) as (_, other):
        again = await other.call("get_run", id=run_id.partition("-")[2])
        patch = await other.call("apply_candidate", id=run_id, rank=1)

    assert done.document["state"] == "finished"
    assert done.document["result"]["goal"] == "speed"
    assert "past the end" in page.text
    assert "No candidate passed" not in page.text
    assert [told.progress for told in done.progress] == sorted({told.progress for told in done.progress})
    assert again.document["result"] == done.document["result"]
    assert "+" in patch.document["patch"]
    assert (workspace / "sums.py").read_text(encoding="utf-8") == SUMS


async def test_a_cancelled_run_leaves_neither_model_calls_nor_sandboxes(
    caller: Caller, home: Path, environ: dict[str, str]
) -> None:
    environ["LOOPBACK_KEY"] = "sk-loopback-0123456789abcdef"
    before = descendants(os.getpid())
    async with ModelServer(answer=lambda _: "", script={"*": ["hang"]}) as server:
        configure(home, server, "slow")
        started = await caller.call("start_ensemble", target=TARGET, variants=["baseline"])
        with anyio.fail_after(100):
            await server.until_asked()
        under_way = descendants(os.getpid()) - before
        ended = await caller.call("cancel_run", id=started.document["run_id"])
        with anyio.fail_after(100):
            await server.until_left()

    assert ended.document["state"] == "finished"
    assert ended.document["result"]["summary"]["stopped"] == "cancelled"
    until_gone(under_way)


async def test_cancelling_a_call_ends_its_sandboxes(caller: Caller) -> None:
    slow = "def unique(items):\n    import time\n    time.sleep(600)\n"
    before = descendants(os.getpid())
    begun = anyio.Event()
    under_way: set[Process] = set()

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        if message and "generated" in message:
            begun.set()

    async def call() -> None:
        arguments = {"target": TARGET, "candidates": [{"id": "slow", "source": slow}]}
        await caller.client.call_tool("score", arguments, progress_callback=hear)

    async with anyio.create_task_group() as group:
        group.start_soon(call)
        with anyio.fail_after(100):
            await begun.wait()
            under_way = await until_begun(os.getpid(), before)
        group.cancel_scope.cancel()
    until_gone(under_way)


async def test_the_end_of_the_server_ends_its_runs(workspace: Path, environ: dict[str, str], home: Path) -> None:
    environ["LOOPBACK_KEY"] = "sk-loopback-0123456789abcdef"
    before = descendants(os.getpid())
    async with ModelServer(answer=lambda _: fenced(DICT["source"]), script={"*": ["hang"]}) as server:
        configure(home, server, "slow")
        async with opened(workspace, environ) as (_, caller):
            await caller.call("start_ensemble", target=TARGET, variants=["baseline"])
            with anyio.fail_after(100):
                await server.until_asked()
        with anyio.fail_after(100):
            await server.until_left()
    until_gone(descendants(os.getpid()) - before)


async def test_only_so_many_runs_go_on_at_once(caller: Caller, home: Path, environ: dict[str, str]) -> None:
    environ["LOOPBACK_KEY"] = "sk-loopback-0123456789abcdef"
    async with ModelServer(answer=lambda _: "", script={"*": ["hang"]}) as server:
        configure(home, server, "slow")
        ids = [
            (await caller.call("start_ensemble", code=UNWRITTEN, variants=["baseline"])).document["run_id"]
            for _ in range(8)
        ]
        said = await caller.refused("start_ensemble", target=TARGET)
        for run_id in ids:
            await caller.call("cancel_run", id=run_id)

    assert "8 runs are under way" in said
    assert ids[0] in said


@pytest.mark.parametrize("tool", ["get_run", "cancel_run", "apply_candidate"])
async def test_a_run_that_is_not_there_is_told_so(caller: Caller, tool: str) -> None:
    assert "start_ensemble and score give ids" in await caller.refused(tool, id="20200101-abcdef")


async def test_what_can_not_be_run_is_refused_before_anything_is_written(caller: Caller, tmp_path: Path) -> None:
    code = "def add(a, b):\n    '''The sum.'''\n"

    said = await caller.refused("start_ensemble", code=code)

    assert "prompts_only=true" in said
    assert not list((tmp_path / "results").glob("run_*"))
