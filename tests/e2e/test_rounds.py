"""Rounds that improve: a right answer goes back with what was measured of it, until nothing can change."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from codeens_server.config.settings import ModelSettings, Settings
from tests.e2e.ensemble import SECONDS, Bench, fenced
from tests.e2e.unique import BETTER, SOURCE, TESTS
from tests.loopback.server import ChatRequest, ModelServer
from tests.sandbox_backends.machine import why_not

pytestmark = [
    pytest.mark.scene,
    pytest.mark.anyio,
    pytest.mark.timeout(2 * SECONDS),
    pytest.mark.skipif(why_not("local") != "", reason=f"no isolation here: {why_not('local')}"),
]
FIRST = """\
def unique(items: list[int]) -> list[int]:
    seen: set[int] = set()
    found: list[int] = []
    for item in items:
        if item not in seen:
            seen.add(item)
            found.append(item)
    return found"""
WRONG = "def unique(items: list[int]) -> list[int]:\n    return sorted(set(items))"


class AutoBench(Bench):
    """Nobody is named: who is asked is drawn."""

    def settings(self, models: Sequence[ModelSettings]) -> Settings:
        return replace(super().settings(models), default_models=("auto",))


IMPROVING = "This was answered before; it is right"


async def test_a_right_answer_is_improved_on_with_what_was_measured_until_a_round_brings_nothing_new(
    tmp_path: Path,
) -> None:
    def answer(request: ChatRequest) -> str:
        if IMPROVING in request.prompt:
            return fenced(BETTER)
        return fenced(FIRST if len(server.requests) != 1 else WRONG, "It looks items up in a set.")

    async with ModelServer(answer=answer) as server:
        bench = Bench(tmp_path, server, SOURCE)
        (bench.module.parent / "test_sums.py").write_text(TESTS, encoding="utf-8")
        done = await bench.run([bench.model("m")], samples=2, rounds=7)
        first, *others = [request.prompt for request in server.requests if IMPROVING in request.prompt]

    assert len(server.requests) == 2 + 2 + 3 * 2, (
        "two first answers, one again and one improved, six that bring no more"
    )
    assert FIRST in first
    assert "Measured against the function as it is: " in first
    assert "if item not in seen:  # 50 times" in first
    assert "unique([2, 1, 2]): " in first or "test_sums.py::test_unique" in first, "where the wrong answer was wrong"
    assert any(BETTER in prompt for prompt in others)
    assert {row.candidate.source.strip() for row in done.run.results if row.rank} == {FIRST, BETTER}
    better = next(row.candidate for row in done.run.results if row.candidate.source.strip() == BETTER)
    assert done.row(better.parent).candidate.source.strip() == FIRST
    assert done.run.summary.ending.startswith(
        "the last 6 right answers were nothing better: 2 rounds left out, 4 calls saved, about $0.00"
    )


async def test_of_more_systems_than_are_asked_auto_draws_some_and_calls_are_capped(tmp_path: Path) -> None:
    async with ModelServer(answer=lambda _: fenced(BETTER)) as server:
        bench = AutoBench(tmp_path, server, SOURCE)
        models = [bench.model(f"m{number}") for number in range(6)]
        done = await bench.run(models, budget_calls=3)
        asked = {request.model for request in server.requests}
        with bench.store() as store:
            request = (await store.load(done.run.run_id)).request

    assert len(asked) == len(server.requests) == 3
    assert done.run.summary.stopped == "budget"
    assert asked < set(request.models)
    assert request.systems == tuple((name, "plain") for name, _ in request.systems)
    assert len(set(request.systems)) == 4
