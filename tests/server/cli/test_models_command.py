"""`codeens models`: who wins here, and who would be asked."""

from __future__ import annotations

import json
from pathlib import Path

import anyio
import pytest

from codeens_server.config.settings import Settings
from codeens_server.domain.systems import PastRuns
from codeens_server.store.opening import open_store
from tests.server import facts
from tests.server.cli.conftest import Codeens

CONFIGURED = '[[models]]\nname = "maker/small"\nmodel = "openai/small"\n\n[[models]]\nname = "openai/new"\n'


async def _kept(results: Path, folder: Path, count: int) -> PastRuns | None:
    with open_store(Settings(results=str(results))) as store:
        target = facts.target_in(folder)
        for number in range(count):
            run_id = f"20260101-aaaaa{number}"
            await facts.keep(store, [*facts.found(target, run_id), facts.finished(run_id, target)])
        return await store.statistics.past(str(folder), ["maker/small"])


def test_who_wins_here_is_told_with_what_a_win_costs_and_how_often_auto_asks_it(
    codeens: Codeens, here: Path, home: Path
) -> None:
    (home / "config" / "codeens").mkdir(parents=True)
    (home / "config" / "codeens" / "codeens.toml").write_text(CONFIGURED, encoding="utf-8")
    too_few = anyio.run(_kept, here / "few", here, 4)
    past = anyio.run(_kept, here / "results", here, 6)

    table = codeens("models", "--results", "results").stdout
    rows = json.loads(codeens("models", "--results", "results", "--json").stdout)

    assert too_few is None
    assert past is not None
    assert (past.won.value, past.won.cases) == (1.0, 6)
    first, *others = rows
    assert (first["model"], first["variant"], first["runs"], first["won"]["value"]) == (
        "maker/small",
        "performance",
        6,
        1,
    )
    assert first["usd_per_win"] == pytest.approx(0.006)
    assert first["asked"] > 0.9
    assert {other["model"] for other in others} == {"maker/small", "openai/new"}
    assert sum(row["asked"] for row in rows) > 3.5, "four are asked"
    assert "100% [61, 100]" in table
