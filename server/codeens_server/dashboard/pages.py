"""The pages: what people see of runs. All text in them is escaped; what moves is fetched anew as a part of its page."""

from __future__ import annotations

import difflib
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from codeens import RunState
from codeens_server.dashboard.charts import plotted
from codeens_server.dashboard.desk import RunDesk
from codeens_server.dashboard.rendering import shown
from codeens_server.dashboard.side_by_side import lines_beside
from codeens_server.domain.target import Candidate
from codeens_server.domain.terms import ORIGINAL
from codeens_server.errors import InputError
from codeens_server.run.events import StoredEvent
from codeens_server.store.statistics import RunsShown
from codeens_server.text import one_line
from codeens_server.views.beside import beside
from codeens_server.views.model import RunView
from codeens_server.views.run_view import view_of

_PER_PAGE = 50
_DAYS = 31


def make_pages(desk: RunDesk) -> APIRouter:
    """Return the routes of the pages."""
    pages = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)
    _add_runs(pages, desk)
    _add_sums(pages, desk)
    return pages


def _add_runs(pages: APIRouter, desk: RunDesk) -> None:
    """List runs, show one, its changes, and two beside each other."""

    @pages.get("/")
    async def list_runs(
        text: str = "", shown_: Annotated[RunsShown, Query(alias="shown")] = "all", before: str | None = None
    ) -> HTMLResponse:
        found = await (await desk.statistics()).runs(text=text, shown=shown_, before=before, limit=_PER_PAGE)
        return shown(
            "runs.html",
            page=found,
            text=text,
            shown=shown_,
            before=before,
            here=desk.running(),
            activities={each.run_id: each for each in desk.activities()},
        )

    @pages.get("/runs/{run_id}")
    async def show_run(run_id: str, at: Annotated[int | None, Query(ge=1)] = None, part: bool = False) -> HTMLResponse:
        state = await desk.state(run_id)
        log = await (await desk.session.opened_store()).events(state.run_id)
        if at is not None and at < len(log):
            state = RunState.of(log[:at])
            view = view_of(state)
        else:
            at, view = None, await desk.view(state.run_id)
        facts = _run_facts(state, view, log, at) | {"activity": desk.activity(state.run_id) if at is None else None}
        return shown("run_part.html" if part else "run.html", **facts)

    @pages.get("/runs/{run_id}/diff/{candidate_id}")
    async def show_diff(run_id: str, candidate_id: str) -> HTMLResponse:
        state = await desk.state(run_id)
        candidate = _candidate(state, candidate_id)
        lines = lines_beside(state.target.source, candidate.source)
        view = await desk.view(state.run_id)
        return shown("diff.html", run=view, row=view.row(candidate.id), candidate=candidate, lines=lines)

    @pages.get("/compare")
    async def compare(a: str = "", b: str = "") -> HTMLResponse:
        asked = [run_id for run_id in (a, b) if run_id]
        documents = [found for run_id in asked if (found := (await desk.state(run_id)).document)]
        both = beside(*documents) if len(documents) == 2 else None
        return shown("compare.html", a=a, b=b, views=[await desk.view(run_id) for run_id in asked], both=both)


def _add_sums(pages: APIRouter, desk: RunDesk) -> None:
    """Show what came of all runs, and what it cost."""

    @pages.get("/leaderboard")
    async def leaderboard() -> HTMLResponse:
        lines = await (await desk.statistics()).systems()
        return shown("leaderboard.html", lines=lines)

    @pages.get("/costs")
    async def costs(before: str = "") -> HTMLResponse:
        statistics = await desk.statistics()
        lines = await statistics.costs(before=before, days=_DAYS + 1)
        days = list(dict.fromkeys(line.day for line in lines))[:_DAYS]
        on_page = [line for line in lines if line.day in days]
        following = days[-1] if len(on_page) < len(lines) else None
        paid = await statistics.paid()
        return shown("costs.html", lines=on_page, paid=paid, before=before, following=following)

    @pages.get("/activity")
    async def activity(part: bool = False) -> HTMLResponse:
        used = await (await desk.session.opened_store()).used.latest()
        facts = {"used": used, "here": desk.running(), "activities": {each.run_id: each for each in desk.activities()}}
        return shown("activity_part.html" if part else "activity.html", **facts)


def diff_text(state: RunState, candidate_id: str) -> str:
    """Return what a candidate changes in the function, as a unified diff.

    Raises:
        InputError: there is no such candidate.
    """
    candidate = _candidate(state, candidate_id)
    sides = (state.target.source.splitlines(keepends=True), candidate.source.splitlines(keepends=True))
    return "".join(difflib.unified_diff(*sides, ORIGINAL, candidate.id))


def _candidate(state: RunState, candidate_id: str) -> Candidate:
    found = state.candidates.get(candidate_id)
    if found is None:
        message = f"run {state.run_id} has no candidate {candidate_id!r}."
        raise InputError(message, code="no_such_candidate")
    return found


def _run_facts(state: RunState, view: RunView, log: list[StoredEvent], at: int | None) -> dict[str, Any]:
    return {
        "run": view,
        "plotted": plotted(view),
        "steps": [_step(number, event) for number, event in enumerate(log, start=1)],
        "at": at,
        "seq": len(log),
        "scores": {row.id: row.score.parts for row in view.rows if row.score},
        "rows": {row.id: row for row in view.rows},
        "machine": state.document.machine if state.document else None,
        "noticed": state.evidence.mutation if state.evidence else None,
    }


def _step(number: int, event: StoredEvent) -> dict[str, Any]:
    """Return one event of a run for its timeline."""
    kind = str(event.__struct_config__.tag).replace("_", " ")
    about = getattr(event, "candidate_id", None) or getattr(getattr(event, "candidate", None), "id", "")
    return {"seq": number, "text": one_line(f"{kind} {about}".strip())}
