"""Routes and pages of benchmarks."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from msgspec import Struct

from codeens_server.bench.report.model import BenchReport
from codeens_server.bench.report.text import paper_of
from codeens_server.dashboard.bench_desk import BenchDesk, BenchEnded, BenchLine, BenchStarted, StartBenchmark
from codeens_server.dashboard.exports import FILE, Form, file_of
from codeens_server.dashboard.rendering import shown
from codeens_server.dashboard.wire import RefusedRequest, answer, lists, read_body, says, takes

DOCUMENTS: tuple[type[Struct], ...] = (StartBenchmark, BenchStarted, BenchEnded, BenchLine, BenchReport)
"""What the OpenAPI document describes of these routes."""


def make_bench_api(desk: BenchDesk) -> APIRouter:
    """Return the routes of the API."""
    api = APIRouter(
        prefix="/api",
        responses=says({400: RefusedRequest, 401: RefusedRequest, 404: RefusedRequest, 422: RefusedRequest}),
    )

    @api.get("/benchmarks", responses=lists(BenchLine))
    async def list_benchmarks() -> Response:
        """List the benchmarks beside the runs, the latest first, with those under way."""
        return answer(await desk.lines())

    @api.post("/benchmarks", status_code=202, responses=says({202: BenchStarted}), openapi_extra=takes(StartBenchmark))
    async def start_benchmark(request: Request) -> Response:
        """Start a benchmark; it goes on when the caller leaves."""
        return answer(BenchStarted(name=await desk.start(await read_body(request, StartBenchmark))), 202)

    @api.post("/benchmarks/{name}/stop", responses=says({200: BenchEnded}))
    async def stop_benchmark(name: str) -> Response:
        """End a benchmark of this process; what was judged is kept."""
        return answer(BenchEnded(ended=desk.stop(name)))

    @api.get("/benchmarks/{name}", responses=says({200: BenchReport}))
    async def show_benchmark(name: str) -> Response:
        """Say what a benchmark came to."""
        return answer(await desk.report(name))

    @api.get("/export/benchmarks/{name}.{form}", responses=FILE)
    async def export_benchmark(name: str, form: Form) -> Response:
        """Return the report as a file."""
        report = await desk.report(name)
        return file_of(name, form, report, paper_of(report))

    return api


def make_bench_pages(desk: BenchDesk) -> APIRouter:
    """Return the routes of the pages."""
    pages = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)

    @pages.get("/benchmarks")
    async def list_benchmarks(part: bool = False) -> HTMLResponse:
        lines = await desk.lines()
        return shown("benchmarks_part.html" if part else "benchmarks.html", lines=lines, datasets=desk.datasets)

    @pages.get("/benchmarks/{name}")
    async def show_benchmark(name: str) -> HTMLResponse:
        report = await desk.report(name)
        return shown("benchmark.html", name=name, report=report, paper=paper_of(report))

    return pages
