"""Makes tasks ready before anything is paid for: their own solutions are judged, and what models see is written."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import anyio.to_thread
from msgspec import Struct

from codeens import Code, Session
from codeens_server.bench.datasets.base import Item
from codeens_server.bench.judging import Judge
from codeens_server.bench.scripts import ENTRY, module_for
from codeens_server.crash_log import innermost
from codeens_server.domain.target import Context, Target
from codeens_server.errors import Hint, InputError
from codeens_server.workspace.context import context_of

_NAMED = 5


class PreparedTask(Struct, frozen=True, kw_only=True):
    """A task that can be asked for and judged."""

    item: Item
    target: Target
    context: Context


async def prepared(items: Sequence[Item], session: Session, judge: Judge | None, *, workers: int) -> list[PreparedTask]:
    """Return the tasks in their order. Without a judge nothing is run, and nothing is known of their solutions.

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
                known[number] = await _ready(item, session, judge)
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


async def _ready(item: Item, session: Session, judge: Judge | None) -> PreparedTask:
    name, module = shown(item)
    if judge is not None:
        await judge.prove(item)
    target = await session.target(Code(module, name))
    context = await anyio.to_thread.run_sync(context_of, target)
    return PreparedTask(item=item, target=target, context=context)


def shown(item: Item) -> tuple[str, str]:
    """Return the function that is asked for, and the module that a model sees it in.

    Raises:
        InputError: the task asks for nothing that can be asked for.
    """
    if item.task.wants_script:
        return ENTRY, module_for(item.task.prompt)
    return item.task.entry_point, item.shown or item.task.module()
