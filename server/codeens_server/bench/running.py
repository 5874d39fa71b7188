"""A benchmark: all items of all models at once, each line on the disk when it is known.

Each model has workers of its own, so that none waits for another. A worker sees an item through, from the question to
the line: while one is judged, others are being answered.
"""

from __future__ import annotations

import os
import platform
import subprocess
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import version

import anyio
import anyio.to_thread
from msgspec import Struct
from msgspec.structs import replace

from codeens import Session
from codeens_sandbox_backends.base import NodeState, SandboxSpec
from codeens_server.bench.cluster.engine import ClusterJudge, cluster_judge
from codeens_server.bench.datasets.loading import TaskSet
from codeens_server.bench.estimating import Forecast, calls_at_once, forecast
from codeens_server.bench.judging import Judge, SandboxJudge
from codeens_server.bench.preparing import PreparedTask, prepared
from codeens_server.bench.records import Attempt, Provenance, Record
from codeens_server.bench.results import ResultsFile
from codeens_server.bench.solving import Tools, Trial, solve
from codeens_server.config.settings import ModelSettings, Settings
from codeens_server.crash_log import innermost
from codeens_server.errors import Hint, InputError
from codeens_server.generation.budget import Budget
from codeens_server.generation.models.client import Models
from codeens_server.generation.models.exchange import Reply
from codeens_server.generation.models.resolve import choose_models, with_fallbacks
from codeens_server.ranking.selector.model import chosen_selector
from codeens_server.ranking.selector.order import Order
from codeens_variants.manifest import Variant

_HOPELESS = 8
"""Calls of a model that fail one after the other, and none before them that did not: it is not asked any more."""


_NOTHING_RUN = "nothing was run"


class Plan(Struct, frozen=True, kw_only=True):
    """Whom to ask, and how."""

    models: tuple[str, ...] = ()
    """Names; none: all that are configured or can be reached."""
    variants: tuple[str, ...] = ()
    samples: int = 1
    rounds: int = 1
    concurrency: int | None = None
    """Items of a model at once; None: twice as many as it may be asked at once, so that some can be judged."""
    budget_usd: float | None = None
    """None: as configured. What the file's earlier lines cost counts."""
    temperature: float | None = None
    """In place of the variants' own."""
    seed: int | None = None
    """Sent to the models."""
    fresh: bool = False
    forecast_only: bool = False
    no_execute: bool = False
    """Ask, and run nothing."""
    cluster: str | None = None
    """Address of a Ray cluster on whose nodes programs are judged; None: in the session's sandbox."""


class BenchProgress(Struct, frozen=True, kw_only=True):
    """How far a benchmark is."""

    done: int
    total: int
    passed: int
    unanswered: int
    usd: float
    seconds: float
    """Since the first question."""
    nodes: tuple[NodeState, ...] = ()
    """Of the cluster, where one judges."""

    @property
    def left_s(self) -> float | None:
        """Seconds to go at the rate so far; None: nothing is known of it."""
        return self.seconds / self.done * (self.total - self.done) if self.done else None


class Outcome(Struct, frozen=True, kw_only=True):
    """How a benchmark ended."""

    forecast: Forecast
    wrote: int
    left: int
    """Items that were not asked for: the budget was used up, or their model never answered."""
    notes: tuple[str, ...] = ()


class Watcher(Struct, frozen=True):
    """Who is told."""

    begins: Callable[[Forecast, float | None], None]
    """Gets what is to come and the budget, before the first question."""
    progressed: Callable[[BenchProgress], None]


