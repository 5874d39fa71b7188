"""Both error rates of the judge: wrong code accepted, right code refused. One command for the numbers of the docs.

    python bench/error_rates.py [--data FOLDER] [--workers 2] [--labelled N] [--no-traps]

Labelled answers are those of `candidates/humaneval_even.jsonl.gz`, with labels of the official tests; HumanEvalPack's
functions before and after their repair; MBPP's and HumanEval's solutions. The traps are in
`codeens_server/bench/traps.py`. Every disagreement is printed. Intervals are Wilson's, 95 %.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import os
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import anyio

from codeens_sandbox_backends.base import Sandbox, SandboxSpec
from codeens_sandbox_backends.executor import open_executor
from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.registry import get_backend
from codeens_server.bench.datasets.loading import load_tasks
from codeens_server.bench.traps import KnownAnswer, right_answers, wrong_answers
from codeens_server.tasks.adaptive_limits import FullTime, TaskRuns
from codeens_server.tasks.checks import check_all
from codeens_server.tasks.scoring import runs_for

_Z = 1.959964


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("CODEENS_DATA"))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--labelled", type=int, default=2000, help="answers of models that are drawn; 0: all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-traps", action="store_true")
    options = parser.parse_args()
    sets: dict[str, list[KnownAnswer]] = {}
    if not options.no_traps:
        sets["traps"] = [*right_answers(), *wrong_answers()]
    if options.data:
        environ = {"CODEENS_DATA": str(options.data)}
        sets["repairs"] = list(_repairs(environ))
        sets["solutions"] = list(_solutions(environ))
        sets["answers of models"] = list(_answers(options.data, environ, options.labelled, options.seed))
    anyio.run(_measure, sets, options.workers)


def _repairs(environ: dict[str, str]) -> Iterator[KnownAnswer]:
    for item in load_tasks("humanevalpack", None, environ).items:
        task = item.task
        yield KnownAnswer(name=f"{task.id} repaired", task=task, source=task.reference or "", right=True)
        yield KnownAnswer(name=f"{task.id} faulty", task=task, source=item.shown or "", right=False)


def _solutions(environ: dict[str, str]) -> Iterator[KnownAnswer]:
    for name in ("humaneval", "mbpp"):
        for item in load_tasks(name, None, environ).items:
            yield KnownAnswer(name=item.task.id, task=item.task, source=item.task.reference or "", right=True)


def _answers(data: Path, environ: dict[str, str], count: int, seed: int) -> Iterator[KnownAnswer]:
    tasks = {item.task.id: item.task for item in load_tasks("humaneval", None, environ).items}
    with gzip.open(data / "candidates" / "humaneval_even.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if row["label"] != "timeout" and row["code"] is not None]
    if count and count < len(rows):
        rows = random.Random(seed).sample(rows, count)
    for row in rows:
        right = row["label"] == "pass"
        yield KnownAnswer(name=row["task_id"], task=tasks[row["task_id"]], source=row["code"], right=right)


async def _measure(sets: dict[str, list[KnownAnswer]], workers: int) -> None:
    async with open_executor(get_backend("local"), SandboxSpec(python=sys.executable), workers) as sandbox:
        for name, labelled in sets.items():
            wrong = await _disagreements(labelled, sandbox, workers)
            rights, wrongs = sum(one.right for one in labelled), sum(not one.right for one in labelled)
            refused, accepted = sum(one.right for one in wrong), sum(not one.right for one in wrong)
            print(f"{name}: right refused {_rate(refused, rights)}; wrong accepted {_rate(accepted, wrongs)}")
            for one in wrong:
                print(f"    {'right, refused' if one.right else 'wrong, accepted'}: {one.name}")


async def _disagreements(labelled: Sequence[KnownAnswer], sandbox: Sandbox, workers: int) -> list[KnownAnswer]:
    waiting, wrong, limits = iter(labelled), list[KnownAnswer](), Limits()
    known: dict[str, TaskRuns] = {}

    async def work() -> None:
        for one in waiting:
            if one.task.id not in known:
                has_reference = one.task.reference is not None
                known[one.task.id] = await runs_for(one.task, sandbox, limits) if has_reference else FullTime(limits)
            checks = await check_all(one.task, one.task.program(one.source), sandbox, known[one.task.id])
            if all(check.failure is None for check in checks) != one.right:
                wrong.append(one)

    async with anyio.create_task_group() as group:
        for _ in range(workers):
            group.start_soon(work)
    return wrong


def _rate(errors: int, total: int) -> str:
    if not total:
        return "of none"
    share, spread = errors / total, _Z**2 / total
    middle = (share + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * math.sqrt(share * (1 - share) / total + spread / (4 * total))
    low, high = 100 * max(0.0, middle - half), 100 * min(1.0, middle + half)
    return f"{errors} of {total} ({100 * share:.2f} %, {low:.2f} to {high:.2f})"


if __name__ == "__main__":
    main()
