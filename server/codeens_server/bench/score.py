"""Judge samples of a data set, several at once, writing each verdict down when it is known; pass@k of them all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import IO, Any

import anyio
import msgspec
from msgspec import Struct

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import Limits
from codeens_server.bench.samples import Sample
from codeens_server.crash_log import innermost
from codeens_server.domain.terms import Status
from codeens_server.errors import Hint, InputError
from codeens_server.tasks.adaptive_limits import TaskRuns
from codeens_server.tasks.checks import Check, check_all
from codeens_server.tasks.schema import Task
from codeens_server.tasks.scoring import runs_for


class SampleResult(Struct, frozen=True, kw_only=True):
    """A line of the results."""

    task_id: str
    sample: int
    """The sample's line in its file, from 0."""
    passed: bool
    status: Status
    reason: str = ""


class Results:
    """Verdicts by sample, and the file that they are appended to, where there is one."""

    def __init__(self, path: Path | None, *, resume: bool) -> None:
        """Take over what the file has when resuming, else begin it anew.

        Raises:
            InputError: the file cannot be used.
        """
        self.by_sample: dict[int, SampleResult] = {}
        self._file: IO[bytes] | None = None
        if path is None:
            return
        try:
            if resume and path.exists():
                self._take_over(path)
            self._file = path.open("ab" if resume else "wb", buffering=0)
        except OSError as error:
            message = f"{path} cannot be written: {error.strerror}."
            raise InputError(message) from None

    def left(self, samples: Sequence[Sample]) -> list[Sample]:
        """Return samples that have no verdict yet.

        Raises:
            InputError: a result that was taken over is of another task than its sample.
        """
        for sample in samples:
            known = self.by_sample.get(sample.number)
            if known is not None and known.task_id != sample.task_id:
                number = sample.number
                message = f"the result of sample {number} is of {known.task_id}, and the sample of {sample.task_id}."
                raise InputError(message)
        return [sample for sample in samples if sample.number not in self.by_sample]

    def add(self, result: SampleResult) -> None:
        """Keep a verdict."""
        self.by_sample[result.sample] = result
        if self._file:
            self._file.write(msgspec.json.encode(result) + b"\n")

    def close(self) -> None:
        if self._file:
            self._file.close()

    def _take_over(self, path: Path) -> None:
        whole, _, torn = path.read_bytes().rpartition(b"\n")
        for number, line in enumerate(whole.splitlines()):
            try:
                result = msgspec.json.decode(line, type=SampleResult)
            except msgspec.MsgspecError as error:
                message = f"{path}:{number + 1} is not a result of scoring ({error})."
                raise InputError(message, hint=Hint("fix", "Begin the file anew, or name another.")) from None
            self.by_sample[result.sample] = result
        if torn:  # the line that was being written when it was ended
            with path.open("r+b") as file:
                file.truncate(len(whole) + 1 if whole else 0)


async def judge_references(
    tasks: Iterable[Task], *, sandbox: Sandbox, workers: int, limits: Limits
) -> dict[str, TaskRuns]:
    """Judge the tasks' own solutions, which also lets the sandbox know what the tests call.

    Returns:
        How samples are run, by task: in the times that its solution takes, or within `limits` where it has none.

    Raises:
        InputError: a task's own solution fails it.
        SandboxError: the sandbox failed.
    """
    waiting = iter(list(tasks))
    known: dict[str, TaskRuns] = {}

    async def work() -> None:
        for task in waiting:
            known[task.id] = await runs_for(task, sandbox, limits)

    await _together(work, workers)
    return known


async def score_samples(
    samples: Sequence[Sample],
    tasks: Mapping[str, Task],
    results: Results,
    *,
    references: Mapping[str, TaskRuns],
    sandbox: Sandbox,
    workers: int,
) -> None:
    """Judge samples and add each verdict to the results when it is known.

    Args:
        samples: those that have no verdict yet.
        tasks: by id.
        results: takes the verdicts.
        references: how the samples of each task are run, from `judge_references`; has all tasks of the samples.
        sandbox: one that bounds how many jobs run at once, where `workers` is more than it takes.
        workers: samples judged at once.

    Raises:
        SandboxError: the sandbox failed.
    """

    async def judge(sample: Sample) -> SampleResult:
        return await judge_sample(sample, tasks[sample.task_id], references[sample.task_id], sandbox)

    await add_verdicts(samples, results, judge, workers)


async def add_verdicts(
    samples: Iterable[Sample], results: Results, judge: Callable[[Sample], Awaitable[SampleResult]], at_once: int
) -> None:
    """Have samples judged, so many at once, and add each verdict to the results when it is known."""
    waiting = iter(samples)

    async def work() -> None:
        for sample in waiting:
            results.add(await judge(sample))

    await _together(work, at_once)


async def _together(work: Callable[[], Coroutine[Any, Any, None]], workers: int) -> None:
    try:
        async with anyio.create_task_group() as group:
            for _ in range(workers):
                group.start_soon(work)
    except ExceptionGroup as several:
        raise innermost(several) from None


async def judge_sample(sample: Sample, task: Task, runs: TaskRuns, sandbox: Sandbox) -> SampleResult:
    """Judge one sample by all that its task demands.

    Raises:
        SandboxError: the sandbox failed.
    """
    checks = await check_all(task, sample.source, sandbox, runs)
    wrong = next((check for check in checks if check.failure is not None), None)
    return SampleResult(
        task_id=sample.task_id,
        sample=sample.number,
        passed=wrong is None,
        status=wrong.status if wrong else "passed",
        reason=_reason(wrong) if wrong else "",
    )


def _reason(check: Check) -> str:
    return check.failure.got if check.failure else ""


def pass_at_k(samples: int, right: int, k: int) -> float:
    """Estimate without bias how likely one of `k` samples is right (Chen et al. 2021, arXiv:2107.03374, section 2.1).

    Args:
        samples: how many samples there are, at least `k`.
        right: how many of them are right.
        k: how many are drawn.

    Returns:
        The probability, 0 to 1.
    """
    if samples - right < k:
        return 1.0
    return 1.0 - prod(1.0 - k / n for n in range(samples - right + 1, samples + 1))


def mean_pass_at(ks: Iterable[int], counts: Iterable[tuple[int, int]]) -> dict[str, float]:
    """Return the mean of pass@k over tasks.

    Args:
        ks: the values of k that are wanted.
        counts: of each task, how many samples it has and how many of them are right.

    Returns:
        The mean, 0 to 1, by the name `pass@k`; only for the k that every task has samples for.
    """
    tasks = list(counts)
    fewest = min((samples for samples, _ in tasks), default=0)
    return {
        f"pass@{k}": sum(pass_at_k(samples, right, k) for samples, right in tasks) / len(tasks)
        for k in ks
        if k <= fewest
    }
