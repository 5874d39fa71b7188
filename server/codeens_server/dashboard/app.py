"""The dashboard as an application, and the server of it."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import FileResponse, HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from codeens import CodeensError, SandboxError, Session
from codeens_server.dashboard.api import DOCUMENTS, make_api
from codeens_server.dashboard.bench_desk import BenchDesk
from codeens_server.dashboard.bench_routes import DOCUMENTS as OF_BENCHMARKS
from codeens_server.dashboard.bench_routes import make_bench_api, make_bench_pages
from codeens_server.dashboard.charts import plotly_script
from codeens_server.dashboard.configuration import DOCUMENTS as OF_CONFIGURATION
from codeens_server.dashboard.configuration import make_configuration_api, make_configuration_pages
from codeens_server.dashboard.desk import RunDesk
from codeens_server.dashboard.ensemble import EnsembleDesk
from codeens_server.dashboard.exports import make_exports
from codeens_server.dashboard.guard import Guard, GuardedDoor
from codeens_server.dashboard.manifests import VariantDesk
from codeens_server.dashboard.pages import make_pages
from codeens_server.dashboard.rendering import error_page
from codeens_server.dashboard.wire import refused, schemas_of
from codeens_server.doors.local_http import listening, serve_on
from codeens_server.files import own_token
from codeens_variants.manifest import ManifestError

_DOCUMENTS = (*DOCUMENTS, *OF_CONFIGURATION, *OF_BENCHMARKS)
_NOT_FOUND = frozenset({"no_such_run", "no_such_candidate", "no_such_variant", "no_such_benchmark"})


class Dashboard:
    """The application, and the block in which it can start runs."""

    def __init__(self, session: Session, door: GuardedDoor) -> None:
        """Make the application.

        Args:
            session: whose runs are shown, and by which runs are started; entered and left by the caller.
            door: who is let in.
        """
        self._session = session
        self._door = door

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[ASGIApp]:
        """Give the application; runs that it started are ended when the block is left."""
        async with anyio.create_task_group() as group:
            desk = RunDesk(self._session, group)
            group.start_soon(desk.take_up)
            app = make_app(desk, BenchDesk(self._session, group))
            yield Guard(app, self._door)
            group.cancel_scope.cancel()


def make_app(desk: RunDesk, benchmarks: BenchDesk) -> FastAPI:
    """Return the application behind the guard."""
    app = FastAPI(
        title="codeens",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        # What variables of OpenTelemetry name gets nothing of ours.
        telemetry={"auto_configure": False},
    )
    ensemble, variants = EnsembleDesk(desk.session), VariantDesk(desk.session)
    app.include_router(make_api(desk))
    app.include_router(make_bench_api(benchmarks))
    app.include_router(make_bench_pages(benchmarks))
    app.include_router(make_exports(desk))
    app.include_router(make_configuration_api(ensemble, variants))
    app.include_router(make_pages(desk))
    app.include_router(make_configuration_pages(ensemble, variants))
    if script := plotly_script():
        app.add_route("/static/plotly.js", lambda _: FileResponse(script, media_type="text/javascript"))
    app.mount("/static", StaticFiles(packages=[("codeens_server.dashboard", "static")]))
    app.openapi = _described(app)
    app.add_exception_handler(CodeensError, _told)
    app.add_exception_handler(SandboxError, _told)
    app.add_exception_handler(ManifestError, _told)
    app.add_exception_handler(RequestValidationError, _wrong)
    app.add_exception_handler(HTTPException, _missing)
    return app


def _described(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """Return what makes the OpenAPI document: routes by FastAPI, documents from their Structs."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(title=app.title, version=app.version, routes=app.routes)
            document.setdefault("components", {}).setdefault("schemas", {}).update(schemas_of(*_DOCUMENTS))
            app.openapi_schema = document
        return app.openapi_schema

    return describe


async def _told(request: Request, error: Exception) -> Response:
    other = "manifest" if isinstance(error, ManifestError) else "sandbox"
    code = error.code if isinstance(error, CodeensError) else other
    return _said(request, 404 if code in _NOT_FOUND else 400, code, str(error))


async def _wrong(request: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else ()
    said = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in found)
    return _said(request, 422, "wrong_request", said)


async def _missing(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _said(request, status, "no_such_page", f"There is nothing at {request.url.path}.")


def _said(request: Request, status: int, code: str, message: str) -> Response:
    """Return an error as JSON to programs, and as a page to who asked for one."""
    if request.url.path.startswith("/api/"):
        return refused(status, code, message)
    return HTMLResponse(error_page(message), status)


def opened(host: str, port: int) -> tuple[GuardedDoor, socket.socket]:
    """Return the door at an address, which its owner's token opens, and a socket that listens there.

    Raises:
        OSError: the address cannot be listened on, or the token cannot be kept.
    """
    sock = listening(host, port)
    return GuardedDoor(host=host, port=sock.getsockname()[1], token=own_token("dashboard-token")[0]), sock


async def serve(session: Session, door: GuardedDoor, sock: socket.socket) -> None:
    """Serve on a listening socket until cancelled."""
    async with Dashboard(session, door).opened() as app:
        await serve_on(sock, app, lifespan="off")
