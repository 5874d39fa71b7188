from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from codeens_server.cli.live import live_view
from codeens_server.ranking.wording import TIMES
from codeens_server.run.events import CandidatePlanned, GenerationFailed, Progress, RunEvent, SandboxFailed
from codeens_server.run.tally import Tally
from tests.server import facts


@pytest.fixture
def events(tmp_path: Path) -> list[RunEvent]:
    return [
        CandidatePlanned(count=4),
        *facts.found(facts.target_in(tmp_path)),
        GenerationFailed(model="slow/one", variant="baseline", why="429 too many\x1b[2J requests"),
        SandboxFailed(candidate_id="c3", why="it was killed"),
    ]


def test_the_tally_counts_candidates_and_not_the_original(events: list[RunEvent]) -> None:
    tally = Tally()
    for event in events:
        tally.show(event)
    assert (tally.planned, tally.generated, tally.executed, tally.failures) == (4, 3, 2, 2)
    assert tally.cost_usd == pytest.approx(0.006)
    assert tally.best() == f"maker/small · performance 2.3{TIMES} [2.2, 2.5]"


def test_before_anything_is_measured_the_best_is_not_named() -> None:
    tally = Tally()
    assert tally.best() == "nothing yet"


def test_where_there_is_no_terminal_each_thing_that_happens_is_a_line(events: list[RunEvent]) -> None:
    out = io.StringIO()
    with live_view(Console(file=out, width=140), quiet=False) as view:
        for event in (*events, Progress(message="measuring")):
            view.show(event)
    assert out.getvalue().splitlines() == [
        "[1/4] maker/small · performance: passed",
        "[2/4] maker/small · performance: failed",
        "slow/one · baseline failed: 429 too many\\x1b[2J requests",
        "maker/small · performance was not run: it was killed",
        "measuring",
    ]


def test_quiet_leaves_the_lines_out(events: list[RunEvent]) -> None:
    out = io.StringIO()
    with live_view(Console(file=out), quiet=True) as view:
        for event in events:
            view.show(event)
    assert out.getvalue() == ""


@pytest.mark.parametrize("width", [30, 120])
def test_in_a_terminal_the_counts_are_drawn_in_place(width: int, events: list[RunEvent]) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=width, color_system=None)
    with live_view(console, quiet=False) as view:
        for event in events:
            view.show(event)
    assert "3/4" in out.getvalue()
    assert "\x1b[2J" not in out.getvalue()
