"""Calls that take long are handed over to an id; what was begun is found by every server of the store."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest

from codeens_mcp_tools.context import AppContext, ServerOptions, open_context
from codeens_server.store.calls import CallRecord
from tests.mcp_tools.conftest import isolated, opened

pytestmark = [pytest.mark.scene, pytest.mark.anyio]
SLEEPS: dict[str, Any] = {"code": "import time\ntime.sleep(1)\nprint('awake')\n"}


async def keep(app: AppContext, **what: Any) -> None:
    """Keep a record as another server does."""
    now = time.time()
    fields: dict[str, Any] = {"tool": "score", "root": str(app.roots.first), "began": now, "beat": now, **what}
    await (await (await app.session()).opened_store()).calls.put(CallRecord(**fields))


@isolated
async def test_a_long_call_goes_on_by_an_id_that_other_servers_know(workspace: Path, environ: dict[str, str]) -> None:
    async with opened(workspace, environ) as (app, caller), opened(workspace, environ) as (_, other):
        app.desk.hand_over_after_s = 0
        begun = await caller.call("run_in_sandbox", **SLEEPS)
        run_id = begun.document["run_id"]
        seen = await other.call("get_run", id=run_id)
        done = await caller.call("get_run", id=run_id, wait_seconds=45)
        listed = await other.call("list_runs")
    async with opened(workspace, environ) as (_, later):
        again = await later.call("get_run", id=run_id)

    assert begun.document["state"] == seen.document["state"] == "running"
    assert f"get_run(id={run_id!r}" in begun.document["summary"]
    assert done.document["scripts"][0]["stdout"] == "awake\n"
    assert again.document["scripts"] == done.document["scripts"]
    assert again.text == done.text
    assert [line["run_id"] for line in listed.document["runs"]] == [run_id]


@isolated
async def test_a_call_that_was_handed_over_can_be_ended(workspace: Path, environ: dict[str, str]) -> None:
    async with opened(workspace, environ) as (app, caller):
        app.desk.hand_over_after_s = 0
        run_id = (await caller.call("run_in_sandbox", code="while True: pass")).document["run_id"]
        said = await caller.refused("cancel_run", id=run_id)
    async with opened(workspace, environ) as (_, other):
        kept = await other.call("get_run", id=run_id)

    assert "was ended" in said
    assert kept.document["state"] == "failed"
    assert "was ended" in kept.text


async def test_what_other_servers_do_is_told_by_their_signs_of_life(workspace: Path, environ: dict[str, str]) -> None:
    async with opened(workspace, environ) as (app, caller):
        await keep(app, id="20260101-alive")
        await keep(app, id="20260101-gone", beat=time.time() - 1000)
        await keep(app, id="20260101-failed", state="failed", failure="No key is set.")
        await keep(app, id="20260101-elsewhere", root="/elsewhere")
        alive, gone, failed = [
            await caller.call("get_run", id=f"20260101-{name}") for name in ("alive", "gone", "failed")
        ]
        refused = await caller.refused("get_run", id="20260101-elsewhere")
        listed = await caller.call("list_runs")

    assert [answer.document["state"] for answer in (alive, gone, failed)] == ["running", "interrupted", "failed"]
    assert "No key is set." in failed.text
    assert "outside" in refused
    assert "20260101-elsewhere" not in listed.text


async def test_the_end_of_the_server_does_not_wait_for_what_is_being_imported(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_begun, may_end = threading.Event(), threading.Event()

    def slow(*_: object) -> None:
        has_begun.set()
        may_end.wait()

    monkeypatch.setattr("codeens_mcp_tools.session.AgentSession", slow)
    try:
        async with open_context(ServerOptions(roots=(workspace,), environ={})) as app:
            app.prepare()
            await anyio.to_thread.run_sync(has_begun.wait)
        assert not may_end.is_set()
    finally:
        may_end.set()


async def test_lists_of_runs_come_in_pages(workspace: Path, environ: dict[str, str]) -> None:
    async with opened(workspace, environ) as (app, caller):
        for number in range(53):
            await keep(app, id=f"20260101-{number:03}", began=1e9 + number, state="finished")
        first = await caller.call("list_runs", limit=2)
        second = await caller.call("list_runs", limit=2, offset=first.document["next_offset"])
        resources = await caller.client.list_resources()
        rest = await caller.client.list_resources(cursor=resources.next_cursor)

    assert [line["run_id"][-3:] for line in first.document["runs"]] == ["052", "051"]
    assert [line["run_id"][-3:] for line in second.document["runs"]] == ["050", "049"]
    assert "offset=2" in first.text
    assert [resource.name[-3:] for resource in rest.resources] == ["002", "001", "000"]
    assert rest.next_cursor is None


@isolated
async def test_a_run_is_known_before_there_is_evidence_and_says_later_why_it_failed(
    workspace: Path, environ: dict[str, str]
) -> None:
    (workspace / "sums.py").write_text("def unique(items):\n    return list(items)\n", encoding="utf-8")
    async with opened(workspace, environ) as (_, caller):
        run_id = (await caller.call("start_ensemble", target="sums.py::unique")).document["run_id"]
        await caller.finished(run_id)
    async with opened(workspace, environ) as (_, other):
        kept = await other.call("get_run", id=run_id)

    assert kept.document["state"] == "failed"
    assert kept.document["function"] == "unique"
    assert "no candidate was made" in kept.text