async def run_benchmark(
    tasks: TaskSet, plan: Plan, results: ResultsFile, session: Session, watcher: Watcher
) -> Outcome:
    """Ask and judge all that the file does not have yet.

    Raises:
        InputError: the plan is wrong, tasks fail their own solutions, or the file is of other tasks.
        SandboxError: the sandbox failed.
    """
    settings = await anyio.to_thread.run_sync(session.settings_here)
    models = _seeded(await choose_models(plan.models, settings, session.environ, editor=False), plan.seed)
    if not models:
        message = "there is no model to ask."
        raise InputError(message, code="no_model", hint=Hint("model"))
    variants = _at_temperature(await anyio.to_thread.run_sync(session.used_variants, plan.variants), plan.temperature)
    _check_digest(results, tasks)
    selector = await anyio.to_thread.run_sync(chosen_selector, settings)
    asked = with_fallbacks(models, settings, session.environ)
    async with (
        _judge(plan, tasks, session, settings) as judge,
        Models(asked, session.environ, limiter=judge.limiter if isinstance(judge, ClusterJudge) else None) as client,
    ):
        label = judge.label if judge else _NOTHING_RUN
        machine = await anyio.to_thread.run_sync(_machine, settings.python or "", label)
        at_once = judge.at_once if judge else settings.parallel
        ready = await prepared(tasks.items, session, judge, workers=at_once)
        there = {**results.known, **(results.not_run if plan.no_execute else {})}
        trials = [trial for trial in _trials(ready, models, variants, plan.samples) if trial.key not in there]
        expected = await forecast(trials, client, plan.concurrency)
        budget = Budget(
            usd=_cap(plan, settings),
            tokens=settings.budget_tokens,
            calls=settings.budget_calls,
            spent_usd=_spent(results),
        )
        watcher.begins(expected, _cap(plan, settings))
        if plan.forecast_only:
            return Outcome(forecast=expected, wrote=0, left=len(trials))
        tools = Tools(
            client=client,
            cache=(await session.opened_store()).cache(Reply),
            budget=budget,
            judge=judge,
            order=Order(at_once, selector),
            rounds=plan.rounds,
            fresh=plan.fresh,
        )
        bench = _Bench(tasks, tools, results, machine, watcher, len(trials))
        await bench.run(trials, plan.concurrency)
        nodes = judge.nodes if isinstance(judge, ClusterJudge) else ()
    notes = [*bench.notes, *(node.refusal for node in nodes if node.why), *([budget.remark] if budget.remark else [])]
    if budget.exhausted:
        notes.append("the budget is used up.")
    return Outcome(forecast=expected, wrote=bench.done, left=len(trials) - bench.done, notes=tuple(notes))


@asynccontextmanager
async def _judge(plan: Plan, tasks: TaskSet, session: Session, settings: Settings) -> AsyncGenerator[Judge | None]:
    spec = SandboxSpec(python=settings.python or "", limits=settings.limits)
    if plan.no_execute:
        yield None
    elif plan.cluster:
        async with cluster_judge(plan.cluster, spec, tasks.items) as judge:
            yield judge
    else:
        async with session.sandbox(settings, spec) as sandbox:
            yield SandboxJudge(sandbox, sandbox.label, settings.limits, settings.parallel)


