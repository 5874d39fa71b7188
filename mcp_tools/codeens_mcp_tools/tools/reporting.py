"""A run as a tool answers with it: a page of rows for programs, and a summary for a context window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from codeens import Case, Evidence
from codeens_mcp_tools.errors import ToolError
from codeens_mcp_tools.runs import LiveRun
from codeens_mcp_tools.tools.documents import (
    ClusterReport,
    Counterexample,
    DifferenceReport,
    EvidenceReport,
    Result,
    Row,
    RunProgress,
    RunReport,
    State,
    ToolAnswer,
)
from codeens_mcp_tools.tools.fitting import tokens
from codeens_sandbox_backends.programs import Outcome
from codeens_sandbox_backends.values.outcomes import same_outcome
from codeens_sandbox_backends.values.render import CUT, render_call, render_outcome_pair
from codeens_server.domain.document import Cluster, RankedResult, RunDocument
from codeens_server.domain.terms import ORIGINAL
from codeens_server.store.documents import to_json
from codeens_server.text import money, one_line, plural
from codeens_server.views.run_view import document_view, view_of

if TYPE_CHECKING:
    from codeens import RunState
    from codeens_server.store.calls import CallRecord
    from codeens_server.views.run_view import ProgressView

PAGE = 10
_MOST_CLUSTERS = 8
_MOST_NOTES = 6
_MOST_EXAMPLES = 5
_LONGEST_EXAMPLE = 160
_LONGEST_LINE = 400
_MOST_OF_REPORT = 4200
"""Tokens of the document of a page; its rows are fewer where they are long."""
_INTERRUPTED = "the server that made it ended first; start a new one"


def of_live(live: LiveRun, offset: int = 0, limit: int = PAGE) -> ToolAnswer:
    """Return the answer about a run of this process, which has an id.

    Raises:
        ToolError: it has none.
    """
    if live.state is None:
        raise ToolError("The run has not begun.")
    status: State = "running" if live.is_under_way else "finished" if live.state.document else "failed"
    return _answer(live.state, status, live.why, offset, limit)


def of_kept(state: RunState | None, record: CallRecord | None, offset: int = 0, limit: int = PAGE) -> ToolAnswer:
    """Return the answer about what the store has: a run of another process, or a call that was handed over.

    Raises:
        ToolError: the call failed.
    """
    if state is not None:
        status: State = "finished" if state.document else "interrupted" if record is None else state_of(record)
        why = {"interrupted": _INTERRUPTED, "failed": record.failure if record else ""}.get(status, "")
        return _answer(state, status, why, offset, limit)
    if record is None:
        raise ToolError("Nothing is kept of it.")
    if record.document:
        return ToolAnswer(text=record.text, document=msgspec.json.decode(record.document, type=dict[str, Any]))
    report = RunReport(
        run_id=record.id,
        state=state_of(record),
        function=record.function or record.tool,
        path=record.path,
        progress=RunProgress(doing="under way in another server" if record.is_under_way else state_of(record)),
        failure=record.failure or ("" if record.is_under_way else _INTERRUPTED),
    )
    return ToolAnswer(text=_text(report), document=report)


def state_of(record: CallRecord) -> State:
    """Return how something stands of which no result is kept: without signs of life, its server is gone."""
    return record.state if record.is_under_way or record.state != "running" else "interrupted"


def _answer(state: RunState, status: State, why: str, offset: int, limit: int) -> ToolAnswer:
    report = _report(state, status, why, offset, limit)
    while limit > 1 and tokens(to_json(report)) > _MOST_OF_REPORT:
        limit //= 2
        report = _report(state, status, why, offset, limit)
    links = ((f"run://{state.run_id}", "the whole result: evidence, code and measurements"),) if report.result else ()
    return ToolAnswer(text=_text(report), document=report, links=links)


def _report(state: RunState, status: State, why: str, offset: int, limit: int) -> RunReport:
    run = state.document
    result = None if run is None else _result(run, state, offset, limit)
    more = result is not None and offset + limit < result.row_count
    return RunReport(
        run_id=state.run_id,
        state=status,
        function=state.target.qualname,
        path=state.target.path,
        progress=_progress(view_of(state, status=status, failure=why).progress, status),
        result=result,
        next_offset=offset + limit if more else None,
        failure=why,
    )


def _progress(progress: ProgressView, status: State) -> RunProgress:
    return RunProgress(
        doing=progress.text if status in {"running", "failed"} else status,
        planned=progress.planned,
        generated=progress.generated,
        executed=progress.executed,
        passed=progress.passed,
        conditional=progress.conditional,
        failures=progress.failures,
        best=progress.best,
        cost_usd=progress.cost_usd,
    )


def _result(run: RunDocument, state: RunState, offset: int, limit: int) -> Result:
    labels = {row.id: row.label for row in document_view(run).rows}
    return Result(
        mode=run.mode,
        goal=run.goal,
        headline=run.headline,
        best=run.best,
        evidence=_evidence(run.evidence),
        original=_row(run.original, labels, 0),
        rows=tuple(
            _row(row, labels, place, state)
            for place, row in enumerate(run.results[offset : offset + limit], start=offset + 1)
        ),
        row_count=len(run.results),
        passed=sum(row.rank is not None for row in run.results),
        clusters=tuple(_cluster(cluster) for cluster in run.clusters[:_MOST_CLUSTERS]),
        duplicates=dict(state.duplicates),
        summary=run.summary,
    )


def _evidence(evidence: Evidence) -> EvidenceReport:
    return EvidenceReport(
        cases=len(evidence.cases),
        outside_domain=evidence.outside,
        with_known_outcome=sum(case.expected is not None for case in evidence.cases),
        tests=len(evidence.tests),
        coverage=evidence.coverage,
        mutation=evidence.mutation,
        excluded=evidence.excluded,
        notes=evidence.notes,
    )


def counterexamples(state: RunState, candidate: str) -> tuple[Counterexample, ...]:
    """Return the smallest inputs on which a rejected candidate did something else than it must, five at the most.

    Where any can be shown as a whole, no call is cut: an agent gives them back.
    """
    cases = state.evidence.cases if state.evidence else ()
    wrong = [
        (case, case.expected, outcome)
        for case, outcome in zip(cases, state.outcomes.get(candidate, ()), strict=False)
        if case.expected is not None
        and not same_outcome(case.expected, outcome, value_only=case.value_only, uncompared=case.uncompared)
    ]
    name = state.target.qualname.rpartition(".")[2]
    calls = [(render_call(name, case.input, _LONGEST_EXAMPLE), place) for place, (case, _, _) in enumerate(wrong)]
    shortest = sorted(calls, key=lambda call: len(call[0]))
    whole = [call for call in shortest if not call[0].endswith(CUT)]
    return tuple(_counterexample(call, *wrong[place]) for call, place in (whole or shortest)[:_MOST_EXAMPLES])


def _counterexample(call: str, case: Case, expected: Outcome, outcome: Outcome) -> Counterexample:
    wanted, came = render_outcome_pair(expected, outcome, case.uncompared, _LONGEST_EXAMPLE)
    return Counterexample(call=call, expected=wanted, got=came)


def _row(row: RankedResult, labels: Mapping[str, str], place: int, state: RunState | None = None) -> Row:
    return Row(
        rank=row.rank,
        number=None if row.rank is None else place,
        id=row.candidate.id,
        label=labels[row.candidate.id],
        verdict=row.verdict,
        evidence=row.verdict.evidence,
        speed=row.speed,
        speeds=row.measurement.environments,
        memory=row.memory,
        readability=row.readability,
        diff=row.diff,
        cost_usd=row.cost_usd,
        score=row.score,
        tied=row.tied,
        cluster=row.cluster,
        reason=row.reason,
        receipt=row.candidate.receipt,
        counterexamples=counterexamples(state, row.candidate.id) if state is not None and row.rank is None else (),
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
        return f"{first} {report.progress.doing}.\nAsk again: get_run(id={report.run_id!r}, wait_seconds=40)."
    return f"{first} {report.failure}"


def _result_lines(report: RunReport, result: Result) -> list[str]:
    lines = [cut(f"{result.headline}."), _ground(result)]
    for row in (result.original, *result.rows):
        lines += [
            _row_line(row),
            *(f"  {told(example)}" for example in row.counterexamples[1:3]),
        ]
    if not result.rows and result.row_count:
        lines.append(f"This page is past the end: the result has {plural(result.row_count, 'row')}.")
    lines += [f"- {name}: the same code as {other}" for name, other in result.duplicates.items()]
    if report.next_offset is not None:
        lines.append(f"More rows: get_run(id={report.run_id!r}, offset={report.next_offset}).")
    for cluster in result.clusters:
        for item in cluster.differences:
            if cluster.index < item.other:
                lines.append(
                    cut(f"Groups {cluster.index} and {item.other} differ: {item.call} -> {item.here} | {item.there}")
                )
    lines += [cut(f"Note: {note}") for note in (*result.evidence.notes, *result.summary.failures)][:_MOST_NOTES]
    lines.append(_next(report, result))
    return lines


def _ground(result: Result) -> str:
    evidence = result.evidence
    covered = f", {evidence.coverage.percent:.0f} % of its lines run" if evidence.coverage else ""
    if evidence.mutation:
        covered += f", would notice {evidence.mutation.noticed} of {plural(evidence.mutation.total, 'change')} of it"
    stopped = f" Ended early: {result.summary.stopped}." if result.summary.stopped else ""
    return (
        f"Mode {result.mode}, goal {result.goal}. Judged by {plural(evidence.tests, 'test')} and "
        f"{plural(evidence.cases, 'input')}{covered}. Cost {money(result.summary.cost_usd)}.{stopped}"
    )


def _row_line(row: Row) -> str:
    verdict = row.verdict.status if row.number is None or row.verdict.conditions else f"evidence {row.evidence}"
    tie = " (tied with the row above)" if row.tied else ""
    place = "rejected" if row.number is None else f"#{row.number}"
    same = f"; same: {', '.join(row.verdict.compared)}" if row.verdict.passes and row.verdict.compared else ""
    held = row.verdict.environments_text
    where = f" (Python {held})" if held else ""
    read = f"; {'; '.join(row.receipt)}" if row.receipt else ""
    return cut(f"{place} {row.id}: {verdict}{tie}{where}: {row.reason or row.verdict.reason}{same}{read}")


def _next(report: RunReport, result: Result) -> str:
    if result.best != ORIGINAL:
        return f"Next: apply_candidate(id={report.run_id!r}) gives the change of the best; rank=N that of another row."
    if result.passed:
        return (
            f"The original stays best. apply_candidate(id={report.run_id!r}, rank=N) gives a row's change all the same."
        )
    return "No candidate passed: read the reasons, write better ones, and call score again."


def told(example: Counterexample) -> str:
    """Return an input on which a candidate is wrong as a line."""
    return cut(f"{example.call}: must {example.expected}, got {example.got}")


def cut(line: str) -> str:
    """Return a line as answers have it: one, and not too long."""
    line = one_line(line)
    return line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…"
