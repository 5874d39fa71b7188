"""Judges samples of a data set, several at once, and writes each verdict down when it is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO

import anyio
import msgspec
from msgspec import Struct

from codeens_sandbox_backends.base import Limits, Sandbox
from codeens_server.bench.datasets import Sample
from codeens_server.domain import Status, Task
from codeens_server.errors import InputError
from codeens_server.executor import Executor
from codeens_server.judging.pace import FullTime, Pace, Runs
from codeens_server.judging.task_checks import Check, check_all


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
            InputError: the file can not be used.
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
            message = f"{path} can not be written: {error.strerror}."
            raise InputError(message) from None

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
                message = f"{path}:{number + 1} is not a result of this command ({error}); leave --resume out."
                raise InputError(message) from None
            self.by_sample[result.sample] = result
        if torn:  # the line that was being written when it was ended
            with path.open("r+b") as file:
                file.truncate(len(whole) + 1 if whole else 0)


async def warm_up(task: Task, *, executor: Executor, workers: int) -> None:
    """Have the sandbox start what it keeps from job to job, by running a task's reference; what came of it is nothing.

    Raises:
        SandboxError: the sandbox failed.
    """

    async def work() -> None:
        await executor.run(lambda sandbox: check_all(task, task.reference_solution or "", sandbox, FullTime()))

    async with anyio.create_task_group() as group:
        for _ in range(workers):
            group.start_soon(work)


async def score_samples(
    samples: Sequence[Sample],
    tasks: Mapping[str, Task],
    results: Results,
    *,
    executor: Executor,
    workers: int,
    limits: Limits,
) -> None:
    """Judge all samples that have no result yet.

    Raises:
        InputError: a result that was taken over is of another task than its sample.
        SandboxError: the sandbox failed.
    """
    for sample in samples:
        known = results.by_sample.get(sample.number)
        if known is not None and known.task_id != sample.task_id:
            message = f"the result of sample {sample.number} is of {known.task_id}, and the sample of {sample.task_id}."
            raise InputError(message)
    waiting = iter([sample for sample in samples if sample.number not in results.by_sample])
    paces: dict[str, Pace] = {}

    async def work() -> None:
        for sample in waiting:
            task = tasks[sample.task_id]
            if task.id not in paces:
                paces[task.id] = Pace(limits, partial(_reference, task, executor))
            results.add(await executor.run(partial(_judged, sample, task, paces[task.id])))

    async with anyio.create_task_group() as group:
        for _ in range(workers):
            group.start_soon(work)


async def _reference(task: Task, executor: Executor) -> FullTime:
    """Inside a worker's turn: the sandbox as it is, not another turn."""
    runs = FullTime()
    await check_all(task, task.reference_solution or "", executor.sandbox, runs)
    return runs


async def _judged(sample: Sample, task: Task, runs: Runs, sandbox: Sandbox) -> SampleResult:
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