class _Bench:
    """The items that are under way, and what is known of their models."""

    def __init__(
        self, tasks: TaskSet, tools: Tools, results: ResultsFile, machine: Provenance, watcher: Watcher, total: int
    ) -> None:
        self.done = 0
        self.notes: list[str] = []
        self._tasks = tasks
        self._tools = tools
        self._results = results
        self._machine = machine
        self._watcher = watcher
        self._total = total
        self._passed = self._unanswered = 0
        self._usd = 0.0
        self._began = anyio.current_time()
        self._failures: Counter[str] = Counter()
        self._answered: set[str] = set()

    async def run(self, trials: Sequence[Trial], concurrency: int | None) -> None:
        """See all items through."""
        by_model: dict[str, list[Trial]] = {}
        for trial in trials:
            by_model.setdefault(trial.model.name, []).append(trial)
        try:
            async with anyio.create_task_group() as group:
                for own in by_model.values():
                    waiting = iter(own)
                    for _ in range(min(len(own), concurrency or 2 * calls_at_once(own[0].model, None))):
                        group.start_soon(self._work, waiting)
        except ExceptionGroup as several:
            raise innermost(several) from None

    async def _work(self, waiting: Iterable[Trial]) -> None:
        for trial in waiting:
            if self._is_hopeless(trial.model.name) or self._tools.budget.exhausted:
                return
            attempts = await solve(trial, self._tools)
            if attempts:
                await self._keep(trial, attempts)

    async def _keep(self, trial: Trial, attempts: tuple[Attempt, ...]) -> None:
        record = _record(self._tasks, trial, attempts, self._machine)
        await self._results.append(record)
        self.done += 1
        self._passed += record.passed
        self._unanswered += record.ending == "no_answer"
        self._usd += record.cost_usd or 0.0
        self._note_failure(trial.model.name, record)
        self._watcher.progressed(
            BenchProgress(
                done=self.done,
                total=self._total,
                passed=self._passed,
                unanswered=self._unanswered,
                usd=self._usd,
                seconds=anyio.current_time() - self._began,
                nodes=self._tools.judge.nodes if isinstance(self._tools.judge, ClusterJudge) else (),
            )
        )

    def _note_failure(self, model: str, record: Record) -> None:
        if record.ending != "no_answer":
            self._answered.add(model)
            return
        self._failures[model] += 1
        if self._failures[model] == _HOPELESS and self._is_hopeless(model):
            self.notes.append(f"{model} is not asked any more, since no call of it succeeds: {record.last.reason}")

    def _is_hopeless(self, model: str) -> bool:
        return model not in self._answered and self._failures[model] >= _HOPELESS


def _record(tasks: TaskSet, trial: Trial, attempts: tuple[Attempt, ...], machine: Provenance) -> Record:
    task, ending = trial.ready.item.task, attempts[-1].ending
    told = {"feedback": "public" if trial.ready.item.public is not None else "judge"} if len(attempts) > 1 else {}
    about = {name: value for name, value in task.metadata.items() if isinstance(value, str) and value}
    return Record(
        dataset=tasks.dataset,
        digest=tasks.digest,
        task_id=task.id,
        difficulty=task.difficulty,
        model=trial.model.name,
        variant=trial.variant.name,
        sample=trial.sample,
        passed=ending == "passed",
        ending=ending,
        attempts=attempts,
        machine=machine,
        at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        metadata=about | told,
    )


def _trials(
    ready: Sequence[PreparedTask], models: Sequence[ModelSettings], variants: Sequence[Variant], samples: int
) -> Iterable[Trial]:
    """Yield items in the order in which they are begun: a first sample of every task before any second."""
    for sample in range(samples):
        for one in ready:
            for variant in variants:
                for model in models:
                    yield Trial(ready=one, model=model, variant=variant, sample=sample)


def _check_digest(results: ResultsFile, tasks: TaskSet) -> None:
    for record in results.known.values():
        if (record.dataset, record.digest) != (tasks.dataset, tasks.digest):
            what = f"{record.dataset} {record.digest[:12]}, and this is {tasks.dataset} {tasks.digest[:12]}"
            message = f"{results.path} has results of another state of the data set: of {what}."
            raise InputError(message, code="other_data", hint=Hint("fix", "Name another file."))


def _cap(plan: Plan, settings: Settings) -> float | None:
    return settings.budget_usd if plan.budget_usd is None else plan.budget_usd


def _spent(results: ResultsFile) -> float:
    return sum(record.cost_usd or 0.0 for kept in (results.known, results.not_run) for record in kept.values())


def _seeded(models: Sequence[ModelSettings], seed: int | None) -> tuple[ModelSettings, ...]:
    if seed is None:
        return tuple(models)
    return tuple(replace(model, params={"seed": seed, **model.params}) for model in models)


def _at_temperature(variants: Sequence[Variant], temperature: float | None) -> tuple[Variant, ...]:
    if temperature is None:
        return tuple(variants)
    return tuple(replace(variant, temperature=temperature) for variant in variants)


def _machine(python: str, sandbox: str) -> Provenance:
    asked = [python, "-I", "-c", "import platform; print(platform.python_version())"]
    told = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=False)
    return Provenance(
        codeens=version("codeens"),
        python=told.stdout.strip(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        cpus=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        sandbox=sandbox,
    )
