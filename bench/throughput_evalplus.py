"""Samples per second of EvalPlus' own command on HumanEval's references. Run by an interpreter that has EvalPlus.

`python throughput_evalplus.py HumanEvalPlus-Mini.jsonl.gz WORKERS`: the base inputs only, as HumanEval has them.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from typing import Any


def tasks_of(path: str) -> list[dict[str, Any]]:
    """Tasks with what the reference answers to their base inputs."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        tasks: list[dict[str, Any]] = [json.loads(line) for line in file]
    for task in tasks:
        names: dict[str, Any] = {}
        task["source"] = task["prompt"] + task["canonical_solution"]
        exec(task["source"], names)
        function = names[task["entry_point"]]
        task["expected"] = [function(*json.loads(json.dumps(given))) for given in task["base_input"]]
    return tasks


def judged(task: dict[str, Any]) -> bool:
    """Whether EvalPlus passes the reference: what its command has each of its workers do."""
    result = import_module("evalplus.evaluate").check_correctness(
        "humaneval",
        0,
        task,
        task["source"],
        {"base": task["expected"], "base_time": [0.001] * len(task["base_input"])},
        base_only=True,
        fast_check=True,
    )
    status, _ = result["base"]
    return status == "pass"


def main() -> None:
    tasks = tasks_of(sys.argv[1])
    import_module("evalplus.evaluate")  # as its command has, before it forks its workers
    with ProcessPoolExecutor(int(sys.argv[2])) as pool:
        list(pool.map(judged, tasks[: int(sys.argv[2])]))
        started = time.monotonic()
        passed = sum(pool.map(judged, tasks))
        rate = len(tasks) / (time.monotonic() - started)
    sys.stdout.write(json.dumps({"rate": rate, "passed": passed}) + "\n")


if __name__ == "__main__":
    main()
