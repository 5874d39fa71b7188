"""Sums over answers stay true, whatever is written, brought in and removed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from codeens_server.domain.target import Target
from codeens_server.run.events import RunFinished, RunResumed
from codeens_server.store.runs import RunStore
from codeens_server.store.statistics import CostLine, SystemLine, VariantLine
from tests.server import facts

pytestmark = pytest.mark.anyio
_FIRST, _SECOND = "20260101-aaaaaa", "20260102-bbbbbb"


async def _said(store: RunStore, *folders: Path) -> tuple[list[VariantLine], list[CostLine], list[list[SystemLine]]]:
    asked = store.statistics
    systems = [await asked.systems(str(folder) if folder.name else "") for folder in (Path(), *folders)]
    return await asked.variants(), await asked.costs(), systems


async def _finish(store: RunStore, target: Target, run_id: str) -> None:
    state = await facts.keep(store, facts.found(target, run_id))
    await facts.add(store, state, facts.finished(run_id, target))


async def test_after_runs_were_removed_sums_are_those_of_a_store_that_never_had_them(
    store: RunStore, tmp_path: Path
) -> None:
    here, there = tmp_path / "shop" / "orders", tmp_path / "shop%"
    for folder in (here, there):
        folder.mkdir(parents=True)
    await _finish(store, facts.target_in(here), _FIRST)
    folders = (tmp_path, here, there)
    before = await _said(store, *folders)
    await _finish(store, facts.target_in(there), _SECOND)
    both = await _said(store, *folders)
    second = await store.transfer.export(_SECOND)

    now = datetime.now(UTC) + timedelta(minutes=1)
    removable = await store.transfer.removable(now, keep=1)
    await store.transfer.remove(replace(removable, runs=(_SECOND,)), now)
    after = await _said(store, *folders)
    await store.transfer.take_in(second)
    again = await _said(store, *folders)

    (line,) = before[2][0]
    assert (line.runs, line.answers, line.usable, line.tokens) == (1, 3, 3, 0)
    assert (line.passed.value, line.passed.cases, line.won.cases, line.speed) == (2 / 3, 3, 1, 2.2)
    assert [[line.runs for line in lines] for lines in both[2]] == [[2], [2], [1], [1]]
    assert after == before
    assert again == both
    assert (await store.statistics.store()).answers == 6


async def test_a_run_that_is_judged_again_takes_back_what_it_had_proven(store: RunStore, tmp_path: Path) -> None:
    target = facts.target_in(tmp_path)
    state = await facts.keep(store, facts.found(target, _FIRST))
    end = facts.finished(_FIRST, target)
    await facts.add(store, state, end)
    best, rejected = end.run.results
    fallen = replace(end.run, results=(replace(best, rank=None, verdict=facts.failed()), rejected), best="original")
    await facts.add(store, state, RunResumed(judge_again=True), RunFinished(run=fallen))

    (line,) = await store.statistics.systems()
    (day,) = await store.statistics.costs()

    assert (line.runs, line.passed.value, line.won.value, line.speed) == (1, 0.0, 0.0, None)
    assert (day.answers, day.wins) == (3, 0)
    assert day.cost_usd == pytest.approx(0.006)
