"""Of a large store what was found last is shown at once, and what came since a little later."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import pytest

from codeens import Session
from codeens_server.dashboard import board
from codeens_server.dashboard.board import Board
from tests.server import facts

pytestmark = pytest.mark.anyio


async def models_of(asked: Board) -> int:
    return sum(line.runs for line in await asked.systems())


async def test_a_small_store_is_asked_anew_and_a_large_one_while_the_last_answer_is_shown(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, target = await session.opened_store(), facts.target_in(tmp_path)
    found: list[int] = []
    async with AsyncExitStack() as ended:
        group = await ended.enter_async_context(anyio.create_task_group())
        asked = Board(session, group)
        found.append(await models_of(asked))
        await facts.keep(store, facts.found(target, "20260102-bbbbbb"))
        found.append(await models_of(asked))

        monkeypatch.setattr(board, "_MANY", 1)
        await models_of(asked)
        await facts.keep(store, facts.found(target, "20260103-cccccc"))
        found.append(await models_of(asked))
        monkeypatch.setattr(board, "_FRESH_S", -1.0)
        found.append(await models_of(asked))
        # What was asked for again has come when the group has ended.
        await ended.aclose()
        monkeypatch.setattr(board, "_FRESH_S", 100.0)
        found.append(await models_of(asked))

    assert found == [1, 2, 2, 2, 3]
