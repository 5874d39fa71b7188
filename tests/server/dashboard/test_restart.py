"""A dashboard that is started again goes on with what the last one was interrupted in."""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from html import unescape
from pathlib import Path

import anyio
import httpx
import pytest
from msgspec.structs import replace

from codeens import RunState, Session
from codeens_sandbox_backends.base import NodeState
from codeens_sandbox_backends.executor import Executor
from codeens_server.dashboard.app import Dashboard
from codeens_server.dashboard.takeover import Takeover
from codeens_server.run.events import StoredEvent
from codeens_server.run.sandboxes import SandboxUse
from codeens_server.store.calls import CallRecord
from codeens_server.store.runs import RunStore
from tests.e2e.program import descendants, until_gone
from tests.quick import QUICK
from tests.sandbox_backends.machine import why_not
from tests.server.dashboard.conftest import DOOR

pytestmark = pytest.mark.anyio
UNIQUE = """def unique(items: list[int]) -> list[int]:
    found = []
    for item in items:
        if item not in found:
            found.append(item)
    return found
"""
_NO_PROCESS = 1 << 22
"""More than Linux counts to."""
SETTINGS = {"effort": "quick", "max_inputs": 10, "max_mutants": 0}


@asynccontextmanager
async def dashboard(folder: Path) -> AsyncGenerator[tuple[Session, httpx.AsyncClient]]:
    settings = {**SETTINGS, "results": str(folder / "results")}
    async with Session(folder, settings=settings, environ={}) as session, Dashboard(session, DOOR).opened() as app:
        address, headers = f"http://{DOOR.host}:{DOOR.port}", {"authorization": f"Bearer {DOOR.token}"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=address, headers=headers) as client:
            yield session, client


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    (tmp_path / "lists.py").write_text(UNIQUE, encoding="utf-8")
    return tmp_path


async def test_a_run_that_the_end_of_the_server_interrupted_is_gone_on_with_by_the_next(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, is_kept = RunStore.append, anyio.Event()

    async def append_and_tell(
        store: RunStore, state: RunState, *events: StoredEvent, sandboxes: Sequence[SandboxUse] = ()
    ) -> None:
        await append(store, state, *events, sandboxes=sandboxes)
        is_kept.set()

    with monkeypatch.context() as patch:
        patch.setattr(RunStore, "append", append_and_tell)
        patch.setattr(Executor, "nodes", (NodeState(host="far", cpus=7, done=3, why="it died"),))
        async with dashboard(folder) as (_, client):
            started = await client.post(
                "/api/runs",
                content=json.dumps({"target": "lists.py::unique", "options": {"variants": ["performance"]}}).encode(),
            )
            run_id = started.json()["run_id"]
            (at,) = (await client.get("/api/activity")).json()
            page = (await client.get("/")).text
            with anyio.fail_after(60):
                await is_kept.wait()
    async with Session(folder, settings={"results": str(folder / "results")}, environ={}) as between:
        interrupted = (await between.state(run_id)).document is None
    async with dashboard(folder) as (session, client):
        with anyio.fail_after(60):
            kinds = [str(event.__struct_config__.tag) async for event in session.follow(run_id)]
            sent = (await client.get(f"/api/runs/{run_id}/events")).text
        used = [each for each in (await client.get("/api/usage")).json()["sandboxes"] if each["run_id"] == run_id]

    assert (at["run_id"], at["parallel"]) == (run_id, 2)
    assert [(node["host"], node["cpus"], node["done"]) for node in at["nodes"]] == [("far", 7, 3)]
    assert '<th scope="row">far</th>' in page
    assert "it died</td>" in page
    assert interrupted
    assert [each["closed"] is not None and each["jobs"] > 0 for each in used] == [True, True]
    assert (kinds[0], kinds[-1]) == ("run_started", "run_finished")
    assert "run_resumed" in kinds
    assert [line[7:] for line in sent.splitlines() if line.startswith("event: ") and "progress" not in line] == kinds


async def test_only_what_dashboards_of_this_workspace_left_on_this_machine_is_gone_on_with(folder: Path) -> None:
    taken: list[str] = []
    last_seen = anyio.Event()

    async def go_on(run_id: str) -> None:
        taken.append(run_id)
        if run_id == "the oldest":
            last_seen.set()

    async with Session(folder, settings={"results": str(folder / "results")}, environ={}) as session:
        store = await session.opened_store()
        gone = f"{platform.node()}:{_NO_PROCESS}"
        ours = CallRecord(id="the oldest", tool="dashboard", root=str(session.root), began=1.0, beat=1.0, text=gone)
        silent = replace(ours, id="silent", text=f"{platform.node()}:{os.getppid()}", began=2.0)
        others = [
            replace(ours, id="another workspace", root="/elsewhere", began=3.0),
            replace(ours, id="another machine", text="another-machine:1", began=3.0),
            replace(ours, id="finished", state="finished", began=3.0),
            replace(ours, id="an agent", tool="run_ensemble", began=3.0),
            replace(silent, id="another dashboard that lives", beat=time.time(), began=3.0),
        ]
        for record in (ours, silent, *others):
            await store.calls.put(record)
        async with anyio.create_task_group() as group:
            group.start_soon(Takeover(session).watch, go_on)
            with anyio.fail_after(100):
                await last_seen.wait()
            group.cancel_scope.cancel()

    assert taken == ["silent", "the oldest"]


@contextmanager
def installed(folder: Path) -> Generator[tuple[subprocess.Popen[str], httpx.Client]]:
    """The installed command in a process of its own, and somebody with the address that it printed."""
    command = [sys.executable, "-m", "codeens", "dashboard", "--port", "0"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CODEENS_")}
    environ = {**kept, **QUICK, "XDG_DATA_HOME": str(folder / "data"), "HOME": str(folder)}
    with subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url, _, token = server.stdout.readline().strip().partition("?token=")
            headers = {"authorization": f"Bearer {token}"}
            with httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False) as client:
                yield server, client
        finally:
            server.kill()


def followed(client: httpx.Client, run_id: str, until: str) -> list[str]:
    """Return the ids of a run's events up to the first of a kind, as they come."""
    ids: list[str] = []
    with client.stream("GET", f"/api/runs/{run_id}/events") as answer:
        for line in answer.iter_lines():
            if line.startswith("id: "):
                ids.append(line.removeprefix("id: "))
            if line == f"event: {until}":
                return ids
    raise AssertionError(ids)


@pytest.mark.scene
def test_a_run_whose_server_is_killed_is_gone_on_with_by_the_next_and_leaves_no_process(folder: Path) -> None:
    if why := why_not("local"):
        pytest.skip(why)
    asked = {"target": "lists.py::unique", "options": {"variants": ["performance"]}}
    with installed(folder) as (server, client):
        run_id = client.post("/api/runs", content=json.dumps(asked).encode()).json()["run_id"]
        before = followed(client, run_id, "candidate_generated")
        below = descendants(server.pid)
        server.send_signal(signal.SIGKILL)
        server.wait()
        until_gone(below)
    with installed(folder) as (_, client):
        after = followed(client, run_id, "run_finished")
        headline = client.get(f"/api/runs/{run_id}/document").json()["headline"]
        page = client.get(f"/runs/{run_id}").text
        used = [each for each in client.get("/api/usage").json()["sandboxes"] if each["run_id"] == run_id]

    assert below
    assert before == after[: len(before)]
    assert after == [str(number) for number in range(1, len(after) + 1)]
    assert headline in unescape(page)
    assert len(used) == 2
    assert used[-1]["closed"] is None
