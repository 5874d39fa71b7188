"""Answers whose verdict is known: tasks that cannot be won or lost, and the traps that judges fall into."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import pytest

from codeens_sandbox_backends.base import Sandbox, SandboxSpec
from codeens_sandbox_backends.executor import open_executor
from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.registry import get_backend
from codeens_server.bench.datasets.base import Item
from codeens_server.bench.traps import KnownAnswer, right_answers, unlosable, unwinnable, wrong_answers
from codeens_server.tasks.adaptive_limits import FullTime
from codeens_server.tasks.checks import check_all
from codeens_server.tasks.schema import Task
from tests.sandbox_backends.machine import why_not

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(bool(why_not("local")), reason=why_not("local") or "bubblewrap works"),
]
LIMITS = Limits(wall_s=20.0, cpu_s=5.0)
ANSWERS = (
    "def {name}(*args):\n    return args[0] if args else 0\n",
    "def {name}(n=0):\n    return n + 1\n",
    "def {name}(*args):\n    raise ValueError\n",
)


@asynccontextmanager
async def sandbox() -> AsyncGenerator[Sandbox]:
    async with open_executor(get_backend("local"), SandboxSpec(python=sys.executable), 2) as opened:
        yield opened


async def passes(task: Task, source: str, opened: Sandbox) -> bool:
    return all(check.failure is None for check in await check_all(task, source, opened, FullTime(LIMITS)))


async def wins(items: list[Item]) -> set[bool]:
    found: set[bool] = set()
    async with sandbox() as opened:

        async def judge(item: Item, answer: str) -> None:
            found.add(await passes(item.task, answer.format(name=item.task.entry_point), opened))

        async with anyio.create_task_group() as group:
            for item in items:
                for answer in ANSWERS:
                    group.start_soon(judge, item, answer)
    return found


async def test_a_task_that_cannot_be_won_is_never_won() -> None:
    assert await wins(unwinnable(6)) == {False}


async def test_a_task_that_cannot_be_lost_is_never_lost() -> None:
    assert await wins(unlosable(6)) == {True}


async def misjudged(labelled: list[KnownAnswer]) -> list[str]:
    wrong: list[str] = []
    async with sandbox() as opened:

        async def judge(one: KnownAnswer) -> None:
            if await passes(one.task, one.task.program(one.source), opened) != one.right:
                wrong.append(one.name)

        async with anyio.create_task_group() as group:
            for one in labelled:
                group.start_soon(judge, one)
    return wrong


async def test_no_right_answer_is_refused_for_its_kind() -> None:
    assert await misjudged(right_answers()) == []


async def test_no_wrong_answer_is_accepted_for_its_kind() -> None:
    assert await misjudged(wrong_answers()) == []
