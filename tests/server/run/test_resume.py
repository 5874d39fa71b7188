"""Whatever a run was killed after, going on with it leads to the same result."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from codeens_server.domain.document import RunDocument
from codeens_server.run.events import (
    CandidateGenerated,
    CandidateMeasured,
    CasePinned,
    EvidenceGathered,
    GenerationFailed,
    OriginalMeasured,
    RunStarted,
    StoredEvent,
)
from codeens_server.run.state import RunState
from codeens_server.store.runs import RunStore
from tests.server import facts
from tests.server.run.fakes import FLAKY, RIGHT, SHIFT, WRONG, WRONG_ON_9, FakeModels, World, case, fenced, finish

pytestmark = pytest.mark.anyio

NINE = case(9, 18, "pinned")


def ensemble() -> FakeModels:
    """One of each kind: right, the same again, wrong and then right, wrong when timed, unusable, down."""
    return FakeModels(
        right=[fenced(RIGHT)],
        twin=[fenced(RIGHT)],
        learner=[fenced(WRONG), fenced(SHIFT)],
        flaky=[fenced(FLAKY)],
        nine=[fenced(WRONG_ON_9)],
        chatty=["I would rather not."],
        down=[""],
    )


async def recorded(world: World, rounds: int = 1) -> tuple[list[StoredEvent], RunDocument]:
    """All events of a run, and what it came to."""
    models = ensemble()
    with world.engine(models) as (engine, store):
        document = await finish(engine.start(world.request(models, rounds=rounds), world.target))
        return await store.events(document.run_id), document


async def killed(store: RunStore, events: Sequence[StoredEvent], run_id: str) -> str:
    """Keep these events as a run of its own, as a killed process left it."""
    first = events[0]
    assert isinstance(first, RunStarted)
    await facts.keep(store, [replace(first, run_id=run_id), *events[1:]])
    return run_id


def told(document: RunDocument) -> RunDocument:
    """The document without what differs between two equal runs: id, time, and the order of notes."""
    summary = document.summary
    summary = replace(
        summary,
        wall_s=0.0,
        failures=tuple(sorted(summary.failures)),
        model_failures=tuple(sorted(summary.model_failures, key=lambda failure: failure.model)),
    )
    results = (replace(row, candidate=replace(row.candidate, latency_s=None)) for row in document.results)
    return replace(document, machine=None, run_id="", summary=summary, results=tuple(results))


async def test_a_run_killed_after_any_event_comes_to_the_same_result(world: World) -> None:
    events, whole = await recorded(world, rounds=2)
    kinds = {type(event) for event in events}
    assert kinds >= {EvidenceGathered, OriginalMeasured, CandidateGenerated, GenerationFailed, CandidateMeasured}
    assert sorted(row.verdict.status for row in whole.results) == ["failed", "failed", "passed", "passed", "passed"]
    with world.engine(ensemble(), "others") as (engine, store):  # else earlier runs would say who is asked
        for length in range(1, len(events) + 1):
            run_id = await killed(store, events[:length], f"killed-{length}")
            document = await finish(engine.resume(run_id))
            assert told(document) == told(whole), f"killed after {length}: {events[length - 1]}"
            assert (await store.events(run_id))[1:length] == events[1:length]


async def test_judging_again_killed_after_any_event_holds_all_candidates_to_the_pinned_input(world: World) -> None:
    events, before = await recorded(world)
    with world.engine(ensemble()) as (engine, store):
        await facts.add(store, RunState.of(events), CasePinned(case=NINE))
        whole = await finish(engine.rejudge(before.run_id))
        again = await store.events(before.run_id)
        by_id = {row.candidate.id: row.verdict for row in whole.results}
        assert by_id["editor-nine-baseline-0"].status == "failed"
        assert by_id["editor-right-baseline-0"].passed == 4
        for length in range(len(events) + 1, len(again) + 1):
            document = await finish(engine.resume(await killed(store, again[:length], f"again-{length}")))
            assert told(document) == told(whole), f"killed after {length}: {again[length - 1]}"


async def test_what_was_paid_for_is_not_asked_again(world: World) -> None:
    events, whole = await recorded(world)
    models = ensemble()
    with world.engine(models) as (engine, store):
        document = await finish(engine.resume(await killed(store, events, "again")))
    assert set(models.asked) == {"editor/down"}
    assert document.summary.cost_usd == whole.summary.cost_usd == 6 * 0.25


async def test_a_process_that_goes_on_measures_the_original_itself(world: World) -> None:
    events, whole = await recorded(world)
    position = next(index for index, event in enumerate(events) if isinstance(event, CandidateMeasured))
    with world.engine(ensemble()) as (engine, store):
        document = await finish(engine.resume(await killed(store, events[:position], "again")))
        log = await store.events("again")
    assert sum(isinstance(event, OriginalMeasured) for event in log[:position]) == 1
    assert sum(isinstance(event, OriginalMeasured) for event in log[position:]) == 1
    assert told(document) == told(whole)


async def test_a_finished_run_is_not_run_again(world: World) -> None:
    events, whole = await recorded(world)
    world.backend.jobs.clear()
    with world.engine(ensemble()) as (engine, store):
        document = await finish(engine.resume(await killed(store, events, "again")))
    assert world.backend.jobs == []
    assert told(document) == told(whole)
