"""How a run goes, on stderr: a table that renews itself in a terminal, lines elsewhere."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from codeens_server.run.events import CandidateJudged, GenerationFailed, Progress, RunEvent, RunStarted, SandboxFailed
from codeens_server.run.state import ORIGINAL
from codeens_server.run.tally import Tally
from codeens_server.text import money, one_line, plural


class View(Protocol):
    """Something that is shown the events of a run."""

    def show(self, event: RunEvent) -> None: ...


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
