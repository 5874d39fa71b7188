"""How a run goes, on stderr: a table that renews itself in a terminal, lines elsewhere."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from codeens_server.cli.text import money, one_line, plural
from codeens_server.domain import (
    Candidate,
    CandidateGenerated,
    CandidateJudged,
    CandidateMeasured,
    CandidatePlanned,
    EvidenceGathered,
    GenerationFailed,
    Measurement,
    Progress,
    RunEvent,
    RunStarted,
    SandboxFailed,
)
from codeens_server.progress import ORIGINAL
from codeens_server.ranking.wording import interval, label


class View(Protocol):
    """Something that is shown the events of a run."""

    def show(self, event: RunEvent) -> None: ...


class Tally:
    """What the live table shows, counted from events."""

    def __init__(self) -> None:
        self.planned = 0
        self.generated = 0
        self.executed = 0
        self.failures = 0
        self.cost_usd = 0.0
        self.doing = "starting"
        self._candidates: dict[str, Candidate] = {}
        self._judged: set[str] = set()
        self._passed: dict[str, Measurement | None] = {}

    def show(self, event: RunEvent) -> None:
        """Take an event in."""
        match event:
            case CandidatePlanned():
                self.planned += event.count
            case CandidateGenerated():
                self.generated += 1
                self.cost_usd += event.candidate.cost_usd or 0.0
                self._candidates[event.candidate.id] = event.candidate
            case CandidateJudged() if event.candidate_id != ORIGINAL:
                self._judged.add(event.candidate_id)
                self.executed = len(self._judged)
                if event.verdict.status == "passed":
                    self._passed.setdefault(event.candidate_id, None)
                else:
                    self._passed.pop(event.candidate_id, None)
            case CandidateMeasured() if event.candidate_id in self._passed:
                self._passed[event.candidate_id] = event.measurement
            case GenerationFailed():
                self.failures += 1
                self.cost_usd += event.cost_usd or 0.0
            case SandboxFailed():
                self.failures += 1
            case Progress():
                self.doing = event.message
            case EvidenceGathered():
                self.doing = "making, running and measuring candidates"
            case _:
                pass

    def name(self, candidate_id: str) -> str:
        """What people call a candidate."""
        candidate = self._candidates.get(candidate_id)
        return one_line(label(candidate)) if candidate else candidate_id

    def best(self) -> str:
        """The fastest that passed, or how many passed where none is measured yet."""
        timed = {
            key: measurement.speed
            for key, measurement in self._passed.items()
            if measurement is not None and measurement.speed is not None
        }
        if not timed:
            return f"{len(self._passed)} passed" if self._passed else "nothing yet"
        key = max(timed, key=lambda name: timed[name].low)
        return f"{self.name(key)} {' '.join(interval(timed[key]))}"


class LiveTable:
    """Four columns and a line of what is going on, drawn in place."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._tally = Tally()
        self._draw()

    def show(self, event: RunEvent) -> None:
        """Take an event in and draw."""
        self._tally.show(event)
        self._draw()

    def _draw(self) -> None:
        tally = self._tally
        table = Table(box=None, padding=(0, 3, 0, 0), header_style="bold", caption_justify="left")
        for heading in ("generated", "executed", "best so far", "cost"):
            table.add_column(heading, overflow="ellipsis", no_wrap=True)
        of = f"/{tally.planned}" if tally.planned else ""
        failed = f" ({plural(tally.failures, 'failure')})" if tally.failures else ""
        table.add_row(f"{tally.generated}{of}{failed}", str(tally.executed), tally.best(), money(tally.cost_usd))
        table.caption = Text(one_line(tally.doing), style="dim", no_wrap=True, overflow="ellipsis")
        self._live.update(table)


class Lines:
    """One line for each thing that happened."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._tally = Tally()

    def show(self, event: RunEvent) -> None:
        """Take an event in and print what is new."""
        self._tally.show(event)
        if line := self._line(event):
            self._console.print(Text(line), soft_wrap=True)

    def _line(self, event: RunEvent) -> str:
        tally = self._tally
        match event:
            case RunStarted():
                return f"run {event.run_id}{' (resumed)' if event.resumed else ''}"
            case Progress():
                return one_line(event.message)
            case CandidateJudged() if event.candidate_id != ORIGINAL:
                of = f"/{tally.planned}" if tally.planned else ""
                return f"[{tally.executed}{of}] {tally.name(event.candidate_id)}: {event.verdict.status}"
            case GenerationFailed():
                return one_line(f"{event.model} · {event.variant} failed: {event.why}")
            case SandboxFailed():
                return one_line(f"{tally.name(event.candidate_id)} was not run: {event.why}")
            case _:
                return ""


@contextmanager
def live_view(console: Console, *, quiet: bool) -> Generator[View]:
    """The view that fits the console; `quiet` leaves out the lines where there is no terminal."""
    if console.is_terminal:
        with Live(console=console, refresh_per_second=8, transient=True) as live:
            yield LiveTable(live)
    else:
        yield Tally() if quiet else Lines(console)
