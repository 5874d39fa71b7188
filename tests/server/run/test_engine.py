"""The four verbs over a sandbox that only pretends: what is judged, measured, stopped, refused and noted."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from msgspec.structs import replace

from codeens_sandbox_backends.errors import SandboxBroken
from codeens_sandbox_backends.jobs import CallsJob, Job
from codeens_sandbox_backends.programs import Program
from codeens_sandbox_backends.races import RaceJob
from codeens_server.domain.evidence import Case
from codeens_server.domain.target import Candidate
from codeens_server.domain.terms import OFFLINE
from codeens_server.errors import ChangedError, EvidenceError, InputError, NothingGenerated, RunError
from codeens_server.run import engine as engine_module
from codeens_server.run import execution
from codeens_server.run.engine import Engine
from codeens_server.run.events import (
    CandidateGenerated,
    CandidateJudged,
    CasePinned,
    EvidenceGathered,
    Progress,
    RunEvent,
    RunFinished,
    RunResumed,
    RunStarted,
    RunStopped,
)
from codeens_server.run.state import WRONG_WHEN_TIMED
from codeens_server.store.opening import open_store
from codeens_server.store.statistics import Statistics
from codeens_variants.manifest import Variant
from tests.server import facts
from tests.server.ranking.selector.made import kept
from tests.server.run.fakes import (
    FLAKY,
    ORIGINAL,
    RIGHT,
    WRONG,
    FakeModels,
    World,
    case,
    events_of,
    fenced,
    finish,
    given,
    held_until,
    text_of,
)

pytestmark = pytest.mark.anyio
NAMES = ("bad", "poor", "new", "good", "best")


def calls_of(source: str) -> Callable[[Job[Any]], bool]:
    """Tell the jobs in which the judge calls a source."""

    def is_one(job: Job[Any]) -> bool:
        return isinstance(job, CallsJob) and not job.memory and source in text_of(job.program)

    return is_one


def programs_of(job: Job[Any]) -> tuple[Program, ...]:
    if isinstance(job, RaceJob):
        return (job.original, *job.candidates)
    assert isinstance(job, CallsJob)
    return (job.program,)


async def test_a_candidate_that_answers_wrongly_when_it_is_timed_is_rejected(world: World) -> None:
    with world.engine() as (engine, _):
        document = await finish(engine.judge(world.request(), world.target, given(flaky=FLAKY, right=RIGHT)))
    rows = {row.candidate.id: row for row in document.results}
    assert (rows["flaky"].verdict.status, rows["flaky"].rank) == ("failed", None)
    assert rows["flaky"].verdict.reason == WRONG_WHEN_TIMED
    assert rows["flaky"].measurement.mismatch
    assert (rows["right"].rank, document.best, document.summary.passed) == (1, "right", 1)


async def test_what_costs_least_is_tried_first_and_what_fails_there_goes_no_further(world: World) -> None:
    refused, wrong, right = "def double(x, y):\n    return 5 * x\n", WRONG, RIGHT
    with world.engine() as (engine, _):
        made = engine.judge(world.request(), world.target, given(refused=refused, wrong=wrong, right=right))
        document = await finish(made)

    def of(source: str) -> list[Job[Any]]:
        return [job for job in world.backend.jobs if any(source in text_of(program) for program in programs_of(job))]

    assert {row.candidate.id: row.verdict.status for row in document.results if row.rank is None} == {
        "refused": "refused",
        "wrong": "failed",
    }
    assert of("5 * x") == []
    assert of("3 * x") != []
    assert all(isinstance(job, CallsJob) and not job.memory for job in of("3 * x"))
    first, *later = of("2 * x")
    assert isinstance(first, CallsJob)
    assert any(isinstance(job, RaceJob) for job in later)


async def test_of_candidates_that_wait_a_selector_says_which_is_judged_first(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(world.settings(), selector=kept(tmp_path, bad=-3.0, poor=-2.0, good=2.0, best=3.0), parallel=1)
    monkeypatch.setattr(world, "settings", lambda _="": settings)
    all_are_there, run = anyio.Event(), world.backend.run

    async def run_once_all_are_there(job: Job[Any]) -> Any:
        await all_are_there.wait()
        return await run(job)

    monkeypatch.setattr(world.backend, "run", run_once_all_are_there)
    sources = {
        name: f"def double(x):\n    return x * {2 + number} - x * {number}\n" for number, name in enumerate(NAMES)
    }
    judged: list[str] = []
    with world.engine() as (engine, _):
        async with engine.judge(world.request(), world.target, given(**sources)) as stream:
            async for event in stream:
                if isinstance(event, CandidateGenerated) and stream.state.generated == len(sources):
                    await anyio.wait_all_tasks_blocked()
                    all_are_there.set()
                if isinstance(event, CandidateJudged):
                    judged.append(event.candidate_id)
    first, *others = judged
    assert others == [name for name in ("best", "good", "new", "poor", "bad") if name != first]


async def test_a_quick_run_races_for_seconds_and_a_thorough_one_for_minutes(world: World) -> None:
    budgets: dict[str, float] = {}
    for effort in ("quick", "normal", "thorough"):
        with world.engine(name=effort) as (engine, _):
            await finish(engine.judge(world.request(effort=effort), world.target, given(right=RIGHT)))
        budgets[effort] = max(job.budget_s for job in world.backend.jobs if isinstance(job, RaceJob))
        world.backend.jobs.clear()
    assert budgets["quick"] <= 8.0 < 60.0 < budgets["normal"] < budgets["thorough"]


async def test_growing_inputs_are_made_only_where_growth_is_measured(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    for effort in ("quick", "normal"):

        async def sized(_: object, effort: str = effort) -> tuple[Case, ...]:
            made.append(effort)
            return ()

        monkeypatch.setattr(execution.Prober, "sized_cases", sized)
        with world.engine(name=effort) as (engine, _):
            await finish(engine.judge(world.request(effort=effort), world.target, given(right=RIGHT)))
    assert made == ["normal"]


async def test_where_the_original_cannot_be_measured_nothing_is_and_the_run_says_so(world: World) -> None:
    def broken(job: Job[Any]) -> None:
        if isinstance(job, CallsJob) and job.memory:
            raise SandboxBroken("no memory is left")

    world.backend.before = broken
    with world.engine() as (engine, store):
        document = await finish(engine.judge(world.request(), world.target, given(right=RIGHT)))
        kept = await store.load(document.run_id)
    assert document.summary.failures == ("nothing was measured: no memory is left",) == kept.failures
    assert document.results[0].verdict.status == "passed"
    assert document.results[0].speed is None


async def test_a_run_stopped_before_the_evidence_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: Any, say: Any, **__: Any) -> None:
        await say("gathering")
        await anyio.sleep_forever()

    monkeypatch.setattr(execution, "gather", never)
    with world.engine() as (engine, store):

        async def stop() -> None:
            async with held_until(engine.judge(world.request(), world.target, given(right=RIGHT)), Progress) as stream:
                stream.stop()
                assert [type(event) async for event in stream] == [RunStopped]

        with pytest.raises(RunError, match=r"stopped \(cancelled\) before the evidence") as refused:
            await stop()
        assert refused.value.code == "stopped_early"
        assert await store.list_runs(1) == []


async def test_a_store_that_cannot_keep_the_run_refuses_it_before_anything_is_done(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gathered(*_: Any, **__: Any) -> None:
        raise AssertionError("evidence was gathered for a run that cannot be kept")

    monkeypatch.setattr(execution, "gather", gathered)
    folder = world.folder / "results"
    folder.mkdir()
    connection = sqlite3.connect(folder / "codeens.db")
    with connection:
        connection.execute("CREATE TABLE schema_version (id INTEGER PRIMARY KEY, version INTEGER)")
        connection.execute("INSERT INTO schema_version VALUES (1, 1)")
    connection.close()
    with world.engine() as (engine, _), pytest.raises(RunError, match="made by another version") as refused:
        await finish(engine.judge(world.request(), world.target, given(right=RIGHT)))
    assert refused.value.code == "other_schema"


async def test_a_stopped_run_ranks_what_was_found_and_goes_on_later(world: World) -> None:
    world.backend.held = calls_of(WRONG)
    with world.engine() as (engine, store):
        made = engine.judge(world.request(), world.target, given(right=RIGHT, wrong=WRONG))
        async with held_until(made, CandidateJudged) as stream:
            stream.stop()
            rest = [event async for event in stream]
        assert world.backend.under_way == 0
        assert [type(event) for event in rest] == [RunStopped, RunFinished]
        stopped = stream.state.document
        assert stopped is not None
        assert stopped.summary.stopped == "cancelled"
        assert {row.candidate.id: row.judged for row in stopped.results} == {"right": True, "wrong": False}
        world.backend.held = lambda _: False
        world.backend.jobs.clear()
        document = await finish(engine.resume(stopped.run_id))
        assert (await store.list_runs(1))[0].stopped is None
    assert {row.candidate.id: row.verdict.status for row in document.results} == {"right": "passed", "wrong": "failed"}
    assert document.summary.stopped is None
    assert not any(calls_of(RIGHT)(job) for job in world.backend.jobs)


async def test_a_run_that_takes_too_long_is_stopped_by_its_time_limit(world: World) -> None:
    world.backend.held = calls_of(RIGHT)
    with world.engine() as (engine, _):
        made = engine.judge(world.request(timeout_s=2.0), world.target, given(right=RIGHT))
        document = await finish(made)
    assert document.summary.stopped == "timeout"
    assert world.backend.under_way == 0


async def test_leaving_a_run_ends_its_jobs_and_leaves_its_events(world: World) -> None:
    world.backend.held = calls_of(RIGHT)
    with world.engine() as (engine, store):
        made = engine.judge(world.request(), world.target, given(right=RIGHT))
        async with held_until(made, CandidateGenerated) as stream:
            while not world.backend.under_way:
                await anyio.lowlevel.checkpoint()
        assert world.backend.under_way == 0
        state = await store.load(stream.run_id)
    assert (list(state.candidates), state.executed, state.document) == (["right"], 0, None)


async def test_an_interrupted_judging_again_still_holds_old_candidates_to_the_pinned_input(world: World) -> None:
    pinned = case(9, 27, "pinned")
    with world.engine() as (engine, store):
        before = await finish(engine.judge(world.request(), world.target, given(right=RIGHT, wrong=WRONG)))
        assert before.results[0].verdict.total == 3
        await facts.add(store, await store.load(before.run_id), CasePinned(case=pinned))
        async with held_until(engine.rejudge(before.run_id), RunResumed):
            pass
        document = await finish(engine.resume(before.run_id))
    assert document.evidence.cases[-1] == pinned
    verdicts = {row.candidate.id: row.verdict for row in document.results}
    assert (verdicts["right"].status, verdicts["right"].passed, verdicts["right"].total) == ("failed", 3, 4)
    assert verdicts["wrong"].total == 4


async def test_a_candidate_that_the_sandbox_failed_on_is_told_as_not_run_and_tried_again_on_resume(
    world: World,
) -> None:
    def broken(job: Job[Any]) -> None:
        if calls_of(RIGHT)(job):
            raise SandboxBroken("it was killed")

    world.backend.before = broken
    with world.engine() as (engine, _):
        document = await finish(engine.judge(world.request(), world.target, given(right=RIGHT)))
        row = document.results[0]
        assert (row.judged, row.rank, row.verdict.reason) == (False, None, "it was killed")
        assert document.summary.failures == ("right: not run: it was killed",)
        world.backend.before = lambda _: None
        document = await finish(engine.resume(document.run_id))
    assert (document.results[0].judged, document.results[0].rank) == (True, 1)
    assert document.summary.failures == ()


async def test_models_that_were_wrong_are_asked_again_and_told_what_was_wrong(world: World) -> None:
    models = FakeModels(learner=[fenced(WRONG), fenced(RIGHT)], right=[fenced(RIGHT)])
    with world.engine(models) as (engine, _):
        document = await finish(engine.start(world.request(models, rounds=2), world.target))
    assert models.asked[:3] == ["editor/learner", "editor/right", "editor/learner"]
    passed = [row.candidate for row in document.results if row.rank is not None]
    assert [(candidate.model, candidate.same_as[0]) for candidate in passed] == [
        ("editor/right", "editor/learner · baseline")
    ]


async def test_a_run_whose_budget_is_used_up_says_so_and_asks_no_more(world: World) -> None:
    models = FakeModels(a=[fenced(WRONG)], b=[fenced(RIGHT)])
    with world.engine(models) as (engine, _):
        request = world.request(models, budget_tokens=6000)
        document = await finish(engine.start(request, world.target))
    assert document.summary.stopped == "budget"
    assert len(models.asked) == 1


async def test_the_same_code_as_the_original_is_not_run(world: World) -> None:
    with world.engine() as (engine, _):
        made = engine.judge(world.request(), world.target, given(same=ORIGINAL, right=RIGHT))
        document = await finish(made)
    assert [row.candidate.id for row in document.results] == ["right"]
    assert document.summary.generated == 2


async def test_a_run_without_anybody_to_ask_is_refused_with_a_code(world: World) -> None:
    models = FakeModels(down=[""])
    with world.engine(models) as (engine, store):
        with pytest.raises(NothingGenerated, match="nobody answers"):
            await finish(engine.start(world.request(models), world.target))
        (line,) = await store.list_runs(1)
    assert not line.ended


async def test_a_run_without_models_has_one_round_and_looks_up_nothing_of_earlier_runs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody(*_: object, **__: object) -> tuple[()]:
        return ()

    async def rewritten(*_: object) -> list[Candidate]:
        return [replace(candidate, model=OFFLINE) for candidate in given(right=RIGHT)]

    async def looked_up(*_: object) -> None:
        pytest.fail("a run without models needs none of it")

    monkeypatch.setattr(engine_module, "choose_models", nobody)
    monkeypatch.setattr(engine_module, "offline_rewrites", rewritten)
    for name in ("past", "systems"):
        monkeypatch.setattr(Statistics, name, looked_up)
    asked = replace(world.request(goal="speed", rounds=4), rewrites="always")

    with world.engine() as (engine, _):
        events = await events_of(engine.start(asked, world.target))

    assert [event.candidate.round for event in events if isinstance(event, CandidateGenerated)] == [0]
    assert isinstance(events[-1], RunFinished)
    assert (events[-1].run.summary.passed, events[-1].run.summary.ending) == (1, "")


async def test_a_definition_that_nobody_runs_is_refused_with_what_runs_though_nothing_was_made_for_it(
    world: World,
) -> None:
    world.backend.dead = "this definition of double is not the one that runs: line 9 is"
    with open_store(world.settings()) as store:
        variant = Variant(name="baseline", description="d", prompt="Write {qualname}.\n{context}\n{function}")
        engine = Engine(world.settings(), store, variants={"baseline": variant}, environ={})
        with pytest.raises(EvidenceError, match=r"line 9 is\. Name the one that runs"):
            await finish(engine.start(world.request(), world.target))


async def test_runs_of_one_engine_go_on_beside_each_other(world: World) -> None:
    documents: list[str] = []

    async def make(name: str, source: str) -> None:
        document = await finish(engine.judge(world.request(), world.target, given(**{name: source})))
        documents.append(f"{document.results[0].candidate.id} {document.results[0].verdict.status}")

    with world.engine() as (engine, store):
        async with anyio.create_task_group() as group:
            group.start_soon(make, "right", RIGHT)
            group.start_soon(make, "wrong", WRONG)
        assert len(await store.list_runs(10)) == 2
    assert sorted(documents) == ["right passed", "wrong failed"]


async def test_the_second_to_go_on_with_a_run_is_refused(world: World) -> None:
    world.backend.held = calls_of(RIGHT)
    with world.engine() as (engine, store):
        made = engine.judge(world.request(), world.target, given(right=RIGHT))
        async with held_until(made, CandidateGenerated) as stream:
            state = await store.load(stream.run_id)
        async with held_until(engine.resume(stream.run_id), RunResumed):
            with pytest.raises(RunError, match="another process went on") as refused:
                await facts.add(store, state, RunResumed())
    assert refused.value.code == "run_taken"


async def test_a_run_of_a_file_that_changed_is_not_gone_on_with(world: World) -> None:
    before = replace(world.target, file_sha256="0" * 64)
    with world.engine() as (engine, store):
        await facts.keep(store, [RunStarted(run_id="20260101-aaaaaa", request=world.request(), target=before)])
        with pytest.raises(ChangedError, match="run 20260101-aaaaaa cannot be resumed"):
            await finish(engine.resume("aaaaaa"))


async def test_going_on_with_a_run_that_there_is_none_of_is_refused(world: World) -> None:
    with world.engine() as (engine, _), pytest.raises(InputError) as refused:
        await finish(engine.resume("20260101-ffffff"))
    assert refused.value.code == "no_such_run"


async def test_events_come_in_the_order_of_the_log_and_are_in_the_store_when_they_come(world: World) -> None:
    with world.engine() as (engine, store):
        async with engine.judge(world.request(), world.target, given(right=RIGHT)) as stream:
            shown: list[RunEvent] = []
            async for event in stream:
                if not isinstance(event, Progress):
                    shown.append(event)
                if isinstance(event, (EvidenceGathered, CandidateJudged, RunFinished)):
                    assert event in await store.events(stream.run_id)
        assert shown == await store.events(stream.run_id)
    assert isinstance(shown[0], RunStarted)


async def test_what_came_before_is_not_told_again_when_a_run_is_gone_on_with(world: World) -> None:
    with world.engine() as (engine, _):
        document = await finish(engine.judge(world.request(), world.target, given(right=RIGHT)))
        events = await events_of(engine.resume(document.run_id))
    assert isinstance(events[0], RunResumed)
    assert not any(isinstance(event, CandidateGenerated) for event in events)
    assert isinstance(events[-1], RunFinished)
