"""Verdicts per second on HumanEval's reference solutions, isolated, beside what others and the machine itself do.

Run from the repository: `python bench/throughput.py [--data FOLDER] [--workers N] [--rounds N] [--evalplus PYTHON]`.
All in one run, interleaved, since a busy machine slows everything alike; what counts are the ratios.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import anyio
from throughput_mix import mixed

from codeens_sandbox_backends.base import SandboxSpec
from codeens_sandbox_backends.executor import open_executor
from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.local.backend import LocalBackend
from codeens_server.bench.datasets.loading import load_tasks
from codeens_server.bench.samples import Sample
from codeens_server.bench.score import Results, judge_references, score_samples
from codeens_server.tasks.schema import Task

HERE = Path(__file__).parent
TIMEOUT_S = 3.0
LIMITS = Limits(wall_s=TIMEOUT_S, cpu_s=TIMEOUT_S, call_s=TIMEOUT_S)
Rates = dict[str, list[float]]


async def codeens(tasks: dict[str, Task], samples: list[Sample], workers: int) -> float:
    """Samples per second, without the opening of the sandbox and one judging of each reference, as of the command."""
    results = Results(None, resume=False)
    async with open_executor(LocalBackend(), SandboxSpec(python=sys.executable, limits=LIMITS), workers) as executor:
        references = await judge_references(tasks.values(), sandbox=executor, workers=workers, limits=LIMITS)
        started = time.monotonic()
        await score_samples(samples, tasks, results, references=references, sandbox=executor, workers=workers)
        rate = len(samples) / (time.monotonic() - started)
    right = sum(result.passed for result in results.by_sample.values())
    expected = sum("# wrong" not in sample.source for sample in samples)
    if right != expected:
        sys.exit(f"{right} of {len(samples)} samples passed, and {expected} are right")
    return rate


def plain_subprocess(tasks: dict[str, Task], samples: list[Sample], workers: int) -> float:
    """Samples per second of an interpreter for each, without isolation; the exit code is believed."""

    def judged(sample: Sample) -> bool:
        task = tasks[sample.task_id]
        with tempfile.NamedTemporaryFile("w", suffix=".py", encoding="utf-8") as file:
            file.write(f"{sample.source}\n{task.tests}\ncheck({task.entry_point})\n")
            file.flush()
            try:
                done = subprocess.run(
                    [sys.executable, "-I", "-S", "-E", file.name], capture_output=True, timeout=TIMEOUT_S, check=False
                )
            except subprocess.TimeoutExpired:
                return False
            return done.returncode == 0

    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        list(pool.map(judged, samples))
    return len(samples) / (time.monotonic() - started)


def bare_forks(workers: int, count: int = 1000) -> float:
    """Empty children per second, forked and waited for one by one in each of so many processes."""
    code = f"import os\nfor _ in range({count}):\n child = os.fork()\n child or os._exit(0)\n os.waitpid(child, 0)\n"
    started = time.monotonic()
    forkers = [subprocess.Popen([sys.executable, "-I", "-S", "-c", code]) for _ in range(workers)]
    for forker in forkers:
        forker.wait()
    return workers * count / (time.monotonic() - started)


def evalplus(python: str, folder: Path, workers: int) -> float:
    """Samples per second of what EvalPlus' command does, without isolation, by an interpreter that has it."""
    file = folder / "humaneval" / "HumanEvalPlus-Mini.jsonl.gz"
    command = [python, str(HERE / "throughput_evalplus.py"), str(file), str(workers)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        sys.exit(f"EvalPlus failed:\n{done.stderr[-2000:]}")
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer["rate"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("CODEENS_DATA"), help="the folder of data sets")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--evalplus", metavar="PYTHON", help="an interpreter that has EvalPlus")
    options = parser.parse_args()
    tasks = {
        item.task.id: item.task for item in load_tasks("humaneval", None, {"CODEENS_DATA": str(options.data)}).items
    }
    clean = [
        Sample(number=number, task_id=task.id, source=task.reference_solution or "")
        for number, task in enumerate(tasks.values())
    ]
    rows = measure(tasks, clean, mixed(clean), options)
    report = {
        "load": os.getloadavg()[0],
        "workers": options.workers,
        "rows": {name: round(statistics.median(rates), 1) for name, rates in rows.items()},
        "spread": {name: [round(min(rates)), round(max(rates))] for name, rates in rows.items() if len(rates) > 1},
        "ratios": ratios(rows),
    }
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


def measure(tasks: dict[str, Task], clean: list[Sample], mix: list[Sample], options: argparse.Namespace) -> Rates:
    """Rates by what was measured, one of each round."""
    rows: Rates = {}
    workers: int = options.workers

    def note(name: str, rate: float) -> None:
        rows.setdefault(name, []).append(rate)

    for _ in range(options.rounds):
        note("codeens, isolated", anyio.run(codeens, tasks, clean, workers))
        note("subprocess, python -I -S -E", plain_subprocess(tasks, clean, workers))
        if options.evalplus:
            note("EvalPlus", evalplus(options.evalplus, options.data, workers))
        note("limit: empty forks", bare_forks(workers))
    note("mix: codeens, isolated", anyio.run(codeens, tasks, mix, workers))
    note("mix: subprocess, python -I -S -E", plain_subprocess(tasks, mix, workers))
    return rows


def ratios(rows: Rates) -> dict[str, float]:
    """Medians of codeens' rate over another's in the same round."""
    ours = rows["codeens, isolated"]
    return {
        name: round(statistics.median(a / b for a, b in zip(ours, rates, strict=True)), 2)
        for name, rates in rows.items()
        if len(rates) == len(ours) and not name.startswith(("codeens", "mix"))
    }


if __name__ == "__main__":
    main()
