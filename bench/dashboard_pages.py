"""How long pages of the dashboard take with many answers in the store: median and p95 of each page.

    .venv/bin/python bench/dashboard_pages.py [--answers 1000000] [--rounds 40] [--folder DIR] [--database URL]
        [--at-most-ms 100]

The store is made at its first use, with the rows of each run, its sandbox, its answers and the calls that brought them,
and used again after that; a results file of a benchmark with 4,100 answers lies beside it. Two real runs are added each
time, whose own pages, and both compared, are asked as well. Pages are asked in process: what is measured is the
database, the view and the template, not a socket. The first time that a page is asked is told apart: templates,
settings and results files are read then. The last column is the 95th percentile of processor time of this process,
which other work on the machine does not stretch.
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import anyio
import httpx
from sqlalchemy import create_engine, insert, orm

from codeens import RunDocument, Session
from codeens_server.bench.records import Attempt, Provenance, Record
from codeens_server.bench.results import ResultsFile
from codeens_server.dashboard.app import Dashboard
from codeens_server.dashboard.guard import GuardedDoor
from codeens_server.store.sums import counted
from codeens_server.store.tables import AnswerRow, ModelCallRow, RunRow, SandboxRow

_DOOR = GuardedDoor(host="127.0.0.1", port=8765, token="of-a-benchmark")
_ANSWERS_OF_RUN = 20
_MODELS = [f"provider/model-{number}" for number in range(12)]
_VARIANTS = ["baseline", "performance", "memory_efficient", "super_readable", "no_external_libs"]
_STATUSES = ("passed", "passed", "failed", "failed", "conditional", "error", "same", "unusable")
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_CHUNK = 500
_MODULE = """def unique(items: list[int]) -> list[int]:
    found = []
    for item in items:
        if item not in found:
            found.append(item)
    return found
