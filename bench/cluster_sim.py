"""What saturates first when verdicts are made by 1 to 1,000 nodes: the nodes, the driver, its disk, or the models.

Run from the repository: `python bench/cluster_sim.py [--data FOLDER] [--rounds N] [--cores N] [--rpm N]`. It measures
on this machine, in one run, what a verdict takes on one machine and on Ray clusters of one, two and four nodes with a
core each, what the driver needs for a verdict and for a batch, and what a line costs that is on the disk. Then it
replays the measured times for 10^6 candidates, batch by batch, and holds the replay against the real clusters, whose
nodes and driver share the cores of this machine.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import anyio
from msgspec.structs import replace

from codeens_sandbox_backends.base import SandboxSpec
from codeens_sandbox_backends.executor import open_executor
from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.local.backend import LocalBackend
from codeens_server.bench.cluster.batches import MOST_OF_A_CORE
from codeens_server.bench.cluster.engine import cluster_scorer
from codeens_server.bench.cluster.on_nodes import Samples
from codeens_server.bench.datasets.loading import load_tasks
from codeens_server.bench.samples import Sample
from codeens_server.bench.score import Results, add_verdicts, judge_references, score_samples
from codeens_server.tasks.schema import Task

CANDIDATES = 1_000_000
NODES = (1, 2, 4, 10, 30, 100, 300, 1000)
SPEC = SandboxSpec(python=sys.executable, limits=Limits(wall_s=3.0, cpu_s=3.0, call_s=3.0))
LINES = 300


class Costs(NamedTuple):
    """What was measured, in seconds."""

    verdict_s: float
    """Of a core of a node, for one verdict."""
    driver_s: float
    """Processor time of the driver for one verdict, its share of a batch included."""
    line_s: float
    """A line of `bench run` that is on the disk."""


class Replay(NamedTuple):
    """How a replay went."""

    rate: float
    """Verdicts a second."""
    first: str
    """What was busiest."""
    busy: dict[str, float]
    """Share of the time in which each was busy."""


def simulate(nodes: int, cores: int, costs: Costs, *, candidates: int, rpm: float, lines: bool) -> Replay:
    """Replay a benchmark: a driver that does one thing at a time, nodes with two batches each, models with a limit."""
    batch = MOST_OF_A_CORE * cores
    per_item = costs.driver_s + (costs.line_s if lines else 0.0)
    free = [(0.0, node) for node in range(nodes) for _ in range(2)]
    heapq.heapify(free)
    ready_at = [0.0] * nodes
    driver_at = node_busy = end = 0.0
    sent = 0
    while sent < candidates:
        size = min(batch, candidates - sent)
        asked_at = (sent + size) * 60.0 / rpm if rpm else 0.0
        slot_at, node = heapq.heappop(free)
        driver_at = max(driver_at, slot_at, asked_at) + size * per_item
        work_s = size * costs.verdict_s / cores
        ready_at[node] = max(ready_at[node], driver_at) + work_s
        node_busy += work_s
        end = max(end, ready_at[node])
        heapq.heappush(free, (ready_at[node], node))
        sent += size
    busy = {
        "nodes": node_busy / (nodes * end),
        "driver": candidates * costs.driver_s / end,
        "disk": candidates * costs.line_s / end if lines else 0.0,
        "models": candidates * 60.0 / rpm / end if rpm else 0.0,
    }
    return Replay(candidates / end, max(busy, key=lambda name: busy[name]), busy)


async def one_machine(tasks: dict[str, Task], samples: Sequence[Sample], workers: int) -> float:
    """Return samples per second in the sandbox of this machine."""
    async with open_executor(LocalBackend(), SPEC, workers) as executor:
        references = await judge_references(tasks.values(), sandbox=executor, workers=workers, limits=SPEC.limits)
        results, began = Results(None, resume=False), time.monotonic()
        await score_samples(samples, tasks, results, references=references, sandbox=executor, workers=workers)
        return len(samples) / (time.monotonic() - began)


async def on_cluster(address: str, tasks: dict[str, Task], samples: Sequence[Sample]) -> tuple[float, float]:
    """Return samples per second on a cluster, and the driver's processor time for one; nodes know the tasks before."""
    async with cluster_scorer(address, SPEC, Samples(tasks=tasks, limits=SPEC.limits)) as scorer:
        known = [replace(sample, number=-1 - sample.number) for sample in samples]
        await add_verdicts(known, Results(None, resume=False), scorer.scored, scorer.at_once)
        results, began, cpu = Results(None, resume=False), time.monotonic(), time.process_time()
        await add_verdicts(samples, results, scorer.scored, scorer.at_once)
        rate = len(samples) / (time.monotonic() - began)
    if not all(result.passed for result in results.by_sample.values()):
        sys.exit("a reference solution did not pass")
    return rate, (time.process_time() - cpu) / len(samples)


