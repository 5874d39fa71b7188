"""Who judges the programs of a benchmark: a sandbox of this machine, or the nodes of a cluster (`cluster/`)."""

from __future__ import annotations

from functools import partial
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import Limits
from codeens_server.bench.datasets.base import Item
from codeens_server.bench.observed import Observed
from codeens_server.domain.terms import Status
from codeens_server.domain.verdict import Failure
from codeens_server.errors import InputError
from codeens_server.tasks.adaptive_limits import FullTime, Pace, TaskRuns
from codeens_server.tasks.schema import ScoredCandidate, ScoreResult, Task
from codeens_server.tasks.scoring import judge_reference, score_one


class JudgedSample(Struct, frozen=True, kw_only=True):
    """The judge's word on a program, with the fields of an `Attempt`."""

    ending: Status
    reason: str
    share: float
    stdout: str
    stderr: str
    run_s: float | None
    peak_bytes: int | None
    failure: Failure | None
    """What may be told of it; None: nothing is wrong with what is public."""


class Judge(Protocol):
    """Judges programs by the tasks of a benchmark."""

    @property
    def label(self) -> str:
        """What keeps the programs apart, in words."""
        ...

    @property
    def at_once(self) -> int:
        """How many programs may be under way."""
        ...

    async def prove(self, item: Item) -> None:
        """Judge a task's own solution, before any program is.

        Raises:
            InputError: it fails the task.
            SandboxError: the sandbox failed.
        """
        ...

    async def judged(self, item: Item, source: str, *, is_last: bool) -> JudgedSample:
        """Judge a program; where it is not the last round, also by the public tests alone.

        Raises:
            SandboxError: the sandbox failed; nothing is known of the program.
        """
        ...


class SandboxJudge:
    """Judges in one sandbox."""

    def __init__(self, sandbox: Sandbox, label: str, limits: Limits, at_once: int) -> None:
        self.label = label
        self.at_once = at_once
        self._sandbox = sandbox
        self._limits = limits
        self._runs: dict[str, TaskRuns] = {}

    async def prove(self, item: Item) -> None:
        """Judge a task's own solution; see `Judge`."""
        self._runs[item.task.id] = await runs_of(item, self._sandbox, self._limits)

    async def judged(self, item: Item, source: str, *, is_last: bool) -> JudgedSample:
        """Judge a program; see `Judge`."""
        return await judge_program(item, self._runs[item.task.id], source, self._sandbox, self.label, is_last=is_last)


async def runs_of(item: Item, sandbox: Sandbox, limits: Limits) -> TaskRuns:
    """Return how programs of a task are run: in the times that its first reference takes that passes.

    Args:
        item: the task.
        sandbox: where its references are run.
        limits: the user's; a task's own bound of memory replaces theirs.

    Raises:
        InputError: there are references, and all of them fail.
        SandboxError: the sandbox failed.
    """
    bounds = limits if item.memory_bytes is None else replace(limits, memory_bytes=item.memory_bytes)
    task, problem = item.task, None
    for source in item.references or (task.reference_solution,):
        try:
            reference = await judge_reference(replace(task, reference_solution=source), sandbox, bounds)
        except InputError as error:
            if error.code != "broken_task":
                raise
            problem = problem or error
        else:
            return FullTime(bounds) if reference is None else Pace(bounds, partial(_already, reference))
    assert problem is not None
    raise problem


async def _already(reference: FullTime) -> FullTime:
    return reference


async def judge_program(
    item: Item, runs: TaskRuns, source: str, sandbox: Sandbox, label: str, *, is_last: bool
) -> JudgedSample:
    """Judge a program by all tests of a task, and where it may be asked again by the public ones too.

    Raises:
        SandboxError: the sandbox failed; nothing is known of the program.
    """

    async def score(task: Task, observed: Observed) -> ScoreResult:
        candidate = ScoredCandidate(id=task.id, source=source)
        return await score_one(task, candidate, observed, sandbox=sandbox, sandbox_label=label)

    observed = Observed(runs)
    result = await score(item.task, observed)
    failure = result.verdict.failure
    if item.public is not None and not is_last:
        failure = (await score(item.public, Observed(runs))).verdict.failure
    return JudgedSample(
        ending=result.verdict.status,
        reason=result.reason,
        share=min(1.0, result.weight_passed / result.weight_total) if result.weight_total else 0.0,
        stdout=observed.stdout,
        stderr=observed.stderr,
        run_s=observed.run_s,
        peak_bytes=observed.peak_bytes,
        failure=failure,
    )
