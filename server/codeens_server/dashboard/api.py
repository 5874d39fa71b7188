"""The HTTP API: what the pages show and do, as JSON, for scripts and other programs."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response, StreamingResponse
from msgspec import Struct, field

from codeens_server.dashboard.activity import Activity
from codeens_server.dashboard.desk import Happened, RunDesk
from codeens_server.dashboard.pages import diff_text
from codeens_server.dashboard.wire import RefusedRequest, answer, lists, read_body, says, takes
from codeens_server.domain.document import RunDocument
from codeens_server.run.events import Progress
from codeens_server.store.statistics import CostLine, RunPage, RunsShown, SystemLine
from codeens_server.store.used import StoredUsage
from codeens_server.views.model import RunView


class StartRun(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What starts a run."""

    target: str
    """`path.py::function`, `path.py::Class.method` or `path.py:LINE`."""
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    """As `codeens.run` takes them: goal, effort, mode, models, variants, samples, budget_usd, …"""


class StartedRun(Struct, frozen=True, kw_only=True):
    """A run that goes on."""

    run_id: str


class Ended(Struct, frozen=True, kw_only=True):
    """Whether a run was ended: False where it is not one of this process, or has ended."""

    ended: bool


DOCUMENTS: tuple[type[Struct], ...] = (
    StartRun,
    StartedRun,
    Ended,
    RefusedRequest,
    RunPage,
    RunView,
    RunDocument,
    SystemLine,
    CostLine,
    Activity,
    StoredUsage,
)
"""What the OpenAPI document describes of these routes."""


def make_api(desk: RunDesk) -> APIRouter:
    """Return the routes below `/api`."""
    api = APIRouter(
        prefix="/api",
        responses=says({400: RefusedRequest, 401: RefusedRequest, 404: RefusedRequest, 422: RefusedRequest}),
    )
    _add_runs(api, desk)
    _add_sums(api, desk)
    return api


def _add_runs(api: APIRouter, desk: RunDesk) -> None:
    """Start runs, list, show, follow and end them."""

    @api.get("/runs", responses=says({200: RunPage}))
    async def list_runs(
        text: str = "",
        shown: RunsShown = "all",
        before: str | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> Response:
        """List runs, newest first; `before` is the id from which the last page said to go on."""
        return answer(await (await desk.statistics()).runs(text=text, shown=shown, before=before, limit=limit))

    @api.post("/runs", status_code=202, responses=says({202: StartedRun}), openapi_extra=takes(StartRun))
    async def start_run(request: Request) -> Response:
        """Start a run; it goes on when the caller leaves."""
        asked = await read_body(request, StartRun)
        return answer(StartedRun(run_id=await desk.start(asked.target, asked.options)), 202)

    @api.get("/runs/{run_id}", responses=says({200: RunView}))
    async def show_run(run_id: str) -> Response:
        """Show a run as all doors do: rows, groups, differing inputs, progress."""
        return answer(await desk.view(run_id))

    @api.get("/runs/{run_id}/document", responses=says({200: RunDocument}))
    async def show_document(run_id: str) -> Response:
        """Return all facts of a finished run."""
        return answer((await desk.session.load(run_id)).document)

    @api.post("/runs/{run_id}/stop", responses=says({200: Ended}))
    async def stop_run(run_id: str) -> Response:
        """End a run of this process with what was found."""
        state = await desk.state(run_id)
        return answer(Ended(ended=desk.stop(state.run_id)))

    @api.get("/runs/{run_id}/diff/{candidate_id}", responses={200: {"content": {"text/plain": {}}}})
    async def show_diff(run_id: str, candidate_id: str) -> Response:
        """Return what a candidate changes in the function, as a unified diff."""
        return Response(diff_text(await desk.state(run_id), candidate_id), media_type="text/plain")

    @api.get("/runs/{run_id}/events", responses={200: {"content": {"text/event-stream": {}}}})
    async def follow_run(
        run_id: str,
        after: Annotated[int, Query(ge=0)] = 0,
        last_event_id: Annotated[str, Header()] = "",
    ) -> Response:
        """Send a run's events as they come (server-sent events); `id` is how many of its log there are by then."""
        known = int(last_event_id) if last_event_id.isascii() and last_event_id.isdecimal() else after
        whole = (await desk.state(run_id)).run_id
        return StreamingResponse(_sent(desk.follow(whole, known)), media_type="text/event-stream")


def _add_sums(api: APIRouter, desk: RunDesk) -> None:
    """Say what is going on, and what came of all runs."""

    @api.get("/activity", responses=lists(Activity))
    async def show_activity() -> Response:
        """Say what the runs of this process are at: candidates on their way, sandboxes, queue, dollars a minute."""
        return answer(desk.activities())

    @api.get("/usage", responses=says({200: StoredUsage}))
    async def show_usage(limit: Annotated[int, Query(ge=1, le=1000)] = 50) -> Response:
        """Say what runs used last: sandboxes, and calls of models with their price and latency."""
        return answer(await (await desk.session.opened_store()).used.latest(limit))

    @api.get("/systems", responses=lists(SystemLine))
    async def list_systems() -> Response:
        """Say what came of every model with every variant, over all runs of the store."""
        return answer(await (await desk.statistics()).systems())

    @api.get("/costs", responses=lists(CostLine))
    async def list_costs() -> Response:
        """Say what was paid, by day and model."""
        return answer(await (await desk.statistics()).costs())


async def _sent(events: AsyncGenerator[Happened]) -> AsyncGenerator[bytes]:
    async for happened in events:
        kind = str(happened.event.__struct_config__.tag)
        data = msgspec.json.encode(happened.event).decode()
        # What is only progress has no id: who comes back wants what is kept.
        number = "" if isinstance(happened.event, Progress) else f"id: {happened.seq}\n"
        yield f"event: {kind}\n{number}data: {data}\n\n".encode()