def line_s() -> float:
    """Return what it takes until a line of two kilobytes is on the disk, the median."""
    took: list[float] = []
    with tempfile.NamedTemporaryFile(dir=".") as file:
        for _ in range(LINES):
            began = time.perf_counter()
            os.write(file.fileno(), b"x" * 2000 + b"\n")
            os.fsync(file.fileno())
            took.append(time.perf_counter() - began)
    return statistics.median(took)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("CODEENS_DATA"), help="the folder of data sets")
    parser.add_argument("--repeat", type=int, default=4, help="how often each of the 164 solutions is judged")
    parser.add_argument("--rounds", type=int, default=3, help="both in turns; the round with the median ratio is told")
    parser.add_argument("--cores", type=int, default=16, help="of a node in the replay")
    parser.add_argument("--verdict-ms", type=float, help="of a core, in the table in place of what was measured")
    parser.add_argument("--rpm", type=float, default=0.0, help="answers a minute of all models together; 0: no limit")
    options = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parents[1]))
    # Ray reads it as it is imported: else it takes the address by which others know this machine for its own.
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    from tests.clusters import started_cluster

    loaded = load_tasks("humaneval", None, {"CODEENS_DATA": str(options.data)})
    tasks = {item.task.id: item.task for item in loaded.items}
    sources = [(task.id, task.reference_solution or "") for task in tasks.values()] * options.repeat
    samples = [Sample(number=n, task_id=task, source=source) for n, (task, source) in enumerate(sources)]
    real: dict[int, tuple[float, float, float]] = {}
    for nodes in (1, 2, 4):
        rounds: list[tuple[float, float, float]] = []
        with started_cluster(nodes) as cluster:
            for _ in range(options.rounds):
                alone = anyio.run(one_machine, tasks, samples, nodes)
                rounds.append((alone, *anyio.run(on_cluster, cluster.address, tasks, samples)))
        rounds.sort(key=lambda one: one[1] / one[0])
        real[nodes] = rounds[len(rounds) // 2]
    costs = Costs(verdict_s=1 / real[1][1], driver_s=real[1][2], line_s=line_s())
    print(json.dumps({"load": os.getloadavg()[0], "cores": os.cpu_count(), **costs._asdict()}, indent=2))
    for nodes, (alone, rate, driver_s) in real.items():
        replayed = simulate(nodes, 1, costs, candidates=len(samples), rpm=0, lines=False).rate
        replayed = min(replayed, (os.cpu_count() or 1) / (costs.verdict_s + costs.driver_s))
        print(
            f"{nodes} workers: one machine {alone:.0f}/s, cluster {rate:.0f}/s ({rate / alone:.2f}), "
            f"replayed {replayed:.0f}/s; driver {1000 * driver_s:.2f} ms a verdict"
        )
    if options.verdict_ms:
        costs = costs._replace(verdict_s=options.verdict_ms / 1000)
    print("\n| nodes | `bench score` | busiest | `bench run` | busiest |\n| --- | --- | --- | --- | --- |")
    for nodes in NODES:
        cells = [
            simulate(nodes, options.cores, costs, candidates=CANDIDATES, rpm=rpm, lines=lines)
            for rpm, lines in ((0.0, False), (options.rpm, True))
        ]
        told = " | ".join(f"{one.rate:,.0f}/s | {one.first} {100 * one.busy[one.first]:.0f} %" for one in cells)
        print(f"| {nodes} | {told} |")


if __name__ == "__main__":
    main()
