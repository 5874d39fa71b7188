"""Benchmarks of the dashboard: started, watched and ended there, and what all in the folder came to."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import anyio
import httpx
import msgspec
import pytest

from codeens import Session
from codeens_sandbox_backends.base import NodeState
from codeens_server.bench.datasets.loading import TaskSet
from codeens_server.bench.estimating import Forecast
from codeens_server.bench.records import Record
from codeens_server.bench.results import ResultsFile
from codeens_server.bench.running import BenchProgress, Outcome, Plan, Watcher
from codeens_server.dashboard import bench_desk
from codeens_server.errors import InputError
from tests.server.bench.made import record

pytestmark = pytest.mark.anyio
HOSTILE = "<script>alert(1)</script>\x1b[31m\u202eevil"
TASK: dict[str, Any] = {
    "id": "own/sum",
    "prompt": "Print the sum of the two numbers.",
    "entry_point": "main",
    "test_cases": [{"stdin": "1 2\n", "expected_output": "3\n"}],
    "reference_solution": "print(sum(map(int, input().split())))\n",
}


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    path = tmp_path / "tasks.jsonl"
    path.write_text(json.dumps(TASK), encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "results" / "benchmarks"
    path.mkdir(parents=True, exist_ok=True)
    return path


def keep(folder: Path, name: str, *records: Record) -> None:
    (folder / f"{name}.jsonl").write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in records))


NODES = (
    NodeState(host="first", cpus=4, at_work=2, done=7),
    NodeState(host="second", cpus=2, why="it has codeens 9.9, and this machine 1.0"),
)


class Slow:
    """A benchmark that judges one answer and then waits."""

    def __init__(self) -> None:
        self.plan = Plan()
        self.has_judged_one = anyio.Event()

    async def run(
        self, tasks: TaskSet, plan: Plan, results: ResultsFile, session: Session, watcher: Watcher
    ) -> Outcome:
        self.plan = plan
        watcher.begins(Forecast(items=2, usd=None, most_usd=None, seconds=1.0), None)
        await results.append(record())
        nodes = NODES if plan.cluster else ()
        watcher.progressed(BenchProgress(done=1, total=2, passed=1, unanswered=0, usd=0.5, seconds=3.0, nodes=nodes))
        self.has_judged_one.set()
        await anyio.sleep_forever()
        raise AssertionError


async def test_a_benchmark_is_started_watched_and_ended(
    client: httpx.AsyncClient, tasks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow()
    monkeypatch.setattr(bench_desk, "run_benchmark", slow.run)
    body = {"dataset": str(tasks), "models": ["openai/x"], "samples": 2, "tasks": 1, "budget_usd": 0.5}

    started = await client.post("/api/benchmarks", content=json.dumps(body))
    with anyio.fail_after(100):
        await slow.has_judged_one.wait()
    page = (await client.get("/benchmarks?part=true")).text
    name = started.json()["name"]
    ended = await client.post(f"/api/benchmarks/{name}/stop")
    await anyio.wait_all_tasks_blocked()
    (line,) = (await client.get("/api/benchmarks")).json()

    assert started.status_code == 202
    assert (slow.plan.models, slow.plan.samples, slow.plan.budget_usd) == (("openai/x",), 2, 0.5)
    assert '<progress max="2" value="1"' in page
    assert "1 of 1 passed, $0.5, about 3 s left" in page
    assert ended.json() == {"ended": True}
    assert (line["name"], line["records"], line["running"]) == (name, 1, False)
    assert "what was judged is kept" in line["told"]


async def test_a_benchmark_on_a_cluster_shows_what_each_node_does_and_why_one_takes_no_work(
    client: httpx.AsyncClient, tasks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow()
    monkeypatch.setattr(bench_desk, "run_benchmark", slow.run)
    body = {"dataset": str(tasks), "engine": "ray://10.0.0.1:6379"}

    name = (await client.post("/api/benchmarks", content=json.dumps(body))).json()["name"]
    with anyio.fail_after(100):
        await slow.has_judged_one.wait()
    (line,) = (await client.get("/api/benchmarks")).json()
    page = (await client.get("/benchmarks?part=true")).text
    await client.post(f"/api/benchmarks/{name}/stop")

    assert slow.plan.cluster == "10.0.0.1:6379"
    assert [(node["host"], node["cpus"], node["done"]) for node in line["nodes"]] == [("first", 4, 7), ("second", 2, 0)]
    assert '<th scope="row">first</th><td class="number" data-heading="cores">4</td>' in page
    assert "it has codeens 9.9, and this machine 1.0</td>" in page


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"dataset": "none"},
        {"dataset": "humaneval"},
        {"dataset": "none.jsonl"},
        {"dataset": "x", "samples": 0},
        {"dataset": "x", "engine": "ray://nowhere"},
        {"dataset": "x", "engine": "spark"},
    ],
)
async def test_a_wrong_request_starts_none(client: httpx.AsyncClient, body: dict[str, object]) -> None:
    answer = await client.post("/api/benchmarks", content=json.dumps(body))

    assert answer.status_code == 400
    assert (await client.get("/api/benchmarks")).json() == []


async def test_a_benchmark_that_cannot_be_run_says_why(
    client: httpx.AsyncClient, tasks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = anyio.Event()

    async def refuse(*_: object) -> Outcome:
        asked.set()
        raise InputError("no model is called 'nobody'.")

    monkeypatch.setattr(bench_desk, "run_benchmark", refuse)

    await client.post("/api/benchmarks", content=json.dumps({"dataset": str(tasks)}))
    with anyio.fail_after(100):
        await asked.wait()
    await anyio.wait_all_tasks_blocked()
    (line,) = (await client.get("/api/benchmarks")).json()

    assert not line["running"]
    assert "no model is called 'nobody'" in line["told"]


async def test_a_benchmark_is_shown_task_by_task_and_against_the_one_before(
    client: httpx.AsyncClient, folder: Path
) -> None:
    before = [record(f"t/{number}", name, ending="failed") for number in range(8) for name in "ab"]
    keep(folder, "before", *before)
    os.utime(folder / "before.jsonl", (1, 1))
    now = [record(f"t/{number}", "a") for number in range(8)]
    keep(folder, "now", *now, *(record(f"t/{number}", "b", ending="failed") for number in range(8)))

    page = (await client.get("/benchmarks/now")).text
    alone = (await client.get("/benchmarks/now", params={"against": ""})).text
    first = (await client.get("/benchmarks/before")).text
    report = (await client.get("/api/benchmarks/now", params={"against": "before"})).json()
    table = (await client.get("/api/export/benchmarks/now.md", params={"against": "before"})).text

    assert '<option value="before" selected>' in page
    assert "a · v: +100.0 points" in page
    assert "Task by task" in page
    assert "Against the earlier run" not in alone + first
    assert "8 tasks on which all came to the same" in first
    assert [change["better"] for change in report["changes"]] == [[f"t/{number}" for number in range(8)], []]
    assert "Against the earlier run" in table
    refused = await client.get("/api/benchmarks/now", params={"against": "nobody"})
    assert (refused.status_code, "'nobody'" in refused.text) == (404, True)


async def test_results_are_listed_reported_and_given_as_files(client: httpx.AsyncClient, folder: Path) -> None:
    keep(folder, "one", record("t/0", "a"), record("t/1", "a", ending="failed"), record("t/0", "b"))

    (line,) = (await client.get("/api/benchmarks")).json()
    page = (await client.get("/benchmarks/one")).text
    report = (await client.get("/api/benchmarks/one")).json()
    table = (await client.get("/api/export/benchmarks/one.csv")).text

    assert [(one["name"], one["solved"]["value"]) for one in line["systems"]] == [("b", 1.0), ("a", 0.5)]
    keep(folder, "one", record("t/0", "a"), record("t/1", "a"), record("t/0", "b"))
    (later,) = (await client.get("/api/benchmarks")).json()
    assert [one["solved"]["value"] for one in later["systems"]] == [1.0, 1.0]
    assert "Leaderboard" in page
    assert f"<td>{record().digest}</td><td>codeens bench run d --model a --model b --variant" in page
    assert [(one["dataset"], one["tasks"]) for one in report["data"]] == [("d", 2)]
    assert report["records"] == 3
    assert "system,pass@1" in table


async def test_what_is_no_benchmark_is_a_page_that_says_so(client: httpx.AsyncClient, folder: Path) -> None:
    keep(folder, "empty")

    for name in ("none", "empty", "..%2F..%2Fpyproject"):
        assert (await client.get(f"/benchmarks/{name}")).status_code == 404


async def test_what_strangers_wrote_is_text(client: httpx.AsyncClient, folder: Path) -> None:
    keep(folder, "odd", record(HOSTILE, HOSTILE), record("t/1", "other"))
    (folder / "<img src=x onerror=alert(1)>.jsonl").write_bytes(msgspec.json.encode(record()) + b"\n")

    pages = [(await client.get(path)).text for path in ("/benchmarks", "/benchmarks/odd")]

    assert [page for page in pages if "<script>alert" in page or "<img" in page or "\x1b" in page] == []
    assert [page for page in pages if "&lt;script&gt;" not in page] == []
