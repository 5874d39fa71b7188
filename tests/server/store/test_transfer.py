"""Runs are taken to other stores, and old ones are removed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy

from codeens_server.config.settings import Settings
from codeens_server.errors import InputError
from codeens_server.run.events import CandidateGenerated, CasePinned, RunResumed
from codeens_server.run.state import RunState
from codeens_server.store.artifacts import Artifacts
from codeens_server.store.opening import open_store
from codeens_server.store.runs import RunStore
from tests.server import facts
from tests.server.store.test_migrations import connected

pytestmark = pytest.mark.anyio
_FIRST, _SECOND = "20260101-aaaaaa", "20260102-bbbbbb"


async def _ended(store: RunStore, folder: Path, run_id: str) -> RunState:
    state = await facts.keep(store, facts.found(facts.target_in(folder), run_id))
    await facts.add(store, state, facts.finished(run_id, state.target))
    return state


async def test_a_run_comes_out_of_another_store_as_it_went_in(
    store: RunStore, settings: Settings, tmp_path: Path
) -> None:
    state = await _ended(store, tmp_path, _FIRST)
    lines = await store.transfer.export(_FIRST)
    with open_store(Settings(results=str(tmp_path / "other"))) as other:
        taken = await other.transfer.take_in(lines)
        assert (taken.added, taken.known) == ((_FIRST,), ())
        assert (await other.load(_FIRST)).document == state.document
        assert [line.created for line in await other.list_runs(5)] == [
            line.created for line in await store.list_runs(5)
        ]
        assert await other.transfer.export(_FIRST) == lines
        assert (await other.transfer.take_in(lines)).known == (_FIRST,)
    solution = Artifacts(tmp_path / "other").candidate_folder(_FIRST, "c1") / "solution.py"
    assert solution.read_text(encoding="utf-8") == facts.FASTER


async def test_of_a_run_that_went_further_elsewhere_the_rest_is_added(store: RunStore, tmp_path: Path) -> None:
    state = await facts.keep(store, facts.found(facts.target_in(tmp_path), _FIRST))
    begun = await store.transfer.export(_FIRST)
    with open_store(Settings(results=str(tmp_path / "other"))) as other:
        await other.transfer.take_in(begun)
        await facts.add(store, state, CandidateGenerated(candidate=facts.candidate("c9")))
        assert (await other.transfer.take_in(await store.transfer.export(_FIRST))).added == (_FIRST,)
        assert list((await other.load(_FIRST)).answers) == ["c1", "c2", "c3", "c9"]
        assert (await other.transfer.take_in(begun)).known == (_FIRST,)


async def test_what_is_no_export_is_refused_by_its_line_and_nothing_is_taken(store: RunStore, tmp_path: Path) -> None:
    await _ended(store, tmp_path, _FIRST)
    lines = await store.transfer.export(_FIRST)
    with open_store(Settings(results=str(tmp_path / "other"))) as other:
        for wrong, why in (
            ([*lines[:2], lines[2][:40]], "line 3 is no event"),
            ([lines[0], lines[2]], "not all there"),
            (lines[1:], "not all there"),
            ([line.replace('"candidate_generated"', '"x"') for line in lines], "another version"),
        ):
            with pytest.raises(InputError, match=why):
                await other.transfer.take_in(wrong)
        assert await other.list_runs(5) == []


async def test_a_run_that_is_here_with_other_events_is_not_mixed_with_them(store: RunStore, tmp_path: Path) -> None:
    state = await facts.keep(store, facts.found(facts.target_in(tmp_path), _FIRST))
    with open_store(Settings(results=str(tmp_path / "other"))) as other:
        await other.transfer.take_in(await store.transfer.export(_FIRST))
        mine = await other.load(_FIRST)
        await facts.add(other, mine, RunResumed())
        await facts.add(store, state, CasePinned(case=facts.case("k1")))
        with pytest.raises(InputError, match=f"{_FIRST} is here already, and its event {state.seq} is another"):
            await other.transfer.take_in(await store.transfer.export(_FIRST))
        assert (await other.events(_FIRST))[-1] == RunResumed()


async def test_old_runs_and_their_files_are_removed_and_the_others_stay(
    store: RunStore, settings: Settings, results: Path, tmp_path: Path
) -> None:
    await _ended(store, tmp_path, _FIRST)
    await _ended(store, tmp_path, _SECOND)
    with connected(settings) as connection:
        old = datetime.now(UTC) - timedelta(days=40)
        update = sqlalchemy.text("UPDATE runs SET created = :old WHERE id = :id")
        connection.execute(update, {"old": old if settings.database_url else str(old), "id": _FIRST})
    before = datetime.now(UTC) - timedelta(days=30)
    assert (await store.transfer.removable(before, keep=2)).runs == ()
    found = await store.transfer.removable(before)
    assert found.runs == (_FIRST,)
    await store.transfer.remove(found, before)
    assert [line.run_id for line in await store.list_runs(5)] == [_SECOND]
    assert await store.events(_FIRST) == []
    assert not Artifacts(results).run_folder(_FIRST).exists()
    assert Artifacts(results).run_folder(_SECOND).exists()


async def test_a_run_that_may_be_under_way_is_not_removed(store: RunStore, tmp_path: Path) -> None:
    await facts.keep(store, facts.found(facts.target_in(tmp_path), _FIRST))
    await _ended(store, tmp_path, _SECOND)
    found = await store.transfer.removable(datetime.now(UTC) + timedelta(minutes=1))
    assert found.runs == (_SECOND,)
