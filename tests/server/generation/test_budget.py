"""The cap on what a run may spend."""

from __future__ import annotations

import anyio
import pytest

from codeens_server.generation.budget import Budget, BudgetExceeded, CostBound
from codeens_server.generation.models import client
from codeens_server.generation.models.client import RateLimiter
from codeens_server.generation.models.exchange import Reply

pytestmark = pytest.mark.anyio


async def _spend(budget: Budget, estimate: CostBound, cost_usd: float | None, tokens: int = 0) -> None:
    async with budget.held(estimate) as held:
        held.settle(Reply(text="x", model="m", tokens_out=tokens, cost_usd=cost_usd))


async def test_a_call_that_could_go_over_the_cap_is_not_begun() -> None:
    budget = Budget(usd=1.0)
    await _spend(budget, CostBound(tokens=1, usd=0.9), 0.5)
    assert not budget.exhausted
    with pytest.raises(BudgetExceeded):
        await _spend(budget, CostBound(tokens=1, usd=0.6), 0.1)
    assert (budget.exhausted, budget.spent_usd) == (True, 0.5)


async def test_tokens_are_capped_too() -> None:
    budget = Budget(tokens=100)
    await _spend(budget, CostBound(tokens=90, usd=None), None, tokens=60)
    with pytest.raises(BudgetExceeded):
        await _spend(budget, CostBound(tokens=50, usd=None), None)


async def test_answers_are_capped_too_and_those_of_before_count() -> None:
    budget = Budget(calls=3, spent_calls=2)
    assert not budget.has_room(CostBound(tokens=1, usd=None), 2)
    await _spend(budget, CostBound(tokens=1, usd=None), None)
    with pytest.raises(BudgetExceeded):
        await _spend(budget, CostBound(tokens=1, usd=None), None)


async def test_a_call_waits_for_what_calls_under_way_leave_over() -> None:
    budget = Budget(usd=1.0)
    first = CostBound(tokens=1, usd=0.8)
    async with anyio.create_task_group() as group, budget.held(first) as held:
        group.start_soon(_spend, budget, CostBound(tokens=1, usd=0.7), 0.2)
        await anyio.wait_all_tasks_blocked()
        assert budget.spent_usd == 0.0
        held.settle(Reply(text="x", model="m", cost_usd=0.1))
    assert budget.spent_usd == pytest.approx(0.3)
    assert not budget.exhausted


async def test_a_call_that_fails_gives_back_what_it_held() -> None:
    budget = Budget(usd=1.0)
    with pytest.raises(RuntimeError):
        async with budget.held(CostBound(tokens=1, usd=1.0)):
            raise RuntimeError
    await _spend(budget, CostBound(tokens=1, usd=1.0), 1.0)
    assert budget.spent_usd == 1.0


async def test_an_unknown_price_is_said_once_and_tokens_still_count() -> None:
    budget = Budget(usd=1.0)
    assert budget.remark == ""
    await _spend(budget, CostBound(tokens=10, usd=None), None, tokens=7)
    assert not budget.cost_known
    assert budget.spent_tokens == 7
    assert "price of a model is not known, so that the cap of $1 does not hold" in budget.remark


@pytest.mark.parametrize(("rpm", "tpm"), [(2, None), (None, 100)])
async def test_requests_over_the_limit_of_a_minute_wait(
    rpm: int | None, tpm: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    pace = RateLimiter(rpm=rpm, tpm=tpm)
    await pace.wait(50)
    await pace.wait(50)
    with anyio.move_on_after(0.01) as scope:
        await pace.wait(50)
    assert scope.cancelled_caught
    monkeypatch.setattr(client, "MINUTE_S", 0.0)
    await pace.wait(50)
