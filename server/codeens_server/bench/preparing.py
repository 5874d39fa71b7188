"""Makes tasks ready before anything is paid for: their own solutions are judged, and what models see is written."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import anyio
import anyio.to_thread
from msgspec import Struct
from msgspec.structs import replace

from codeens import Code, Session
from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import Limits
from codeens_server.bench.datasets.base import Item
from codeens_server.bench.scripts import ENTRY, module_for
from codeens_server.crash_log import innermost
from codeens_server.domain.target import Context, Target
from codeens_server.errors import Hint, InputError
from codeens_server.tasks.adaptive_limits import FullTime, Pace, TaskRuns
from codeens_server.tasks.scoring import judge_reference
from codeens_server.workspace.context import context_of

_NAMED = 5


class PreparedTask(Struct, frozen=True, kw_only=True):
    """A task that can be asked for and judged."""

    item: Item
    target: Target
    context: Context
    runs: TaskRuns
    """How its programs are run: in the times that its solution takes, or within the limits where it has none."""


async def prepared(
    items: Sequence[Item], session: Session, sandbox: Sandbox | None, limits: Limits, *, workers: int
) -> list[PreparedTask]:
    """Return the tasks in their order. Without a sandbox nothing is run, and nothing is known of their solutions.

    Raises:
        InputError: own solutions of tasks fail (all are named), or a task cannot be asked for.
        SandboxError: the sandbox failed.
    """
    waiting = iter(list(enumerate(items)))
    known: dict[int, PreparedTask] = {}
    broken: dict[int, str] = {}

    async def work() -> None:
        for number, item in waiting:
            try:
                known[number] = await _ready(item, session, sandbox, limits)
            except InputError as error:
                if error.code != "broken_task":
                    raise
                broken[number] = str(error)

    try:
        async with anyio.create_task_group() as group:
            for _ in range(workers):
                group.start_soon(work)
    except ExceptionGroup as several:
        raise innermost(several) from None
    _refuse_broken([broken[number] for number in sorted(broken)], len(items))
    return [known[number] for number in sorted(known)]


def _refuse_broken(problems: Sequence[str], total: int) -> None:
    if not problems:
        return
    more = f" and {len(problems) - _NAMED} more" if len(problems) > _NAMED else ""
    message = (
        f"{len(problems)} of {total} tasks fail their own reference solution, so that their verdicts would be worth "
        f"nothing: {' '.join(problems[:_NAMED])}{more}"
    )
    raise InputError(message, code="broken_task", hint=Hint("option", "skip"))


async def _ready(item: Item, session: Session, sandbox: Sandbox | None, limits: Limits) -> PreparedTask:
    bounds = limits if item.memory_bytes is None else replace(limits, memory_bytes=item.memory_bytes)
    name, module = shown(item)
    runs = FullTime(bounds) if sandbox is None else await _runs(item, sandbox, bounds)
    target = await session.target(Code(module, name))
    context = await anyio.to_thread.run_sync(context_of, target)
    return PreparedTask(item=item, target=target, context=context, runs=runs)


def shown(item: Item) -> tuple[str, str]:
    """Return the function that is asked for, and the module that a model sees it in.

    Raises:
        InputError: the task asks for nothing that can be asked for.
    """
    if item.task.wants_script:
        return ENTRY, module_for(item.task.prompt)
    return item.task.entry_point, item.shown or item.task.module()


async def _runs(item: Item, sandbox: Sandbox, limits: Limits) -> TaskRuns:
    """Return how programs are run, by the first reference that passes.

    Raises:
        InputError: there are references, and all of them fail.
    """
    task, problem = item.task, None
    for source in item.references or (task.reference_solution,):
        try:
            reference = await judge_reference(replace(task, reference_solution=source), sandbox, limits)
        except InputError as error:
            if error.code != "broken_task":
                raise
            problem = problem or error
        else:
            return FullTime(limits) if reference is None else Pace(limits, partial(_already, reference))
    assert problem is not None
    raise problem


async def _already(reference: FullTime) -> FullTime:
    return reference
