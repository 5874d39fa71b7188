"""In which order answers that wait for a sandbox are run."""

from __future__ import annotations

from contextlib import suppress

import anyio
import pytest

from codeens_server.ranking.selector.features import Submission
from codeens_server.ranking.selector.order import Order
from tests.server.ranking.selector.made import trusting

pytestmark = pytest.mark.anyio


async def order_of(order: Order, *models: str) -> list[str]:
    """Who ran in which order, where all came while the first one ran."""
    ran: list[str] = []

    async def run(model: str) -> None:
        async with order.turn(Submission(code="x = 1", model=model), "task"):
            ran.append(model)

    async with anyio.create_task_group() as group, order.turn(Submission(code="x = 1", model="first"), "task"):
        for model in models:
            group.start_soon(run, model)
        await anyio.wait_all_tasks_blocked()
    return ran


async def test_the_likeliest_to_be_right_goes_first() -> None:
    found = await order_of(Order(1, trusting(poor=-2.0, good=2.0)), "poor", "new", "good", "poor")
    assert found == ["good", "new", "poor", "poor"]


async def test_without_a_selector_it_is_first_come_first_served() -> None:
    assert await order_of(Order(1), "c", "a", "b") == ["c", "a", "b"]


async def test_one_that_waits_no_more_gives_its_turn_to_the_next() -> None:
    order, ran = Order(1), list[str]()

    async def run(name: str, scope: anyio.CancelScope) -> None:
        with scope:
            async with order.turn(Submission(code="")):
                ran.append(name)

    scopes = {name: anyio.CancelScope() for name in ("waiting", "called", "last")}
    async with anyio.create_task_group() as group:
        async with order.turn(Submission(code="")):
            for name, scope in scopes.items():
                group.start_soon(run, name, scope)
            await anyio.wait_all_tasks_blocked()
            scopes["waiting"].cancel()
            await anyio.wait_all_tasks_blocked()
        scopes["called"].cancel()
    assert "waiting" not in ran
    assert ran.pop() == "last"
    with suppress(TimeoutError), anyio.fail_after(100):
        async with order.turn(Submission(code="")):
            ran.append("after")
    assert ran.pop() == "after"