"""
_BENCHMARK = "of-a-page"


def rows(answers: int, root: str) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Yield runs with their answers, the same at each call."""
    rng = random.Random(1)
    for number in range(answers // _ANSWERS_OF_RUN):
        created = _BEGAN + timedelta(minutes=5 * number)
        run_id = f"{created:%Y%m%d}-{rng.getrandbits(64):016x}"
        winner = rng.randrange(_ANSWERS_OF_RUN + 8)
        made: list[dict[str, Any]] = [
            {
                "run_id": run_id,
                "call": f"c{call}",
                "created": created,
                "model": rng.choice(_MODELS),
                "variant": rng.choice(_VARIANTS),
                "status": "passed" if call == winner else rng.choice(_STATUSES),
                "won": call == winner,
                "speed": 1 + rng.random() * 5 if call == winner else None,
                "cost_usd": rng.random() / 100,
                "tokens": rng.randrange(200, 3000),
            }
            for call in range(_ANSWERS_OF_RUN)
        ]
        place = root if number % 2 else "/elsewhere"
        target = f"{place}/module_{number % 400}.py::function_{number % 5000}"
        headline = "a model is 2.3 times as fast" if winner < _ANSWERS_OF_RUN else "keep the original"
        yield (
            {
                "id": run_id,
                "created": created,
                "target": target,
                "goal": "speed",
                "candidates": _ANSWERS_OF_RUN,
                "cost_usd": sum(answer["cost_usd"] for answer in made),
                "ended": number % 97 != 0,
                "stopped": None,
                "best": f"c{winner}" if winner < _ANSWERS_OF_RUN else "original",
                "headline": headline,
                "found_by": "\n".join((run_id, target, headline)).casefold(),
            },
            made,
        )


def calls(answers: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the calls that brought the answers of a run."""
    for number, answer in enumerate(answers, start=3):
        kept = {name: answer[name] for name in ("run_id", "created", "model", "variant", "tokens", "cost_usd")}
        yield {**kept, "seq": number, "latency_s": answer["tokens"] / 100, "failure": ""}


def sandbox(run: dict[str, Any]) -> dict[str, Any]:
    """Return the sandbox of a run."""
    closed = run["created"] + timedelta(seconds=90)
    use = {"python": "/usr/bin/python3", "label": "local: bubblewrap", "jobs": 120, "busy_s": 70.0}
    return {"run_id": run["id"], "opened": run["created"], "closed": closed, **use}


def fill(database: str, answers: int, root: str) -> None:
    """Write the rows into a store that is there and empty; its URL is as SQLAlchemy reads it."""
    engine = create_engine(database)
    source = rows(answers, root)
    with orm.Session(engine) as session, session.begin():
        while chunk := list(islice(source, _CHUNK)):
            session.execute(insert(RunRow), [run for run, _ in chunk])
            with counted(session, [run["id"] for run, _ in chunk]):
                session.execute(insert(AnswerRow), [answer for _, made in chunk for answer in made])
            session.execute(insert(ModelCallRow), [call for _, made in chunk for call in calls(made)])
            session.execute(insert(SandboxRow), [sandbox(run) for run, _ in chunk])
    engine.dispose()


async def two_runs(session: Session, folder: Path) -> list[RunDocument]:
    """Run a function before and after a change of its module, and return what came of it."""
    made: list[RunDocument] = []
    for note in ("", "# another\n"):
        (folder / "m.py").write_text(note + _MODULE)
        made.append((await session.run("m.py::unique", effort="quick")).document)
    return made


def keep_benchmark(path: Path) -> None:
    """Write the results of five models with five answers each to 164 tasks, where they are missing."""
    if path.exists():
        return
    rng = random.Random(2)
    machine = Provenance(codeens="0", python="3.11", system="Linux", cpus=2, sandbox="none")
    with ResultsFile(path, resume=False) as file:
        for place in range(164 * 5 * 5):
            ending = rng.choice(("passed", "passed", "failed", "timeout"))
            attempt = Attempt(ending=ending, cost_usd=0.001, source="def f(): ...\n", ask_s=rng.random(), run_s=0.1)
            record = Record(
                dataset="made",
                digest="0" * 64,
                task_id=f"made/{place // 25}",
                model=_MODELS[place // 5 % 5],
                variant="baseline",
                sample=place % 5,
                passed=ending == "passed",
                ending=ending,
                attempts=(attempt,),
                machine=machine,
            )
            file.write(record)


async def measure(folder: Path, database: str | None, answers: int, rounds: int) -> dict[str, list[tuple[float, ...]]]:
    """Return the milliseconds of each page, by the clock and of the processor, by its path."""
    (folder / "pyproject.toml").touch()
    keep_benchmark(folder / "results" / "benchmarks" / f"{_BENCHMARK}.jsonl")
    settings = {"results": str(folder / "results"), **({"database_url": database} if database else {})}
    url = database.replace("postgresql:", "postgresql+psycopg:") if database else None
    async with Session(folder, settings=settings, environ={}) as session, Dashboard(session, _DOOR).opened() as app:
        store = await session.opened_store()
        if not (await store.list_runs(1)):
            url = url or f"sqlite:///{folder / 'results' / 'codeens.db'}"
            await anyio.to_thread.run_sync(fill, url, answers, str(folder))
        runs = await two_runs(session, folder)
        first, second = (run.run_id for run in runs)
        winner = runs[0].results[0].candidate.id
        middle = (await store.all_ids())[answers // _ANSWERS_OF_RUN // 2]
        paths = [
            "/",
            f"/?before={middle}",
            "/?shown=improved",
            "/?shown=open",
            "/?text=function_77",
            "/?text=no+such+function",
            "/ensemble",
            "/ensemble?of=all",
            "/leaderboard",
            "/costs",
            "/costs?before=2026-03-01",
            "/activity",
            "/variants",
            "/settings",
            "/benchmarks",
            f"/benchmarks/{_BENCHMARK}",
            f"/runs/{first}",
            f"/runs/{first}?at=5",
            f"/runs/{first}/diff/{winner}",
            f"/compare?a={first}&b={second}",
        ]
        headers = {"authorization": f"Bearer {_DOOR.token}"}
        transport = httpx.ASGITransport(app)
        named = {middle: "ID", first: "FIRST", second: "SECOND", winner: "BEST"}
        times: dict[str, list[tuple[float, ...]]] = {_shown(path, named): [] for path in paths}
        gc.freeze()  # as the command does
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765", headers=headers) as client:
            for _ in range(rounds + 1):
                for path, taken in zip(paths, times.values(), strict=True):
                    began = (time.perf_counter(), time.process_time())
                    answer = await client.get(path)
                    answer.raise_for_status()
                    ended = (time.perf_counter(), time.process_time())
                    taken.append(tuple(1000 * (b - a) for a, b in zip(began, ended, strict=True)))
        return times


def _shown(path: str, named: dict[str, str]) -> str:
    for run_id, name in named.items():
        path = path.replace(run_id, name)
    return path


def main() -> int:
    """Print a line for each page; 1 where one takes longer than it may."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--answers", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--database", help="a PostgreSQL's URL; without it: SQLite in the folder")
    parser.add_argument("--at-most-ms", type=float, default=100.0)
    asked = parser.parse_args()
    folder = asked.folder or Path(tempfile.gettempdir()) / f"codeens-dashboard-{asked.answers}"
    folder.mkdir(parents=True, exist_ok=True)
    times = anyio.run(measure, folder, asked.database, asked.answers, asked.rounds)
    slow = False
    for path, taken in times.items():
        first, *later = taken
        clock, processor = zip(*later, strict=True)
        p95, busy = (statistics.quantiles(each, n=20)[-1] for each in (clock, processor))
        slow = slow or p95 > asked.at_most_ms
        said = f"median {statistics.median(clock):6.1f}   p95 {p95:6.1f}   first {first[0]:6.1f}"
        print(f"{path:28} {said}   processor p95 {busy:6.1f} ms")
    return int(slow)


if __name__ == "__main__":
    sys.exit(main())
