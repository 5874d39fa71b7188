"""A run as a tool answers with it: a page of rows for programs, and a summary for a context window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from codeens_mcp_tools.errors import ToolError
from codeens_mcp_tools.runs import LiveRun
from codeens_mcp_tools.tools.documents import (
    ClusterReport,
    DifferenceReport,
    EvidenceReport,
    Result,
    Row,
    RunProgress,
    RunReport,
    State,
)
from codeens_mcp_tools.tools.framework import ToolAnswer
from codeens_server.domain import ORIGINAL, Cluster, Evidence, RankedResult, RunDocument
from codeens_server.text import money, one_line, plural
from codeens_server.views.run_view import document_view, view_of

if TYPE_CHECKING:
    from codeens import RunState
    from codeens_server.views.run_view import ProgressView

PAGE = 10
_MOST_CLUSTERS = 8
_MOST_NOTES = 6
_LONGEST_LINE = 400


def of_live(live: LiveRun, offset: int = 0, limit: int = PAGE) -> ToolAnswer:
    """Return the answer about a run of this process, which has an id.

    Raises:
        ToolError: it has none.
    """
    if live.state is None:
        raise ToolError("The run has not begun.")
    status: State = "running" if live.is_under_way else "finished" if live.state.document else "failed"
    return _answer(live.state, status, live.why, offset, limit)


def of_stored(state: RunState, offset: int = 0, limit: int = PAGE) -> ToolAnswer:
    """Return the answer about a run of an earlier process."""
    if state.document:
        return _answer(state, "finished", "", offset, limit)
    return _answer(state, "interrupted", "the server that made it ended first; start a new one", offset, limit)


def _answer(state: RunState, status: State, why: str, offset: int, limit: int) -> ToolAnswer:
    run = state.document
    result = None if run is None else _result(run, state.duplicates, offset, limit)
    more = result is not None and offset + limit < result.row_count
    report = RunReport(
        run_id=state.run_id,
        state=status,
        function=state.target.qualname,
        path=state.target.path,
        progress=_progress(view_of(state, status=status, failure=why).progress, status),
        result=result,
        next_offset=offset + limit if more else None,
        failure=why,
    )
    links = ((f"run://{state.run_id}", "the whole result: evidence, code and measurements"),) if run else ()
    return ToolAnswer(text=_text(report), document=report, links=links)


def _progress(progress: ProgressView, status: State) -> RunProgress:
    return RunProgress(
        doing=progress.text if status in {"running", "failed"} else status,
        planned=progress.planned,
        generated=progress.generated,
        executed=progress.executed,
        passed=progress.passed,
        failures=progress.failures,
        best=progress.best,
        cost_usd=progress.cost_usd,
    )


def _result(run: RunDocument, duplicates: Mapping[str, str], offset: int, limit: int) -> Result:
    labels = {row.id: row.label for row in document_view(run).rows}
    return Result(
        mode=run.mode,
        goal=run.goal,
        headline=run.headline,
        best=run.best,
        evidence=_evidence(run.evidence),
        original=_row(run.original, labels, 0),
        rows=tuple(
            _row(row, labels, place) for place, row in enumerate(run.results[offset : offset + limit], start=offset + 1)
        ),
        row_count=len(run.results),
        clusters=tuple(_cluster(cluster) for cluster in run.clusters[:_MOST_CLUSTERS]),
        duplicates=dict(duplicates),
        summary=run.summary,
    )


def _evidence(evidence: Evidence) -> EvidenceReport:
    return EvidenceReport(
        cases=len(evidence.cases),
        with_known_outcome=sum(case.expected is not None for case in evidence.cases),
        tests=len(evidence.tests),
        coverage=evidence.coverage,
        excluded=evidence.excluded,
        notes=evidence.notes,
    )


def _row(row: RankedResult, labels: Mapping[str, str], place: int) -> Row:
    return Row(
        rank=row.rank,
        number=None if row.rank is None else place,
        id=row.candidate.id,
        label=labels[row.candidate.id],
        verdict=row.verdict,
        evidence=row.verdict.evidence,
        speed=row.speed,
        memory=row.memory,
        readability=row.readability,
        diff=row.diff,
        cost_usd=row.cost_usd,
        score=row.score,
        tied=row.tied,
        cluster=row.cluster,
        reason=row.reason,
    )


def _cluster(cluster: Cluster) -> ClusterReport:
    return ClusterReport(
        index=cluster.index,
        members=cluster.members,
        weight=cluster.weight,
        differences=tuple(
            DifferenceReport(other=item.other, call=item.call, here=item.here, there=item.there)
            for item in cluster.differences
        ),
    )


def _text(report: RunReport) -> str:
    first = f"Run {report.run_id} of {report.function}: {report.state}."
    if report.result is not None:
        return "\n".join([first, *_result_lines(report, report.result)])
    if report.state == "running":
        return f"{first} {report.progress.doing}.\nAsk again: get_run(id={report.run_id!r}, wait_seconds=50)."
    return f"{first} {report.failure}"


def _result_lines(report: RunReport, result: Result) -> list[str]:
    lines = [_cut(f"{result.headline}."), _ground(result)]
    lines += [_row_line(row) for row in (result.original, *result.rows)]
    lines += [f"- {name}: the same code as {other}" for name, other in result.duplicates.items()]
    if report.next_offset is not None:
        lines.append(f"More rows: get_run(id={report.run_id!r}, offset={report.next_offset}).")
    for cluster in result.clusters:
        for item in cluster.differences:
            if cluster.index < item.other:
                lines.append(
                    _cut(f"Groups {cluster.index} and {item.other} differ: {item.call} -> {item.here} | {item.there}")
                )
    lines += [_cut(f"Note: {note}") for note in (*result.evidence.notes, *result.summary.failures)][:_MOST_NOTES]
    lines.append(_next(report, result))
    return lines


def _ground(result: Result) -> str:
    evidence = result.evidence
    covered = f", {evidence.coverage.percent:.0f} % of its lines run" if evidence.coverage else ""
    stopped = f" Ended early: {result.summary.stopped}." if result.summary.stopped else ""
    return (
        f"Mode {result.mode}, goal {result.goal}. Judged by {plural(evidence.tests, 'test')} and "
        f"{plural(evidence.cases, 'input')}{covered}. Cost {money(result.summary.cost_usd)}.{stopped}"
    )


def _row_line(row: Row) -> str:
    verdict = row.verdict.status if row.number is None else f"evidence {row.evidence}"
    tie = " (tied with the row above)" if row.tied else ""
    place = "rejected" if row.number is None else f"#{row.number}"
    return _cut(f"{place} {row.id}: {verdict}{tie}: {row.reason or row.verdict.reason}")


def _next(report: RunReport, result: Result) -> str:
    if result.best != ORIGINAL:
        return f"Next: apply_candidate(id={report.run_id!r}) gives the change of the best; rank=N that of another row."
    if any(row.rank is not None for row in result.rows):
        return (
            f"The original stays best. apply_candidate(id={report.run_id!r}, rank=N) gives a row's change all the same."
        )
    return "No candidate passed: read the reasons, write better ones, and call score again."


def _cut(line: str) -> str:
    line = one_line(line)
    return line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…"
