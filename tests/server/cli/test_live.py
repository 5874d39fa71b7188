from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.console import Console

from codeens_server.cli.live import View, live_view
from codeens_server.domain.measurement import Exponent, Growth
from codeens_server.run.events import (
    CandidateMeasured,
    CandidatePlanned,
    GenerationFailed,
    Progress,
    RunEvent,
    RunResumed,
    RunStarted,
    SandboxFailed,
)
from codeens_server.run.state import RunState
from tests.server import facts


@pytest.fixture
def events(tmp_path: Path) -> list[RunEvent]:
    return [
        *facts.found(facts.target_in(tmp_path))[:1],
        CandidatePlanned(count=4),
        *facts.found(facts.target_in(tmp_path))[1:],
        GenerationFailed(call="c5", model="slow/one", variant="baseline", why="429 too many\x1b[2J requests"),
        SandboxFailed(candidate_id="c3", why="it was killed"),
    ]


def show(view: View, events: Sequence[RunEvent]) -> None:
    started, *rest = events
    assert isinstance(started, RunStarted)
    state = RunState(started)
    view.show(started, state)
    for event in rest:
        state.apply(event)
        view.show(event, state)


def test_the_speed_of_a_candidate_is_told_once_and_then_how_its_time_grows(events: list[RunEvent]) -> None:
    measured = next(event for event in events if isinstance(event, CandidateMeasured))
    linear, quadratic = Exponent(low=0.9, high=1.1), Exponent(low=1.9, high=2.1)
    growth = Growth(sizes=(1, 2, 4, 8), ratios=(1.0, 2.0, 4.0, 8.0), original=quadratic, candidate=linear)
    grown = replace(measured, measurement=replace(measured.measurement, growth=growth))
    out = io.StringIO()
    with live_view(Console(file=out, width=140), quiet=False) as view:
        show(view, [*events, grown])
    assert [
        line.partition(": ")[2] for line in out.getvalue().splitlines() if "[2.2, 2.5]" in line or "n^" in line
    ] == [
        "2.3\N{MULTIPLICATION SIGN} [2.2, 2.5]",
        "time grows as n^0.9\N{EN DASH}1.1, the original's as n^1.9\N{EN DASH}2.1",
    ]


def test_where_there_is_no_terminal_each_thing_that_happens_is_a_line(events: list[RunEvent]) -> None:
    out = io.StringIO()
    with live_view(Console(file=out, width=140), quiet=False) as view:
        show(view, [*events, Progress(message="measuring"), RunResumed()])
    assert out.getvalue().splitlines() == [
        "run 20260101-aaaaaa",
        "[1/4] maker/small · performance: passed",
        "[2/4] maker/small · performance: failed",
        "maker/small · performance: 2.3\N{MULTIPLICATION SIGN} [2.2, 2.5]",
        "slow/one · baseline failed: 429 too many\\x1b[2J requests",
        "maker/small · performance was not run: it was killed",
        "measuring",
        "run 20260101-aaaaaa (resumed)",
    ]


def test_quiet_leaves_the_lines_out(events: list[RunEvent]) -> None:
    out = io.StringIO()
    with live_view(Console(file=out), quiet=True) as view:
        show(view, events)
    assert out.getvalue() == ""


@pytest.mark.parametrize("width", [30, 120])
def test_in_a_terminal_the_counts_are_drawn_in_place(width: int, events: list[RunEvent]) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=width, color_system=None)
    with live_view(console, quiet=False) as view:
        show(view, events[:2])
        show(view, events)
    assert "3/4" in out.getvalue()
    assert "\x1b[2J" not in out.getvalue()
