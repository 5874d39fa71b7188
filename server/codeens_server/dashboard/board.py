"""Statistics over all answers: asked anew each time, and of large stores while the last answer is shown.

What is said of many thousand answers does not change with the next one, and takes seconds to sum up.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from anyio.abc import TaskGroup

from codeens import CodeensError, Session
from codeens_server.store.statistics import CostLine, SystemLine, VariantLine

T = TypeVar("T")
_MANY = 20_000
"""Answers from which on what was found last is shown first."""
_LEAST_OF_RUN = 4
"""Answers of a variant in a run, when it is told how many runs it has: with several models there are more."""
_FRESH_S = 15.0
"""So long it is not asked for again."""


class _Known:
    """What was found last."""

    def __init__(self, value: Any, answers: int) -> None:
        self.value = value
        self.is_of_many = answers >= _MANY
        self.found = time.monotonic()
        self.is_asked_again = False


class Board:
    """Gives standings, variants and costs."""

    def __init__(self, session: Session, group: TaskGroup) -> None:
        self._session = session
        self._group = group
        self._known: dict[str, _Known] = {}

    async def systems(self, within: str = "") -> list[SystemLine]:
        """Return every model with every variant; see `Statistics.systems`.

        Raises:
            RunError: the database cannot be read.
        """

        async def ask() -> list[SystemLine]:
            return await (await self._session.opened_store()).statistics.systems(within)

        return await self._given(f"systems {within}", ask, lambda lines: sum(line.answers for line in lines))

    async def variants(self) -> list[VariantLine]:
        """Return every variant that was used.

        Raises:
            RunError: the database cannot be read.
        """

        async def ask() -> list[VariantLine]:
            return await (await self._session.opened_store()).statistics.variants()

        return await self._given("variants", ask, lambda lines: _LEAST_OF_RUN * sum(line.won.cases for line in lines))

    async def costs(self) -> list[CostLine]:
        """Return what was paid, newest day first.

        Raises:
            RunError: the database cannot be read.
        """

        async def ask() -> list[CostLine]:
            return await (await self._session.opened_store()).statistics.costs()

        return await self._given("costs", ask, lambda lines: sum(line.answers for line in lines))

    async def _given(self, key: str, ask: Callable[[], Awaitable[T]], answers: Callable[[T], int]) -> T:
        known = self._known.get(key)
        if known is None or not known.is_of_many:
            value = await ask()
            self._known[key] = _Known(value, answers(value))
            return value
        if not known.is_asked_again and time.monotonic() - known.found > _FRESH_S:
            known.is_asked_again = True
            self._group.start_soon(self._ask_again, key, ask, answers)
        return cast("T", known.value)

    async def _ask_again(self, key: str, ask: Callable[[], Awaitable[T]], answers: Callable[[T], int]) -> None:
        try:
            value = await ask()
        except CodeensError:
            self._known.pop(key, None)  # who asks next is told
        else:
            self._known[key] = _Known(value, answers(value))
