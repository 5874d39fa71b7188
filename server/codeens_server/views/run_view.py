"""Make the view of a run, once for every door: live from what is known of it, finished from its document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePath

from msgspec.structs import replace

from codeens_server.domain.document import Cluster, ModelFailure, RankedResult, RunDocument, RunSummary
from codeens_server.domain.evidence import Evidence
from codeens_server.domain.measurement import Interval
from codeens_server.domain.target import Candidate, Target
from codeens_server.domain.terms import ORIGINAL, Goal, StopReason
from codeens_server.ranking import wording
from codeens_server.run.state import RunState
from codeens_server.text import money, one_line, plural
from codeens_server.views.cells import document_row, is_unsafe, live_row, speed_cell, speed_said, spoken
from codeens_server.views.model import (
    ClusterView,
    ColumnView,
    DifferenceView,
    FailureView,
    FunctionView,
    GroupView,
    NoteView,
    ProgressView,
    RowView,
    RunStatus,
    RunView,
    SideView,
)
from codeens_server.views.pictures import bars, points

COLUMNS = (
    ColumnView(key="place", title="#", explained="Place in the ranking; 0 is your own code, = is a tie"),
    ColumnView(key="candidate", title="Candidate", explained="How it was asked for, and who answered"),
    ColumnView(key="verdict", title="Verdict", explained="Whether it does the same, and what that rests on"),
    ColumnView(
        key="speed",
        title="Speed",
        explained="How many times as fast as the original, and the interval that holds it with 95 % certainty",
    ),
    ColumnView(key="memory", title="Memory", explained="Peak of what it allocates, beside the original's"),
    ColumnView(key="readability", title="Readable", explained="How easily it reads, from 0 to 100"),
    ColumnView(key="lines", title="Lines", explained="Lines that the change adds and removes"),
)


def view_of(state: RunState, *, status: RunStatus | None = None, failure: str = "") -> RunView:
    """Return the view of a run.

    Args:
        state: what is known of the run.
        status: how it stands; by default "finished" with a document and "running" without one.
        failure: why a run that came to no result did not.
    """
    if status is None:
        status = "failed" if failure else "finished" if state.document is not None else "running"
    if status == "finished" and state.document is not None:
        return document_view(state.document)
    rows = _drawn(_live_rows(state), _speeds(state))
    progress = progress_of(state)
    evidence = state.evidence
    return RunView(
        run_id=state.run_id,
        function=_function(state.target),
        status=status,
        mode=evidence.mode if evidence else None,
        goal=state.goal,
        progress=progress,
        headline=one_line(failure or progress.doing),
        short=_live_short(status, progress) + _failed_short(state.model_failures),
        summary=progress.text,
        evidence=evidence_text(evidence) if evidence else "",
        columns=COLUMNS,
        rows=rows,
        groups=(_group("live", "Candidates so far", rows),) if rows else (),
        notes=tuple(NoteView(kind="failure", text=f"failed: {one_line(why)}") for why in state.failures),
        failures=tuple(_failures(state.model_failures, state.stopped)),
    )


def waiting_view(run_id: str, target: Target, goal: Goal, *, failure: str = "") -> RunView:
    """Return the view of a run that waits for others; with `failure`, of one that came to nothing meanwhile."""
    said = one_line(failure) or "waits for another run"
    return RunView(
        run_id=run_id,
        function=_function(target),
        status="interrupted" if failure else "queued",
        goal=goal,
        progress=ProgressView(doing=said, text=said),
        headline=said,
        short=said,
        columns=COLUMNS,
    )


def document_view(run: RunDocument) -> RunView:
    """Return the view of a finished run."""
    rows = _drawn(_document_rows(run), {row.candidate.id: row.speed for row in run.results if row.speed})
    clusters = tuple(_cluster(cluster, rows) for cluster in run.clusters)
    names = {cluster.index: cluster.name for cluster in clusters}
    summary = run.summary
    cost = money(summary.cost_usd) if summary.cost_known else f"at least {money(summary.cost_usd)}"
    evidence = evidence_text(run.evidence)
    stopped = f"ended early: {one_line(summary.stopped)}" if summary.stopped else ""
    return RunView(
        run_id=run.run_id,
        function=_function(run.target),
        status="finished",
        mode=run.mode,
        goal=run.goal,
        stopped=summary.stopped or "",
        progress=_document_progress(run, cost),
        headline="; ".join(filter(None, [_silent(summary), one_line(run.headline)])),
        short=_document_short(run, rows) + _failed_short(summary.model_failures),
        summary=" · ".join(filter(None, [evidence, cost, f"{summary.wall_s:.0f} s", stopped])),
        evidence=evidence,
        totals=(
            f"{plural(summary.generated, 'answer')}, {summary.executed} run, "
            f"{_passed_text(summary.passed, summary.conditional)}, "
            f"cost {cost}, {summary.wall_s:.1f} s"
        ),
        sandboxes=tuple(sorted({one_line(row.verdict.sandbox) for row in _results(run) if row.verdict.sandbox})),
        best=run.best,
        columns=COLUMNS,
        rows=rows,
        groups=tuple(_groups(rows, run)),
        points=points(rows, run.results),
        clusters=clusters,
        differences=_differences(run, names),
        notes=tuple(_notes(run)),
        failures=tuple(_failures(summary.model_failures, summary.stopped)),
    )


def progress_of(state: RunState) -> ProgressView:
    """Return how far a run under way is."""
    failures = len(state.failures)
    best, cost, doing = _fastest(state), money(state.cost_usd), one_line(state.doing)
    failed = f" ({plural(failures, 'failure')})" if failures else ""
    text = (
        f"{state.generated}/{state.planned} generated{failed}, {state.executed} executed, best so far: {best}, {cost}"
    )
    return ProgressView(
        planned=state.planned,
        generated=state.generated,
        executed=state.executed,
        passed=state.passed,
        conditional=state.conditional,
        failures=failures,
        done=state.generated + state.executed,
        total=2 * state.planned,
        doing=doing,
        best=best,
        cost_usd=state.cost_usd,
        cost=cost,
        text=text if state.planned else doing,
    )


def evidence_text(evidence: Evidence) -> str:
    """Return what candidates are held to, counted: `34 tests, 120 generated inputs, 90 % of the lines`."""
    nouns = {"doctest": "doctest", "recorded": "recorded call", "generated": "generated input"}
    nouns |= {"test_case": "test case", "pinned": "pinned input", "given": "given input"}
    nouns |= {"benchmark": "benchmark input"}
    counts = Counter(case.origin for case in evidence.cases)
    parts = [plural(len(evidence.tests), "test")] if evidence.tests else []
    parts += [plural(counts[origin], noun) for origin, noun in nouns.items() if counts[origin]]
    if evidence.outside:
        parts.append(f"{evidence.outside} of them outside its domain")
    if evidence.coverage is not None and evidence.coverage.total:
        parts.append(f"{evidence.coverage.percent:.0f} % of the lines")
    if evidence.mutation is not None:
        parts.append(f"would notice {evidence.mutation.noticed} of {plural(evidence.mutation.total, 'change')}")
    if evidence.environments:
        versions = [evidence.python, *(there.python for there in evidence.environments)]
        parts.append(f"with Python {', '.join(versions)}")
    return ", ".join(parts) or "none"


def _function(target: Target) -> FunctionView:
    return FunctionView(
        name=one_line(target.qualname.rpartition("<locals>.")[2]),
        qualname=one_line(target.qualname),
        path=one_line(target.path),
        line=target.line,
        file=one_line(_file(target)),
    )


def _file(target: Target) -> str:
    """Return the path in the workspace; its last part where it lies elsewhere."""
    path = PurePath(target.path)
    return path.relative_to(target.root).as_posix() if path.is_relative_to(target.root) else path.name


def _speeds(state: RunState) -> dict[str, Interval]:
    return {key: found.speed for key, found in state.measurements.items() if found.speed}


def _drawn(rows: Iterable[RowView], speeds: Mapping[str, Interval]) -> tuple[RowView, ...]:
    """Return rows with the bars of their intervals."""
    drawn = bars(speeds)
    return tuple(replace(row, bar=drawn.get(row.id)) for row in rows)


def _results(run: RunDocument) -> tuple[RankedResult, ...]:
    return (run.original, *run.results)


def _labels(candidates: Iterable[Candidate]) -> dict[str, str]:
    """Return what people call each candidate, with its id where several share a label."""
    names = {candidate.id: wording.label(candidate) for candidate in candidates}
    uses = Counter(names.values())
    return {key: one_line(f"{name} ({key})" if uses[name] > 1 else name) for key, name in names.items()} | {
        ORIGINAL: "original"
    }


def _live_rows(state: RunState) -> tuple[RowView, ...]:
    labels = _labels(state.candidates.values())
    rows = (
        live_row(
            candidate,
            state.verdicts.get(key),
            state.measurements.get(key),
            state.not_run.get(key),
            label=labels[key],
        )
        for key, candidate in state.candidates.items()
    )
    return tuple(replace(row, spoken=spoken(row)) for row in rows)


def _fastest(state: RunState) -> str:
    if state.best is None:
        return _passed_text(state.passed, state.conditional) if state.passing() else "nothing yet"
    cell = speed_cell(state.measurements[state.best].speed)
    return f"{one_line(wording.label(state.candidates[state.best]))} {speed_said(cell)}".rstrip()


def _live_short(status: RunStatus, progress: ProgressView) -> str:
    if status != "running":
        return "the run came to no result"
    if not progress.generated:
        return progress.doing
    passed = _passed_text(progress.passed, progress.conditional)
    return f"{progress.generated}/{progress.planned} generated, {progress.executed} executed, {passed}"


def _passed_text(passed: int, conditional: int) -> str:
    return f"{passed} passed" + (f", {conditional} on conditions" if conditional else "")


def _document_rows(run: RunDocument) -> tuple[RowView, ...]:
    labels = _labels(row.candidate for row in run.results)
    improving = run.mode == "improve"
    rows = (
        document_row(row, number, run.original, label=labels[row.candidate.id], improving=improving)
        for number, row in enumerate(_results(run))
    )
    marked = (replace(row, best=row.id == run.best) for row in rows)
    return tuple(replace(row, spoken=spoken(row)) for row in marked)


def _document_progress(run: RunDocument, cost: str) -> ProgressView:
    summary = run.summary
    return ProgressView(
        planned=summary.generated,
        generated=summary.generated,
        executed=summary.executed,
        passed=summary.passed,
        conditional=summary.conditional,
        failures=len(summary.failures),
        done=2 * summary.generated,
        total=2 * summary.generated,
        doing="finished",
        cost_usd=summary.cost_usd,
        cost=cost,
        text="finished",
    )


def _document_short(run: RunDocument, rows: Sequence[RowView]) -> str:
    candidates = [row for row in rows if not row.original]
    judged = [row for row in candidates if row.status != "not_run"]
    passed = sum(row.status == "passed" for row in judged)
    conditional = sum(row.status == "conditional" for row in judged)
    not_run = len(candidates) - len(judged)
    counts = [f"{passed}/{len(judged)} passed"] if judged else []
    counts += [f"{conditional} on conditions"] if conditional else []
    counts += [f"{not_run} not run"] if not_run else []
    best = next((row for row in candidates if row.best), None)
    speed = f"{best.speed.text} {best.speed.detail}" if best and best.speed.detail else best.label if best else ""
    stopped = f" ({one_line(run.summary.stopped)})" if run.summary.stopped else ""
    on = " on conditions" if best and best.status == "conditional" else ""
    verdict = f"best {speed}{on}" if best else "keep the original"
    return f"{', '.join(counts) or 'no candidate'} · {verdict}{stopped}"


def _groups(rows: Sequence[RowView], run: RunDocument) -> Iterator[GroupView]:
    """Groups of the same behaviour, in the order of their best rows; then the rejected, then those not run."""
    origin = {cluster.index for cluster in run.clusters if ORIGINAL in cluster.members}
    ranked = [row for row in rows if row.number is not None or (row.original and row.status == "passed")]
    for index in dict.fromkeys(row.cluster for row in ranked):
        title = (
            "Behaviour not compared"
            if index is None
            else "Behaves as the original"
            if index in origin
            else f"Group {index}"
        )
        yield _group(f"group-{index}", title, [row for row in ranked if row.cluster == index])
    unranked = [row for row in rows if row not in ranked]
    rest = {
        "original": ("The original", [row for row in unranked if row.original]),
        "rejected": ("Rejected", [row for row in unranked if not row.original and row.status != "not_run"]),
        "not-run": ("Not run", [row for row in unranked if not row.original and row.status == "not_run"]),
    }
    for key, (title, members) in rest.items():
        if members:
            yield _group(key, title, members)


def _group(key: str, title: str, rows: Sequence[RowView]) -> GroupView:
    return GroupView(id=key, title=title, detail=plural(len(rows), "version"), rows=tuple(row.id for row in rows))


def _cluster(cluster: Cluster, rows: Sequence[RowView]) -> ClusterView:
    labels = {row.id: row.label for row in rows}
    members = tuple(labels.get(member, member) for member in cluster.members)
    if ORIGINAL in cluster.members:
        name = "original"
    else:
        first, *more = members or (f"group {cluster.index}",)
        name = f"{first} and {len(more)} more" if more else first
    return ClusterView(index=cluster.index, name=name, answers=cluster.weight, members=members)


def _differences(run: RunDocument, names: Mapping[int, str]) -> tuple[DifferenceView, ...]:
    return tuple(
        DifferenceView(
            number=number,
            call=one_line(found.call),
            sides=(
                SideView(group=group, name=names[group], result=one_line(found.here)),
                SideView(group=found.other, name=names.get(found.other, ""), result=one_line(found.there)),
            ),
            must_choose=run.mode != "improve",
        )
        for number, (group, found) in enumerate(run.numbered_differences(), start=1)
    )


def _silent(summary: RunSummary) -> str:
    """Return how many models gave no answer, with the first reason; empty where all gave one."""
    silent = [failure for failure in summary.model_failures if not failure.answers]
    if not silent:
        return ""
    first, *more = silent
    rest = f", and {len(more)} more" if more else ""
    of = f"{len(silent)} of {plural(summary.models_asked, 'model')} failed"
    return f"{of} ({first.model}: {one_line(first.why)}{rest})"


def _failed_short(failures: Sequence[ModelFailure]) -> str:
    silent = sum(not failure.answers for failure in failures)
    return f" · {plural(silent, 'model')} failed" if silent else ""


def _failures(failures: Sequence[ModelFailure], stopped: StopReason | None) -> Iterator[FailureView]:
    for failure in failures:
        calls = f" ({plural(failure.calls, 'call')})" if failure.calls > 1 else ""
        text = f"{failure.model}: {one_line(failure.why)}{calls}"
        yield FailureView(text=text, remedy=failure.remedy, is_silent=not failure.answers)
    if stopped == "budget":
        yield FailureView(text="The budget was spent before all was asked", remedy="budget")
    if stopped == "timeout":
        yield FailureView(text="The time of the run was over before all was done", remedy="time")


def _notes(run: RunDocument) -> Iterator[NoteView]:
    for note in run.evidence.notes:
        yield NoteView(kind="evidence", text=one_line(note))
    for item in run.evidence.excluded:
        yield NoteView(kind="excluded", text=one_line(f"excluded: {item.count} {item.what}: {item.why}"))
    for failure in run.summary.failures:
        yield NoteView(kind="failure", text=one_line(f"failed: {failure}"))
    if run.summary.ending:
        yield NoteView(kind="ending", text=one_line(run.summary.ending))
    if run.summary.stopped:
        yield NoteView(
            kind="stopped", text=f"The run ended early: {one_line(run.summary.stopped)}. What was found is kept."
        )
    if any(is_unsafe(row.verdict) for row in _results(run)):
        yield NoteView(
            kind="unsafe", text="The code above ran NOT ISOLATED: it could read and change everything that you can."
        )
