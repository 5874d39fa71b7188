"""The HTTP API: what the pages show and do, as JSON, for scripts and other programs."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response, StreamingResponse
from msgspec import Struct, field

from codeens_server.dashboard.desk import Happened, RunDesk
from codeens_server.dashboard.pages import diff_text
from codeens_server.domain.document import RunDocument
from codeens_server.errors import InputError
from codeens_server.run.events import Progress
from codeens_server.store.statistics import CostLine, RunPage, RunsShown, SystemLine
from codeens_server.views.model import RunView

MOST_BYTES = 1 << 20
"""Of a request."""
_REF = "#/components/schemas/{name}"


class StartRun(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What starts a run."""

    target: str
    """`path.py::function`, `path.py::Class.method` or `path.py:LINE`."""
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    """As `codeens.run` takes them: goal, effort, mode, models, variants, samples, budget_usd, …"""


class Started(Struct, frozen=True, kw_only=True):
    """A run that goes on."""

    run_id: str


class Ended(Struct, frozen=True, kw_only=True):
    """Whether a run was ended: False where it is not one of this process, or has ended."""

    ended: bool


class Refusal(Struct, frozen=True, kw_only=True):
    """Why nothing was done."""

    code: str
    message: str


class Refused(Struct, frozen=True, kw_only=True):
    """The body of every answer above 399."""

    error: Refusal


DOCUMENTS: tuple[type[Struct], ...] = (
    StartRun,
    Started,
    Ended,
    Refused,
    RunPage,
    RunView,
    RunDocument,
)
"""What the OpenAPI document describes, beside lists of `_LINES`."""
_LINES: tuple[type[Struct], ...] = (SystemLine, CostLine)


def answer(document: object, status: int = 200) -> Response:
    """Return a document as JSON."""
    return Response(msgspec.json.encode(document), status, media_type="application/json")


def refused(status: int, code: str, message: str) -> Response:
    """Return why nothing was done."""
    return answer(Refused(error=Refusal(code=code, message=message)), status)


def schemas() -> dict[str, Any]:
    """Return the schemas of all documents by name, as OpenAPI's `components` hold them."""
    _, components = msgspec.json.schema_components([*DOCUMENTS, *_LINES], ref_template=_REF)
    return components


def make_api(desk: RunDesk) -> APIRouter:
    """Return the routes below `/api`."""
    api = APIRouter(prefix="/api", responses=_says({400: Refused, 401: Refused, 404: Refused, 422: Refused}))

    @api.get("/runs", responses=_says({200: RunPage}))
    async def list_runs(
        text: str = "",
        shown: RunsShown = "all",
        before: str | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> Response:
        """List runs, newest first; `before` is the id from which the last page said to go on."""
        store = await desk.session.opened_store()
        return answer(await store.statistics.runs(text=text, shown=shown, before=before, limit=limit))

    @api.post("/runs", status_code=202, responses=_says({202: Started}), openapi_extra=_takes(StartRun))
    async def start_run(request: Request) -> Response:
        """Start a run; it goes on when the caller leaves."""
        asked = await read_body(request)
        return answer(Started(run_id=await desk.start(asked.target, asked.options)), 202)

    @api.get("/runs/{run_id}", responses=_says({200: RunView}))
    async def show_run(run_id: str) -> Response:
        """Show a run as all doors do: rows, groups, differing inputs, progress."""
        return answer(await desk.view(run_id))

    @api.get("/runs/{run_id}/document", responses=_says({200: RunDocument}))
    async def show_document(run_id: str) -> Response:
        """Return all facts of a finished run."""
        return answer((await desk.session.load(run_id)).document)

    @api.post("/runs/{run_id}/stop", responses=_says({200: Ended}))
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

    @api.get("/systems", responses=_lists(SystemLine))
    async def list_systems() -> Response:
        """Say what came of every model with every variant, over all runs of the store."""
        return answer(await (await desk.session.opened_store()).statistics.systems())

    @api.get("/costs", responses=_lists(CostLine))
    async def list_costs() -> Response:
        """Say what was paid, by day and model."""
        return answer(await (await desk.session.opened_store()).statistics.costs())

    return api


async def read_body(request: Request) -> StartRun:
    """Return what a request asks to start.

    Raises:
        InputError: it is no such document.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            message = f"the request is larger than {MOST_BYTES} bytes."
            raise InputError(message, code="too_large")
    try:
        return msgspec.json.decode(bytes(body), type=StartRun)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"the request is not what starts a run: {error}."
        raise InputError(message, code="wrong_request") from None


async def _sent(events: AsyncGenerator[Happened]) -> AsyncGenerator[bytes]:
    async for happened in events:
        kind = str(happened.event.__struct_config__.tag)
        data = msgspec.json.encode(happened.event).decode()
        # What is only progress has no id: who comes back wants what is kept.
        number = "" if isinstance(happened.event, Progress) else f"id: {happened.seq}\n"
        yield f"event: {kind}\n{number}data: {data}\n\n".encode()


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _ref(document: type[Struct]) -> dict[str, Any]:
    return {"$ref": _REF.format(name=document.__name__)}


def _says(documents: dict[int, type[Struct]]) -> dict[int | str, dict[str, Any]]:
    return {
        status: {"description": (document.__doc__ or "").split("\n")[0], **_content(_ref(document))}
        for status, document in documents.items()
    }


def _lists(line: type[Struct]) -> dict[int | str, dict[str, Any]]:
    return {200: {"description": "One line each.", **_content({"type": "array", "items": _ref(line)})}}


def _takes(document: type[Struct]) -> dict[str, Any]:
    return {"requestBody": {"required": True, **_content(_ref(document))}}
