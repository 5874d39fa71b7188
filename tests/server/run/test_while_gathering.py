"""Models are asked as soon as there is something to judge by, and answer while the rest of the evidence is gathered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import anyio
import pytest

from codeens_sandbox_backends.errors import SandboxBroken
from codeens_server.domain.evidence import Evidence
from codeens_server.errors import EvidenceError, RunError
from codeens_server.generation.models.exchange import Message, Reply, Sampling
from codeens_server.run import execution
from codeens_server.run.engine import RunStream
from codeens_server.run.events import CandidateGenerated, CandidateJudged, EvidenceGathered, ModelsBriefed, RunEvent
from tests.server.run.fakes import EVIDENCE, RIGHT, FakeModels, World, events_of, fenced, finish, held_until

pytestmark = pytest.mark.anyio
SECONDS = 100.0


class Gathering:
    """In place of `gather`: tells what is known at once, and ends as it is told to."""

    def __init__(self) -> None:
        self.may_end = anyio.Event()
        self.failure: Exception | None = None
        self.told = True

    async def __call__(self, *_: Any, say: Any, tell: Any, **__: Any) -> Evidence:
        await say("gathering")
        if self.told:
            await tell(EVIDENCE)
        await self.may_end.wait()
        if self.failure is not None:
            raise self.failure
        return EVIDENCE

    def fail(self, _: RunStream) -> None:
        self.failure = SandboxBroken("no disk is left")
        self.may_end.set()


async def after_an_answer(made: AbstractAsyncContextManager[RunStream], then: Callable[[RunStream], None]) -> None:
    """Do something when a model has answered, and read the run to its end."""
    async with held_until(made, CandidateGenerated) as stream:
        then(stream)
        async for _ in stream:
            pass


@pytest.fixture
def gathering(world: World, monkeypatch: pytest.MonkeyPatch) -> Gathering:
    slow = Gathering()
    monkeypatch.setattr(execution, "gather", slow)
    return slow


class Patient(FakeModels):
    """Answers when it may."""

    def __init__(self, gathering: Gathering, **texts: Sequence[str]) -> None:
        super().__init__(**texts)
        self.gathering = gathering
        self.may_answer = anyio.Event()

    async def __call__(self, name: str, messages: Sequence[Message], sampling: Sampling) -> Reply:
        self.gathering.may_end.set()
        await self.may_answer.wait()
        return await super().__call__(name, messages, sampling)


async def test_evidence_is_gathered_while_a_model_answers(world: World, gathering: Gathering) -> None:
    models = Patient(gathering, right=[fenced(RIGHT)])
    seen: list[type[RunEvent]] = []
    with world.engine(models) as (engine, _), anyio.fail_after(SECONDS):
        async with engine.start(world.request(models), world.target) as stream:
            async for event in stream:
                seen.append(type(event))
                if isinstance(event, EvidenceGathered):
                    models.may_answer.set()
            assert stream.state.best == "editor-right-baseline-0"
    order = [seen.index(kind) for kind in (ModelsBriefed, EvidenceGathered, CandidateGenerated, CandidateJudged)]
    assert order == sorted(order)


async def test_an_answer_that_comes_before_the_evidence_is_judged_when_it_is_there(
    world: World, gathering: Gathering
) -> None:
    models = FakeModels(right=[fenced(RIGHT)])
    with world.engine(models) as (engine, _), anyio.fail_after(SECONDS):
        made = engine.start(world.request(models), world.target)
        async with held_until(made, CandidateGenerated) as stream:
            assert world.backend.times(RIGHT) == 0
            gathering.may_end.set()
            async for _ in stream:
                pass
            assert stream.state.best == "editor-right-baseline-0"


async def test_what_was_paid_for_before_the_evidence_is_kept_when_the_run_is_stopped(
    world: World, gathering: Gathering
) -> None:
    models = FakeModels(right=[fenced(RIGHT)])
    with world.engine(models) as (engine, store), anyio.fail_after(SECONDS):
        made = engine.start(world.request(models), world.target)
        with pytest.raises(RunError, match="can be gone on with"):
            await after_an_answer(made, RunStream.stop)
        (listed,) = await store.list_runs(2)
        assert (listed.ended, listed.cost_usd) == (False, 0.25)
        gathering.may_end.set()
        document = await finish(engine.resume(listed.run_id))
    assert (document.best, document.summary.cost_usd) == ("editor-right-baseline-0", 0.25)
    assert models.asked == ["editor/right"]


async def test_what_was_paid_for_is_kept_when_the_sandbox_fails_before_the_evidence(
    world: World, gathering: Gathering
) -> None:
    models = FakeModels(right=[fenced(RIGHT)])
    with world.engine(models) as (engine, store), anyio.fail_after(SECONDS):
        with pytest.raises(SandboxBroken):
            await after_an_answer(engine.start(world.request(models), world.target), gathering.fail)
        (listed,) = await store.list_runs(2)
        assert listed.cost_usd == 0.25


async def test_no_model_is_asked_where_only_the_whole_evidence_says_that_there_is_something_to_judge_by(
    world: World, gathering: Gathering
) -> None:
    models = FakeModels(right=[fenced(RIGHT)])
    gathering.told = False
    gathering.failure = EvidenceError("it needs the network")
    gathering.may_end.set()
    with world.engine(models) as (engine, _), pytest.raises(EvidenceError):
        await events_of(engine.start(world.request(models), world.target))
    assert models.asked == []
    with world.engine(models) as (_, store):
        assert await store.list_runs(1) == []
