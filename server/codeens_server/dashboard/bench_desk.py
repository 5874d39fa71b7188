"""Benchmarks of the dashboard: started, watched, ended, and what the results files beside the runs come to."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Generic, TypeVar

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup
from msgspec import Struct

from codeens import CodeensError, SandboxError, Session
from codeens_sandbox_backends.base import NodeState
from codeens_server.bench.cluster.engine import engine_address
from codeens_server.bench.datasets.loading import Filter, TaskSet, load_tasks
from codeens_server.bench.datasets.registry import dataset_names
from codeens_server.bench.estimating import Forecast
from codeens_server.bench.report.build import build_report, latest
from codeens_server.bench.report.model import BenchReport
from codeens_server.bench.results import ResultsFile, read_records
from codeens_server.bench.running import BenchProgress, Outcome, Plan, Watcher, run_benchmark
from codeens_server.bench.statistics import Estimate
from codeens_server.bench.summary import Summary, summarise
from codeens_server.errors import InputError
from codeens_server.files import safe_name
from codeens_server.store.opening import results_folder

_FOLDER = "benchmarks"
_SUFFIX = ".jsonl"
_MOST_LISTED = 100


class StartBenchmark(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What starts a benchmark."""

    dataset: str
    """Its name, or the path of tasks of one's own."""
    models: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    samples: int = 1
    tasks: int | None = None
    """The first so many; None: all."""
    budget_usd: float | None = None
    engine: str | None = None
    """`ray` or `ray://HOST:PORT`: programs run on the nodes of that cluster; None: in the sandbox of this machine."""


class BenchSystem(Struct, frozen=True, kw_only=True):
    """One model with one variant, in a list of benchmarks."""

    name: str
    solved: Estimate | None
    """pass@1; None: nothing was judged."""


class BenchLine(Struct, frozen=True, kw_only=True):
    """A benchmark in a list."""

    name: str
    """Of its results file, without the suffix."""
    dataset: str
    records: int
    changed: datetime
    systems: tuple[BenchSystem, ...]
    running: bool = False
    done: int = 0
    total: int = 0
    told: str = ""
    """How it goes, or why it ended without a result."""
    nodes: tuple[NodeState, ...] = ()
    """Of the cluster that judges; as long as this process knows of it."""


class BenchStarted(Struct, frozen=True, kw_only=True):
    """A benchmark that goes on."""

    name: str


class BenchEnded(Struct, frozen=True, kw_only=True):
    """Whether a benchmark was ended: False where it is not one that goes on here."""

    ended: bool


class _Live:
    """A benchmark of this process."""

    def __init__(self, tasks: TaskSet) -> None:
        self.dataset = tasks.dataset
        self.scope = anyio.CancelScope()
        self.progress: BenchProgress | None = None
        self.failure = ""
        self.has_ended = False

    @property
    def told(self) -> str:
        """How it goes, in words."""
        now = self.progress
        if self.failure or now is None:
            return self.failure or ("" if self.has_ended else "judging the tasks' own solutions")
        left = "" if now.left_s is None or self.has_ended else f", about {now.left_s:.0f} s left"
        return f"{now.passed} of {now.done} passed, ${now.usd:.4g}{left}"


_Told = TypeVar("_Told")


class _Kept(Generic[_Told]):
    """What results files come to, read again where a file has changed."""

    def __init__(self, read: Callable[..., _Told]) -> None:
        self._read = read
        self._kept: dict[tuple[Path, ...], tuple[list[tuple[int, int]], _Told]] = {}

    def of(self, *paths: Path) -> _Told:
        # Asked before they are read: what is appended meanwhile is read by the next.
        versions = [(found.st_mtime_ns, found.st_size) for found in (path.stat() for path in paths)]
        kept = self._kept.get(paths)
        if kept is None or kept[0] != versions:
            while len(self._kept) >= _MOST_LISTED:
                del self._kept[next(iter(self._kept))]
            kept = self._kept[paths] = (versions, self._read(*paths))
        return kept[1]


