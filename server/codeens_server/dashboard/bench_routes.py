"""Routes and pages of benchmarks."""

from __future__ import annotations

from typing import NamedTuple

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
_MOST_BESIDE = 12
"""Systems beside each other in the table of tasks: more fit no screen."""


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
    async def show_benchmark(name: str, against: str = "") -> Response:
        """Say what a benchmark came to, and what changed since another one."""
        return answer(await desk.report(name, against))

    @api.get("/export/benchmarks/{name}.{form}", responses=FILE)
    async def export_benchmark(name: str, form: Form, against: str = "") -> Response:
        """Return the report as a file."""
        report = await desk.report(name, against)
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
    async def show_benchmark(name: str, against: str | None = None) -> HTMLResponse:
        earlier = await desk.earlier(name)
        before = next(iter(earlier), "") if against is None else against
        report = await desk.report(name, before)
        facts = {"report": report, "paper": paper_of(report), "tasks": _task_by_task(report)}
        return shown("benchmark.html", name=name, earlier=earlier, against=before, **facts)

    return pages


class TaskLine(NamedTuple):
    """What systems made of a task."""

    task: str
    shares: list[float | None]
    """Of samples that pass, by system; None: it was not asked."""

    @property
    def differs(self) -> bool:
        """Whether systems that were asked did not come to the same."""
        return len({share for share in self.shares if share is not None}) > 1


def _task_by_task(report: BenchReport) -> list[TaskLine]:
    names = [system.name for system in report.systems[:_MOST_BESIDE]]
    return [TaskLine(task, [found.get(name) for name in names]) for task, found in report.grid.items()]
