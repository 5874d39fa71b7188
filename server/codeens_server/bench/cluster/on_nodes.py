"""What nodes do for a benchmark: the judge of one machine, on each of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import anyio
from msgspec import Struct

from codeens_sandbox_backends.executor import Executor
from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.ray.node import Kept
from codeens_server.bench.datasets.base import Item
from codeens_server.bench.judging import JudgedSample, judge_program, runs_of
from codeens_server.bench.samples import Sample
from codeens_server.bench.score import SampleResult, judge_sample
from codeens_server.errors import Hint, InputError
from codeens_server.tasks.adaptive_limits import TaskRuns
from codeens_server.tasks.schema import Task
from codeens_server.tasks.scoring import runs_for

T = TypeVar("T")
R = TypeVar("R")


class RefusedNode(Struct, frozen=True, kw_only=True):
    """An `InputError`, whose fields would not survive the way."""

    message: str
    code: str
    hint: Hint | None

    @property
    def error(self) -> InputError:
        """The error, to be raised where the benchmark runs."""
        return InputError(self.message, code=self.code, hint=self.hint)


class Samples(Struct, frozen=True, kw_only=True):
    """What scoring samples shares."""

    tasks: Mapping[str, Task]
    limits: Limits


class Items(Struct, frozen=True, kw_only=True):
    """What judging answers shares."""

    items: Mapping[str, Item]
    """By the id of the task."""
    limits: Limits
    label: str


class ProgramAnswer(Struct, frozen=True, kw_only=True):
    """A program to be judged; without a source, the task's own solution."""

    task: str
    source: str | None = None
    is_last: bool = True


class _Once:
    """How programs of a task are run on this node, found out by the first of them."""

    def __init__(self) -> None:
        self.lock = anyio.Lock()
        self.runs: TaskRuns | None = None
        self.refused: RefusedNode | None = None


Find: TypeAlias = Callable[[], Awaitable[TaskRuns]]


async def score_batch(executor: Executor, kept: Kept, batch: Sequence[Sample]) -> list[SampleResult | RefusedNode]:
    """Judge samples as `bench score` does."""
    shared: Samples = kept.shared

    async def score(sample: Sample) -> SampleResult | RefusedNode:
        task = shared.tasks[sample.task_id]
        found = await _runs(kept, task.id, lambda: runs_for(task, executor, shared.limits))
        if isinstance(found, RefusedNode):
            return found
        return await _or_refused(judge_sample(sample, task, found, executor))

    return await _together(batch, score, executor.parallel)


async def judge_batch(
    executor: Executor, kept: Kept, batch: Sequence[ProgramAnswer]
) -> list[JudgedSample | RefusedNode | None]:
    """Judge answers as `bench run` does; None for a task's own solution that is right."""
    shared: Items = kept.shared

    async def judge(answer: ProgramAnswer) -> JudgedSample | RefusedNode | None:
        item = shared.items[answer.task]
        found = await _runs(kept, answer.task, lambda: runs_of(item, executor, shared.limits))
        if isinstance(found, RefusedNode) or answer.source is None:
            return found if isinstance(found, RefusedNode) else None
        judging = judge_program(item, found, answer.source, executor, shared.label, is_last=answer.is_last)
        return await _or_refused(judging)

    return await _together(batch, judge, executor.parallel)


async def _runs(kept: Kept, task: str, find: Find) -> TaskRuns | RefusedNode:
    once: _Once = kept.known.setdefault(task, _Once())
    async with once.lock:
        if once.runs is None and once.refused is None:
            found = await _or_refused(find())
            once.refused, once.runs = (found, None) if isinstance(found, RefusedNode) else (None, found)
    found = once.refused or once.runs
    assert found is not None
    return found


async def _or_refused(work: Awaitable[R]) -> R | RefusedNode:
    try:
        return await work
    except InputError as error:
        return RefusedNode(message=str(error), code=error.code, hint=error.hint)


async def _together(batch: Sequence[T], do: Callable[[T], Awaitable[R]], at_once: int) -> list[R]:
    results: dict[int, R] = {}
    waiting = iter(list(enumerate(batch)))
    failures: list[Any] = []

    async def work() -> None:
        for number, one in waiting:
            results[number] = await do(one)

    try:
        async with anyio.create_task_group() as group:
            for _ in range(min(at_once, len(batch))):
                group.start_soon(work)
    except ExceptionGroup as several:
        failures = list(several.exceptions)
    if failures:
        raise failures[0]
    return [results[number] for number in range(len(batch))]
