"""What pages show, as files: Markdown, HTML, CSV and JSON. A browser prints pages as PDF."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response
from msgspec import Struct

from codeens import Session
from codeens_server.dashboard.desk import RunDesk
from codeens_server.dashboard.rendering import share_text
from codeens_server.dashboard.wire import RefusedRequest, as_file, says
from codeens_server.domain.measurement import Interval
from codeens_server.store.statistics import CostLine, SystemLine
from codeens_server.text import money, plural
from codeens_server.views.beside import RunsBeside, beside
from codeens_server.views.model import CellView, RunView
from codeens_server.views.sheets import Paper, Sheet, as_csv, as_html, as_markdown

Form: TypeAlias = Literal["md", "html", "csv", "json"]
_WRITERS: dict[str, tuple[str, Callable[[Paper], str]]] = {
    "md": ("text/markdown", as_markdown),
    "html": ("text/html", as_html),
    "csv": ("text/csv", as_csv),
}
FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind: {} for kind in ("application/json", "text/markdown", "text/html", "text/csv")}}
}
"""What the OpenAPI document says of a file."""


def make_exports(desk: RunDesk) -> APIRouter:
    """Return the routes of files."""
    api = APIRouter(
        prefix="/api/export",
        responses=says({400: RefusedRequest, 401: RefusedRequest, 404: RefusedRequest, 422: RefusedRequest}),
    )

    @api.get("/runs/{run_id}.{form}", responses=FILE)
    async def export_run(run_id: str, form: Form) -> Response:
        """Return a run as its page shows it."""
        view = await desk.view(run_id)
        return file_of(view.run_id, form, view, of_run(view))

    @api.get("/leaderboard.{form}", responses=FILE)
    async def export_leaderboard(form: Form) -> Response:
        """Return the leaderboard."""
        lines = await (await desk.statistics()).systems()
        return file_of("leaderboard", form, lines, of_systems(lines))

    @api.get("/costs.{form}", responses=FILE)
    async def export_costs(form: Form) -> Response:
        """Return what was paid."""
        lines = await (await desk.statistics()).costs()
        return file_of("costs", form, lines, of_costs(lines))

    @api.get("/compare.{form}", responses=FILE)
    async def export_comparison(form: Form, a: str, b: str) -> Response:
        """Return two finished runs beside each other."""
        both = await _beside(desk.session, a, b)
        return file_of(f"{both.first}-{both.second}", form, both, of_comparison(both))

    return api


async def _beside(session: Session, first: str, second: str) -> RunsBeside:
    return beside((await session.load(first)).document, (await session.load(second)).document)


def file_of(name: str, form: Form, facts: Struct | list[Any], paper: Paper) -> Response:
    """Return facts as a file.

    Args:
        name: of the file, without a suffix.
        form: what it is to be.
        facts: what is written as JSON.
        paper: the same for people.
    """
    if form == "json":
        return as_file(msgspec.json.encode(facts).decode(), "application/json", f"{name}.json")
    media_type, write = _WRITERS[form]
    return as_file(write(paper), media_type, f"{name}.{form}")


def of_run(run: RunView) -> Paper:
    """Return a run as its page shows it: the table, groups that differ, what it rests on."""
    columns = ("#", "candidate", "verdict", "speed", "memory", "readable", "lines", "cost", "why")
    rows = [
        (
            row.place,
            row.label,
            *map(_cell, (row.verdict, row.speed, row.memory, row.readability, row.diff)),
            row.cost,
            row.reason,
        )
        for row in run.rows
    ]
    sheets = [Sheet("Candidates", columns, rows, figures=False)]
    if run.differences:
        sides = [(each.call, *(f"{side.name}: {side.result}" for side in each.sides)) for each in run.differences]
        sheets.append(Sheet("Where candidates differ", ("input", "one", "other"), sides, figures=False))
    where = f"{run.function.path}:{run.function.line}, run {run.run_id}, goal {run.goal}"
    said = [where, run.headline, run.summary, run.evidence, *(note.text for note in run.notes)]
    return Paper(run.function.qualname, tuple(sentence for sentence in said if sentence), tuple(sheets))


def of_systems(lines: list[SystemLine]) -> Paper:
    """Return who wins."""
    columns = ("model", "variant", "won, of runs", "runs", "passed, of judged", "usable", "answers", "fastest", "cost")
    rows = [
        (
            line.model,
            line.variant,
            share_text(line.won),
            str(line.runs),
            share_text(line.passed),
            str(line.usable),
            str(line.answers),
            f"{line.speed:.3g} times" if line.speed else "",
            _cost(line.cost_usd, known=line.cost_known),
        )
        for line in lines
    ]
    said = "A win: its code was the one to take. Intervals are of 95 % (Wilson); where two overlap, nobody is better."
    return Paper("Leaderboard", (said,), (Sheet("Models with variants", columns, rows),))


def of_costs(lines: list[CostLine]) -> Paper:
    """Return what was paid."""
    rows = [
        (
            line.day,
            line.model,
            str(line.answers),
            str(line.wins),
            str(line.tokens),
            _cost(line.cost_usd, known=line.cost_known),
        )
        for line in lines
    ]
    wins, usd = sum(line.wins for line in lines), sum(line.cost_usd for line in lines)
    total = _cost(usd, known=all(line.cost_known for line in lines))
    columns = ("day, UTC", "model", "answers", "wins", "tokens", "cost")
    return Paper("Costs", (f"{total} for {plural(wins, 'win')}.",), (Sheet("By day and model", columns, rows),))


def of_comparison(both: RunsBeside) -> Paper:
    """Return two runs beside each other."""
    rows = [
        (row.label, _speed(row.first), _speed(row.second), "not the same" if row.differs else "") for row in both.rows
    ]
    said = tuple(f"What differs: {each}" for each in both.differences)
    columns = ("candidate", both.first, both.second, "speed")
    return Paper(f"{both.first} and {both.second}", said, (Sheet("Speed of the same code", columns, rows),))


def _cell(cell: CellView) -> str:
    return f"{cell.text} {cell.detail}".strip()


def _cost(usd: float, *, known: bool) -> str:
    return f"{'' if known else 'at least '}{money(usd)}"


def _speed(speed: Interval | None) -> str:
    return f"{speed.ratio:.3g} [{speed.low:.3g}, {speed.high:.3g}]" if speed else ""
