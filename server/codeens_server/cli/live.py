"""How a run goes, on stderr: a table that renews itself in a terminal, lines elsewhere."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from codeens_server.domain.measurement import Measurement
from codeens_server.ranking.wording import interval, label, power
from codeens_server.run.events import (
    CandidateJudged,
    CandidateMeasured,
    GenerationFailed,
    Noted,
    Progress,
    RunEvent,
    RunResumed,
    RunStarted,
    SandboxFailed,
)
from codeens_server.run.state import RunState
from codeens_server.text import one_line, plural
from codeens_server.views.cells import is_racing
from codeens_server.views.run_view import progress_of


class View(Protocol):
    """Something that is shown the events of a run."""

    def show(self, event: RunEvent, state: RunState) -> None: ...


class LiveTable:
    """Four columns and a line of what is going on, drawn in place."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, event: RunEvent, state: RunState) -> None:
        """Draw what is known after an event."""
        del event
        progress = progress_of(state)
        table = Table(box=None, padding=(0, 3, 0, 0), header_style="bold", caption_justify="left")
        for heading in ("generated", "executed", "best so far", "cost"):
            table.add_column(heading, overflow="ellipsis", no_wrap=True)
        of = f"/{progress.planned}" if progress.planned else ""
        failed = f" ({plural(progress.failures, 'failure')})" if progress.failures else ""
        table.add_row(f"{progress.generated}{of}{failed}", str(progress.executed), progress.best, progress.cost)
        table.caption = Text(progress.doing, style="dim", no_wrap=True, overflow="ellipsis")
        self._live.update(table)


class Lines:
    """One line for each thing that happened."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, event: RunEvent, state: RunState) -> None:
        """Print what is new with an event."""
        if line := _line(event, state):
            self._console.print(Text(line), soft_wrap=True)


class Nothing:
    """Says nothing."""

    def show(self, event: RunEvent, state: RunState) -> None:
        """Take an event in."""


def _line(event: RunEvent, state: RunState) -> str:
    match event:
        case RunStarted():
            return f"run {state.run_id}"
        case RunResumed():
            return f"run {state.run_id} (resumed)"
        case Noted(kind="plan"):
            return event.message
        case Progress():
            return one_line(event.message)
        case CandidateJudged():
            of = f"/{state.planned}" if state.planned else ""
            return f"[{state.executed}{of}] {_name(state, event.candidate_id)}: {event.verdict.status}"
        case CandidateMeasured():
            return f"{_name(state, event.candidate_id)}: {_decided(event.measurement)}{_racing(state)}"
        case GenerationFailed():
            return one_line(f"{event.model} · {event.variant} failed: {event.why}")
        case SandboxFailed():
            return one_line(f"{_name(state, event.candidate_id)} was not run: {event.why}")
        case _:
            return ""


def _decided(measurement: Measurement) -> str:
    """Return what is new: the speed, and later, where it was measured, how the time grows."""
    growth = measurement.growth
    if growth is not None and not measurement.mismatch:
        return f"time grows as {power(growth.candidate)}, the original's as {power(growth.original)}"
    if measurement.speed is not None:
        return " ".join(interval(measurement.speed))
    return one_line(measurement.notes[0]) if measurement.notes else "speed not measured"


def _racing(state: RunState) -> str:
    racing = sum(
        is_racing(verdict, state.measurements.get(key), state.not_run.get(key))
        for key, verdict in state.verdicts.items()
    )
    return f" ({racing} still racing)" if racing else ""


def _name(state: RunState, candidate_id: str) -> str:
    return one_line(label(state.candidates[candidate_id]))


@contextmanager
def live_view(console: Console, *, quiet: bool) -> Generator[View]:
    """The view that fits the console; `quiet` leaves out the lines where there is no terminal."""
    if console.is_terminal:
        with Live(console=console, refresh_per_second=8, transient=True) as live:
            yield LiveTable(live)
    else:
        yield Nothing() if quiet else Lines(console)
