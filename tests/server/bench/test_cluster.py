"""`bench score` and `bench run` on a Ray cluster of this machine, held against what one machine says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from click.testing import CliRunner
from msgspec.structs import asdict

from codeens._scripts.codeens import main
from codeens_sandbox_backends.ray.cluster import close_cluster, open_cluster
from codeens_server.bench.cluster.limiter import ClusterLimiter, limiter_of
from codeens_server.bench.records import Record
from codeens_server.bench.results import read_records
from codeens_server.config.settings import ModelSettings
from tests.clusters import LocalCluster, actors
from tests.loopback.server import ChatRequest
from tests.namespaces import started_cluster_of_networks, why_no_namespaces
from tests.server.bench.made import FIRST, TWICE
from tests.server.bench.test_bench_run import Bench, fenced, right, rows, server_of
from tests.server.bench.test_bench_score import SAMPLES, TASKS

pytestmark = [pytest.mark.scene, pytest.mark.timeout(300)]

SLOW = "def twice(n):\n    import time\n    time.sleep(0.2)\n    return {}\n"
OF_ONE_RUN = {"run_s", "peak_bytes", "ask_s", "judge_s"}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    rows(tmp_path / "samples.jsonl", *SAMPLES)
    return rows(tmp_path / "tasks.jsonl", *TASKS)


def scoring(data: Path, out: str, *options: str) -> list[str]:
    samples = str(data.parent / "samples.jsonl")
    return ["bench", "score", "humaneval", samples, "--data", str(data), "--out", str(data.parent / out), *options]


def written(path: Path) -> list[bytes]:
    return sorted(path.read_bytes().splitlines()) if path.exists() else []


def score(data: Path, out: str, *options: str) -> list[bytes]:
    done = CliRunner().invoke(main, scoring(data, out, "--json", *options))
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["samples"]
    return written(data.parent / out)


def test_samples_get_the_same_lines_on_a_cluster_as_on_one_machine(ray_cluster: LocalCluster, data: Path) -> None:
    one = score(data, "one.jsonl")
    assert score(data, "many.jsonl", "--engine", f"ray://{ray_cluster.address}") == one
    kept = (data.parent / "many.jsonl").read_bytes().splitlines(keepends=True)
    (data.parent / "many.jsonl").write_bytes(kept[0] + kept[1][:9])
    assert score(data, "many.jsonl", "--engine", "ray", "--resume") == one


@pytest.mark.anyio
async def test_answers_get_the_same_lines_on_a_cluster_as_on_one_machine(
    ray_cluster: LocalCluster, tmp_path: Path
) -> None:
    def answer(request: ChatRequest) -> str:
        if request.model == "poor" and "def first" in request.prompt:
            return "I cannot say."
        return fenced("def twice(n):\n    return n\n") if request.model == "poor" else right(request)

    async with server_of(answer) as server:
        found: list[list[dict[str, Any]]] = []
        for place, address in (("one", None), ("many", ray_cluster.address)):
            (tmp_path / place).mkdir()
            bench = Bench(tmp_path / place, server, rows(tmp_path / "h.jsonl", TWICE, FIRST), "good", "poor")
            await bench.run(rounds=2, cluster=address)
            found.append(sorted(map(_of_any_run, bench.records), key=str))
            nodes = [step.nodes for step in bench.steps]
    assert found[0] == found[1]
    assert {record["ending"] for record in found[0]} == {"passed", "failed", "no_code"}
    assert [len(told) for told in nodes] == [2] * 4
    assert sum(state.done for state in nodes[-1]) > 0


def _of_any_run(record: Record) -> dict[str, Any]:
    """Return what does not depend on the machine, nor on the time."""
    attempts = [
        {name: value for name, value in asdict(attempt).items() if name not in OF_ONE_RUN}
        for attempt in record.attempts
    ]
    kept = {name: value for name, value in asdict(record).items() if name not in {"at", "machine"}}
    return {**kept, "attempts": attempts}


def test_each_sample_has_one_line_whoever_is_killed(ray_cluster: LocalCluster, data: Path) -> None:
    slow = [{"task_id": "Small/0", "solution": SLOW.format(f"2 * n + {number % 2}")} for number in range(40)]
    rows(data.parent / "samples.jsonl", *slow)
    out = data.parent / "out.jsonl"
    node = ray_cluster.add()
    try:
        command = [sys.executable, "-m", "codeens", *scoring(data, "out.jsonl", "--engine", "ray")]
        first = _killed_after(command, out, 3, subprocess.Popen[bytes].kill)
        at_first = len(written(out))

        def kill(process: subprocess.Popen[bytes]) -> None:
            del process
            ray_cluster.kill(node)
            os.kill(actors()[0].pid, signal.SIGKILL)

        second = _killed_after([*command, "--resume"], out, at_first + 3, kill)
    finally:
        ray_cluster.remove(node)
    assert (first, second) == (-signal.SIGKILL, 0)
    lines = [json.loads(line) for line in written(out)]
    assert 3 <= at_first < 40
    assert sorted((line["sample"], line["passed"]) for line in lines) == [(n, n % 2 == 0) for n in range(40)]


def test_each_sample_has_one_line_when_a_node_of_another_network_is_cut_off(data: Path) -> None:
    if reason := why_no_namespaces():
        pytest.skip(f"not run: {reason}")
    slow = [{"task_id": "Small/0", "solution": SLOW.format(f"2 * n + {number % 2}")} for number in range(40)]
    rows(data.parent / "samples.jsonl", *slow)
    out = data.parent / "out.jsonl"
    with started_cluster_of_networks(2) as cluster:
        command = [sys.executable, "-m", "codeens", *scoring(data, "out.jsonl", "--engine", "ray")]
        assert _killed_after(command, out, 3, lambda _: cluster.cut_off(0), cluster.environ) == 0
    lines = [json.loads(line) for line in written(out)]
    assert sorted((line["sample"], line["passed"]) for line in lines) == [(n, n % 2 == 0) for n in range(40)]


@pytest.mark.anyio
async def test_each_answer_has_one_line_whoever_is_killed_and_none_is_paid_for_again(
    ray_cluster: LocalCluster, data: Path
) -> None:
    items, out = 30, data.parent / "run.jsonl"
    rows(data.parent / "one.jsonl", TWICE)
    node = ray_cluster.add()

    def kill(process: subprocess.Popen[bytes]) -> None:
        del process
        ray_cluster.kill(node)
        os.kill(actors()[0].pid, signal.SIGKILL)

    def answer(request: ChatRequest) -> str:
        del request
        return fenced(SLOW.format("2 * n"))

    try:
        async with server_of(answer) as server:
            model = f'[[models]]\nname = "m"\nmodel = "openai/m"\napi_base = "{server.url}"\n'
            (data.parent / "config" / "codeens").mkdir(parents=True)
            (data.parent / "config" / "codeens" / "codeens.toml").write_text(model, encoding="utf-8")
            asked = ["--model", "m", "--variant", "baseline", "--samples", str(items), "--concurrency", "6"]
            kept = ["--out", str(out), "--results", str(data.parent / "results"), "--engine", "ray"]
            place = ["bench", "run", "humaneval", "--data", str(data.parent / "one.jsonl")]
            command = [sys.executable, "-m", "codeens", *place, *asked, *kept]
            first = await anyio.to_thread.run_sync(_killed_after, command, out, 3, subprocess.Popen[bytes].kill)
            at_first = len(written(out))
            again = [*command, "--resume"]
            second = await anyio.to_thread.run_sync(_killed_after, again, out, at_first + 3, kill)
            questions = len(server.requests)
    finally:
        ray_cluster.remove(node)
    records = list(read_records(out))
    assert (first, second) == (-signal.SIGKILL, 0)
    assert 3 <= at_first < items
    assert sorted(record.sample for record in records) == list(range(items))
    assert all(record.passed for record in records)
    assert questions <= items + 6  # those that were being answered when the driver was killed


def _killed_after(
    command: list[str],
    out: Path,
    lines: int,
    kill: Callable[[subprocess.Popen[bytes]], object],
    environ: dict[str, str] | None = None,
) -> int:
    """Start a command, kill something when its file has so many lines, and return how it ended."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environ) as process:
        follow = ["tail", "-n", "+1", "-F", f"--pid={process.pid}", str(out)]
        with subprocess.Popen(follow, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as told_lines:
            assert told_lines.stdout
            for _ in range(lines):
                told_lines.stdout.readline()
            kill(process)
            told_lines.kill()
        told = process.communicate(timeout=200)[1]
    assert process.returncode in {0, -signal.SIGKILL}, told.decode()
    return process.returncode


@pytest.mark.anyio
async def test_a_model_has_one_limit_for_all_benchmarks_of_a_cluster(ray_cluster: LocalCluster) -> None:
    cluster = await open_cluster(ray_cluster.address)
    try:
        first, second = (
            ClusterLimiter(cluster.ray, limiter_of(cluster), ModelSettings(name="m", rpm=rpm)) for rpm in (3, 2)
        )
        await first.wait(1)
        await second.wait(1)
        with anyio.move_on_after(1) as third:
            await first.wait(1)
        await ClusterLimiter(cluster.ray, limiter_of(cluster), ModelSettings(name="other", rpm=1)).wait(1)
    finally:
        await close_cluster(cluster)
    assert third.cancelled_caught


@pytest.mark.parametrize(
    ("engine", "complaint"),
    [
        ("spark", "there is no engine 'spark'. It is ray, or ray://HOST:PORT."),
        ("ray://127.0.0.1:1", "no cluster answers at 127.0.0.1:1"),
        ("ray://head", "'head' is no address of a cluster"),
    ],
)
def test_an_engine_that_is_not_there_is_one_clear_error(data: Path, engine: str, complaint: str) -> None:
    done = CliRunner().invoke(main, scoring(data, "out.jsonl", "--engine", engine))
    assert done.exit_code in {1, 2}
    assert complaint in done.stderr
