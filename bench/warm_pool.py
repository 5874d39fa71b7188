"""From job to verdict on warm workers, and the memory of judge and workers over many jobs.

Run from the repository: `python bench/warm_pool.py latency [--jobs 1000]` or `... memory [--jobs 100000]`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import anyio

from codeens_sandbox_backends.base import Sandbox, SandboxSpec
from codeens_sandbox_backends.jobs import CallsJob, CheckJob, Limits
from codeens_sandbox_backends.local.backend import LocalBackend
from codeens_sandbox_backends.programs import CallInput, ModuleSource, Program, Returned

SOURCE = "def median(xs):\n    xs = sorted(xs)\n    return xs[len(xs) // 2]  # {}\n"
TESTS = "def check(f):\n    assert f([3, 1, 2]) == 2\n    assert f([5]) == 5\n    assert f([2, 2, 9, 1, 7]) == 2\n"
INPUTS = tuple(CallInput(args=(["list", *xs],)) for xs in ((3, 1, 2), (5,), (2, 2, 9, 1, 7)))
WORKERS = 2


def program(number: int) -> Program:
    """A different text each time, as candidates are."""
    return Program(module="m", qualname="median", modules=(ModuleSource(name="m", source=SOURCE.format(number)),))


async def call(sandbox: Sandbox, number: int) -> bool:
    """Whether a `CallsJob` of a right function gave its answers."""
    result = await sandbox.run(CallsJob(program=program(number), inputs=INPUTS))
    return [outcome.value for outcome in result.outcomes if isinstance(outcome, Returned)] == [2, 5, 2]


async def check(sandbox: Sandbox, number: int) -> bool:
    """Whether a `CheckJob` of a right function passed."""
    return (await sandbox.run(CheckJob(program=program(number), tests=TESTS, name="median"))).passed


async def latency(jobs: int) -> dict[str, object]:
    """Milliseconds of jobs that are run one by one, the first of them left out."""
    report: dict[str, object] = {"load": os.getloadavg()[0]}
    sandbox = await LocalBackend().open(SandboxSpec(python=sys.executable))
    try:
        for kind in (call, check):
            taken: list[float] = []
            for number in range(jobs + 10):
                started = time.perf_counter()
                if not await kind(sandbox, number):
                    sys.exit("a right function was judged wrong")
                taken.append(1000 * (time.perf_counter() - started))
            ordered = sorted(taken[10:])
            report[kind.__name__] = {
                "median_ms": round(statistics.median(ordered), 2),
                "p95_ms": round(ordered[int(0.95 * len(ordered))], 2),
                "max_ms": round(ordered[-1], 1),
            }
    finally:
        await sandbox.aclose()
    return report


async def memory(jobs: int) -> dict[str, object]:
    """MB that are resident after each tenth of the jobs: of this process, and of its largest child."""
    steps: list[dict[str, float]] = []
    sandbox = await LocalBackend().open(SandboxSpec(python=sys.executable, limits=Limits(cpu_s=2.0)))
    numbers = iter(range(jobs))

    async def work() -> None:
        for number in numbers:
            if not await (check if number % 2 else call)(sandbox, number):
                sys.exit("a right function was judged wrong")
            if number % (jobs // 10) == jobs // 100:
                steps.append({"jobs": number, **_held()})

    try:
        async with anyio.create_task_group() as group:
            for _ in range(WORKERS):
                group.start_soon(work)
    finally:
        await sandbox.aclose()
    return {"steps": steps}


def _held() -> dict[str, float]:
    children = list(_descendants(os.getpid()))
    return {
        "judge_mb": _resident_mb(os.getpid()),
        "largest_child_mb": max(_resident_mb(child) for child in children),
        "children": len(children),
        "descriptors": sum(1 for _ in Path("/proc/self/fd").iterdir()),
    }


def _descendants(process: int) -> Iterator[int]:
    with suppress(OSError):  # of a worker that has ended meanwhile
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in (task / "children").read_text(encoding="utf-8").split():
                yield int(child)
                yield from _descendants(int(child))


def _resident_mb(process: int) -> float:
    pages = "0"
    with suppress(OSError):
        pages = Path(f"/proc/{process}/statm").read_text(encoding="utf-8").split()[1]
    return round(int(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("latency", "memory"))
    parser.add_argument("--jobs", type=int)
    options = parser.parse_args()
    if options.what == "latency":
        report = anyio.run(latency, options.jobs or 1000)
    else:
        report = anyio.run(memory, options.jobs or 100_000)
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