class BenchDesk:
    """Starts benchmarks that go on until they end or the server does, and reads what all of the folder came to."""

    def __init__(self, session: Session, group: TaskGroup) -> None:
        self._session = session
        self._group = group
        self._live: dict[str, _Live] = {}
        self._summaries = _Kept(_summary_of)
        self._datasets = _Kept(_dataset_of)
        self._reports = _Kept(_report_of)

    @property
    def datasets(self) -> list[str]:
        """Names of data sets."""
        return dataset_names()

    async def start(self, asked: StartBenchmark) -> str:
        """Start a benchmark and return its name.

        Raises:
            CodeensError: the data set cannot be read.
            SandboxUnavailable: the engine's address is none.
        """
        if asked.samples < 1 or (asked.tasks is not None and asked.tasks < 1):
            message = "samples and tasks are counted from 1."
            raise InputError(message, code="wrong_request")
        wanted = Filter(most=asked.tasks)
        environ = self._session.environ
        cluster = engine_address(asked.engine, environ) if asked.engine else None
        tasks = await anyio.to_thread.run_sync(lambda: load_tasks(asked.dataset, None, environ, wanted=wanted))
        name = f"{safe_name(tasks.dataset)}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        live = self._live[name] = _Live(tasks)
        plan = Plan(
            models=asked.models,
            variants=asked.variants,
            samples=asked.samples,
            budget_usd=asked.budget_usd,
            cluster=cluster,
        )
        self._group.start_soon(self._run, name, live, tasks, plan)
        return name

    def stop(self, name: str) -> bool:
        """End a benchmark of this process; what was judged is kept."""
        live = self._live.get(name)
        if live is None or live.has_ended:
            return False
        live.scope.cancel()
        return True

    async def lines(self) -> list[BenchLine]:
        """Return the benchmarks of the folder, the latest first.

        Raises:
            InputError: a results file cannot be read.
        """
        return await anyio.to_thread.run_sync(self._lines)

    async def report(self, name: str, against: str = "") -> BenchReport:
        """Return what a benchmark comes to.

        Args:
            name: as it is listed.
            against: another one, with which each system that is in both is compared; empty: none.

        Raises:
            InputError: there is none of a name, or it has no result yet.
        """

        def read() -> BenchReport:
            files = {path.stem: path for path in self._files()}
            paths = [files.get(each) for each in (name, *([against] if against else []))]
            found = [path for path in paths if path is not None]
            report = self._reports.of(*found) if len(found) == len(paths) else None
            if report is None or not report.systems:
                message = f"there is no result of a benchmark {(name if files.get(name) is None else against)!r}."
                raise InputError(message, code="no_such_benchmark")
            return report

        return await anyio.to_thread.run_sync(read)

    async def earlier(self, name: str) -> list[str]:
        """Return the benchmarks of the same data set that were there before one, the latest first.

        Raises:
            InputError: a results file cannot be read.
        """

        def read() -> list[str]:
            files = self._files()
            place = next((place for place, path in enumerate(files) if path.stem == name), None)
            if place is None:
                return []
            dataset = self._datasets.of(files[place])
            return [path.stem for path in files[place + 1 :] if self._datasets.of(path) == dataset]

        return await anyio.to_thread.run_sync(read)

    async def _run(self, name: str, live: _Live, tasks: TaskSet, plan: Plan) -> None:
        def progressed(now: BenchProgress) -> None:
            live.progress = now

        try:
            with live.scope:
                outcome = await self._benchmark(name, tasks, plan, Watcher(_say_nothing, progressed))
                live.failure = " ".join(outcome.notes)
            if live.scope.cancelled_caught:
                live.failure = "ended before it was done; what was judged is kept"
        except (CodeensError, SandboxError) as error:
            live.failure = str(error)
        finally:
            live.has_ended = True

    async def _benchmark(self, name: str, tasks: TaskSet, plan: Plan, watcher: Watcher) -> Outcome:
        path = await anyio.to_thread.run_sync(lambda: self._folder() / f"{name}{_SUFFIX}")
        with await anyio.to_thread.run_sync(lambda: ResultsFile(path, resume=False)) as file:
            return await run_benchmark(tasks, plan, file, self._session, watcher)

    def _folder(self) -> Path:
        return results_folder(self._session.settings()) / _FOLDER

    def _files(self) -> list[Path]:
        found = [path for path in self._folder().glob(f"*{_SUFFIX}") if path.is_file()]
        return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)[:_MOST_LISTED]

    def _lines(self) -> list[BenchLine]:
        lines = [self._line(path) for path in self._files()]
        there = {line.name for line in lines}
        begun = [(name, live) for name, live in self._live.items() if name not in there]
        return [*(_begun(name, live) for name, live in reversed(begun)), *lines]

    def _line(self, path: Path) -> BenchLine:
        summary = self._summaries.of(path)
        live = self._live.get(path.stem)
        return BenchLine(
            name=path.stem,
            dataset=summary.dataset or (live.dataset if live else ""),
            records=summary.records,
            changed=datetime.fromtimestamp(path.stat().st_mtime, UTC),
            systems=tuple(BenchSystem(name=one.name, solved=one.pass_at.get("pass@1")) for one in summary.systems),
            running=live is not None and not live.has_ended,
            done=live.progress.done if live and live.progress else 0,
            total=live.progress.total if live and live.progress else 0,
            told=live.told if live else "",
            nodes=live.progress.nodes if live and live.progress else (),
        )


def _summary_of(path: Path) -> Summary:
    return summarise(read_records(path), (1,))


def _dataset_of(path: Path) -> str:
    return next((record.dataset for record in read_records(path)), "")


def _report_of(path: Path, *earlier: Path) -> BenchReport:
    return build_report(latest(read_records(path)), chain.from_iterable(map(read_records, earlier)))


def _say_nothing(expected: Forecast, cap: float | None) -> None:
    """Tell nobody what is to come: progress says how it goes."""


def _begun(name: str, live: _Live) -> BenchLine:
    now = datetime.now(UTC)
    running = not live.has_ended
    return BenchLine(
        name=name, dataset=live.dataset, records=0, changed=now, systems=(), running=running, told=live.told
    )
