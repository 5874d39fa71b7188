"""A model is asked for inputs; what it says is tried, paid for, and never believed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec import structs

from codeens_sandbox_backends.programs import CallInput
from codeens_server.config.settings import ModelSettings
from codeens_server.domain.evidence import Evidence, MissedChange
from codeens_server.domain.target import Target
from codeens_server.generation.budget import Budget
from codeens_server.generation.generate import Replies
from codeens_server.generation.models.client import Models
from codeens_server.generation.models.exchange import Reply
from codeens_server.run import execution
from codeens_server.run.asking import InputQuestion, ask_for_inputs, calls_in
from codeens_server.run.events import InputsAsked
from codeens_server.run.thoroughness import Suggest
from codeens_server.store.opening import open_store
from tests.server.run.fakes import RIGHT, FakeModels, World, fenced, finish

pytestmark = pytest.mark.anyio
MISSED = (MissedChange(line=3, before="x + y", after="x - y"),)
SAID = "Try these:\n```python\ndouble(7)\n>>> double(x=-1)\ndouble(7)\ndouble(size)\nimport os\ntriple(1)\n```"
CALLS = (CallInput(args=(7,)), CallInput(kwargs={"x": -1}))


def test_only_calls_of_the_function_with_literals_are_taken_from_a_reply(world: World) -> None:
    assert calls_in(SAID, world.target) == CALLS
    assert calls_in("double(" * 3000 + "\n" + "x" * 30_000, world.target) == ()


async def asked(world: World, said: FakeModels, budget: Budget) -> tuple[tuple[CallInput, ...], list[InputsAsked]]:
    told: list[InputsAsked] = []

    async def tell(event: InputsAsked) -> None:
        told.append(event)

    model = ModelSettings(name="editor/a", model="editor/a")
    with open_store(world.settings()) as store:
        async with Models((model,), {}, said) as client:
            via = InputQuestion(model, Replies(client, store.cache(Reply), budget, fresh=False))
            calls = await ask_for_inputs(world.target, MISSED, via, tell)
            if calls:
                again = await ask_for_inputs(world.target, MISSED, via, tell)
                assert again == calls
    return calls, told


async def test_the_question_is_counted_and_kept(world: World) -> None:
    models, budget = FakeModels(a=[SAID]), Budget(usd=100.0)
    calls, told = await asked(world, models, budget)
    assert calls == CALLS
    assert [(event.count, event.cost_usd, event.tokens) for event in told] == [(2, 0.25, 3000), (2, 0.0, 0)]
    assert models.asked == ["editor/a"]
    assert budget.spent_usd == 0.25


async def test_what_the_budget_has_for_candidates_is_not_spent_on_a_question(world: World) -> None:
    models, budget = FakeModels(a=[SAID]), Budget(tokens=5000)
    assert await asked(world, models, budget) == ((), [])
    assert (models.asked, budget.exhausted) == ([], False)


async def test_a_model_that_does_not_answer_is_told_of(world: World) -> None:
    calls, told = await asked(world, FakeModels(a=[""]), Budget())
    assert (calls, [event.why for event in told]) == ((), ["nobody answers"])


@pytest.mark.parametrize(("effort", "count", "cost"), [("thorough", 2, 0.5), ("normal", 0, 0.25)])
async def test_a_thorough_run_asks_once_and_says_what_it_cost(
    world: World, monkeypatch: pytest.MonkeyPatch, effort: str, count: int, cost: float
) -> None:
    suggested: list[Sequence[CallInput]] = []

    async def scored(target: Target, evidence: Evidence, *, suggest: Suggest | None, **_: Any) -> Evidence:
        if suggest is not None:
            suggested.append(await suggest(MISSED))
        return structs.replace(evidence, notes=("scored",))

    monkeypatch.setattr(execution, "with_mutation_score", scored)
    models = FakeModels(a=[f"{fenced(RIGHT)}\ndouble(7)\ndouble(x=-1)"])
    with world.engine(models) as (engine, _):
        document = await finish(engine.start(world.request(models, effort=effort), world.target))
    assert document.summary.cost_usd == cost
    assert [len(calls) for calls in suggested] == ([count] if count else [])
