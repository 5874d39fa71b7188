"""A hundred tasks and five models through the whole of `codeens bench run`, and what bounds it.

    python bench/bench_models.py [--tasks 100] [--models 5] [--median 5] [--data FOLDER]

The models are served on loopback by another process, with recorded answers to HumanEval's tasks. An answer takes a
log-normal time (median 5 s, sigma 0.5), and 2 % of the requests are refused with 429. The bound is what the models'
own limits leave: the calls of one, by how many it takes at once, times the mean latency.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import anyio

from codeens import Session
from codeens_server.bench.datasets.loading import Filter, TaskSet, load_tasks
from codeens_server.bench.results import ResultsFile, read_records
from codeens_server.bench.running import Outcome, Plan, Watcher, run_benchmark

SIGMA = 0.5
AT_ONCE = 8
REFUSED = 0.02


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=100)
    parser.add_argument("--models", type=int, default=5)
    parser.add_argument("--median", type=float, default=5.0)
    parser.add_argument("--data", type=Path, default=os.environ.get("CODEENS_DATA"))
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        anyio.run(_serve, options.data, options.median)
        return
    command = [sys.executable, __file__, "--serve", "--median", str(options.median), "--data", str(options.data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = json.loads(server.stdout.readline())["url"]
            anyio.run(_measure, options, url)
        finally:
            server.terminate()


async def _serve(data: Path, median: float) -> None:
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.loopback.recorded import RecordedAnswers
    from tests.loopback.server import ModelServer

    draw = random.Random(1)
    server = ModelServer(
        answer=RecordedAnswers(data),
        latency=lambda _: draw.lognormvariate(math.log(median), SIGMA) if median else 0.0,
        script={"*": ["429" if draw.random() < REFUSED else "ok" for _ in range(100_000)]},
        retry_after_s=1.0,
    )
    async with server:
        print(json.dumps({"url": server.url}), flush=True)
        await anyio.sleep_forever()


async def _measure(options: argparse.Namespace, url: str) -> None:
    tasks = load_tasks("humaneval", None, {"CODEENS_DATA": str(options.data)}, wanted=Filter(most=options.tasks))
    models = [
        {
            "name": f"m{number}",
            "model": f"openai/m{number}",
            "api_base": url,
            "max_parallel": AT_ONCE,
            "input_cost_per_token": 0.0,
            "output_cost_per_token": 0.0,
        }
        for number in range(options.models)
    ]
    with tempfile.TemporaryDirectory() as folder:
        settings: dict[str, object] = {"models": models, "results": folder}
        began = time.monotonic()
        outcome = await _run(Path(folder), settings, tasks)
        wall_s = time.monotonic() - began
        records = list(read_records(Path(folder, "r.jsonl")))
    asked = [record.last.ask_s for record in records]
    judged = [record.last.judge_s for record in records]
    mean_s = options.median * math.exp(SIGMA**2 / 2)
    bound_s = math.ceil(options.tasks / AT_ONCE) * mean_s
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu_s = sum(one.ru_utime + one.ru_stime for one in used)
    print(f"{len(records)} answers in {wall_s:.1f} s, {outcome.left} left; {sum(one.passed for one in records)} pass")
    print(f"bound by {AT_ONCE} calls of a model at once: {bound_s:.1f} s; processor time of codeens: {cpu_s:.1f} s")
    asking_s, judging_s = sum(asked) / len(asked), sum(judged) / len(judged)
    print(f"mean of an item: {asking_s:.2f} s asking and waiting, {judging_s:.2f} s judging")


async def _run(folder: Path, settings: dict[str, object], tasks: TaskSet) -> Outcome:
    watcher = Watcher(_say_nothing, _say_nothing)
    plan = Plan(variants=("baseline",))
    async with Session(folder, settings=settings, environ={}) as session:
        with ResultsFile(folder / "r.jsonl", resume=False) as file:
            return await run_benchmark(tasks, plan, file, session, watcher)


def _say_nothing(*told: object) -> None:
    del told


if __name__ == "__main__":
    main()
