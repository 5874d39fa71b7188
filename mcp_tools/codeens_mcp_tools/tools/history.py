"""list_runs: what was begun, and of one function also what was tried in each run, so that an agent can drive rounds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread
from msgspec.structs import replace

from codeens import InputError
from codeens_mcp_tools.context import AppContext
from codeens_mcp_tools.runs import LiveRun
from codeens_mcp_tools.tools import reporting
from codeens_mcp_tools.tools.arguments import ListRuns
from codeens_mcp_tools.tools.documents import ListedRun, RunList, ToolAnswer, Tried
from codeens_mcp_tools.tools.ensembles import found
from codeens_mcp_tools.tools.fitting import tokens
from codeens_mcp_tools.tools.framework import ToolCall
from codeens_server.store.documents import to_json
from codeens_server.text import one_line, plural
from codeens_server.views.run_view import view_of

if TYPE_CHECKING:
    from codeens import RunLine, RunState
    from codeens_mcp_tools.session import AgentSession
    from codeens_server.store.calls import CallRecord
    from codeens_server.views.run_view import RowView

_MOST_LISTED = 200
_MOST_TRIED = 10
"""Candidates of one run; `get_run` has the others."""
_MOST_OF_PAGE = 2800
"""Tokens of what was tried, on one page; at least one run is on it."""
_LONGEST_LINE = 160


async def list_runs(app: AppContext, call: ToolCall[ListRuns]) -> ToolAnswer:
    """Answer a call.

    Raises:
        CodeensError: the store cannot be read, or there is no run of the id that stands for the function.
    """
    offset, limit, function = call.arguments.offset, call.arguments.limit, call.arguments.function
    of = None if function is None else await _function(app, function)
    lines = await run_lines(app, offset + limit + 1, of)
    page = lines[offset : offset + limit]
    if of is not None:
        page = [line async for line in _with_tried(app, page)]
    end = offset + len(page)
    following = end if len(lines) > end else None
    shown = [text for line in page for text in _line_text(line)]
    more = (
        f"\nMore: list_runs({f'function={function!r}, ' if function else ''}offset={following})." if following else ""
    )
    step = "" if of is None else await anyio.to_thread.run_sync(_next, await app.session(), of, page)
    head = f"{plural(len(page), 'run')}{f' of {of}' if of else ''}, the latest first."
    return ToolAnswer(
        text="\n".join(filter(None, [head, *shown, step])) + more,
        document=RunList(runs=tuple(page), next_offset=following),
        summary=f"{step}{more}".strip(),
    )


async def run_lines(app: AppContext, most: int, function: str | None = None) -> list[ListedRun]:
    """Return the latest runs, and calls that were handed over, of all servers of the store; newest first.

    Args:
        app: whose.
        most: how many.
        function: only those of this one: `/absolute/path.py::qualname`.
    """
    session = await app.session()
    kept = await session.runs(most, function=function)
    lines = {line.run_id: _line(line) for line in kept if session.may_read(line.target.rpartition("::")[0])}
    for record in await app.ledger.latest(most if function is None else _MOST_LISTED):
        of_record = _record_line(record)
        if record.id in lines:
            if record.is_under_way:
                lines[record.id] = replace(lines[record.id], state="running")
        elif session.may_read(record.path or record.root) and function in (None, of_record.function):
            lines[record.id] = of_record
    return sorted(lines.values(), key=lambda line: line.created, reverse=True)[:most]


async def known_ids(app: AppContext) -> list[str]:
    """Return ids of runs, the latest first."""
    return list(dict.fromkeys([*app.runs.ids(), *(line.run_id for line in await run_lines(app, _MOST_LISTED))]))


def _line(line: RunLine) -> ListedRun:
    return ListedRun(
        run_id=line.run_id,
        created=_moment(line.created),
        function=line.target,
        state="finished" if line.ended else "interrupted",
        headline=_headline(line.headline),
    )


def _record_line(record: CallRecord) -> ListedRun:
    return ListedRun(
        run_id=record.id,
        created=_moment(datetime.fromtimestamp(record.began, UTC)),
        function=f"{record.path}::{record.function}" if record.function else record.tool,
        state=reporting.state_of(record),
        headline=_headline(record.failure),
    )


def _moment(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M:%S}"


def _headline(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…"


async def _function(app: AppContext, text: str) -> str:
    """Return the function that is meant as runs name it: by its path, or by a run of it."""
    path, colons, name = text.rpartition("::")
    if colons:
        return f"{app.roots.resolve(path)}::{name}"
    known = await found(app, text)
    state = known.state if isinstance(known, LiveRun) else known
    return "" if state is None else f"{state.target.path}::{state.target.qualname}"


async def _with_tried(app: AppContext, lines: Sequence[ListedRun]) -> AsyncIterator[ListedRun]:
    """Yield runs with what was tried in each, as many as a page has room for; at least one."""
    room = _MOST_OF_PAGE
    for line in lines:
        state = await _state(app, line.run_id)
        full = line if state is None else await anyio.to_thread.run_sync(_filled, line, state)
        room -= tokens(to_json(full))
        if room < 0 and line is not lines[0]:
            return
        yield full


async def _state(app: AppContext, run_id: str) -> RunState | None:
    """Return what is known of a run; None for one that never began."""
    try:
        known = await found(app, run_id)
    except InputError:
        return None
    return known.state if isinstance(known, LiveRun) else known


def _filled(line: ListedRun, state: RunState) -> ListedRun:
    tried = tuple(_tried(state))
    shown = len(tried[:_MOST_TRIED])
    full = replace(line, candidates=tried[:shown], candidate_count=len(tried))
    while shown > 1 and tokens(to_json(full)) > _MOST_OF_PAGE:
        shown //= 2
        full = replace(full, candidates=tried[:shown])
    return full


def _tried(state: RunState) -> Iterator[Tried]:
    """Yield what became of each candidate: by rank where the run has ended, else in the order they came."""
    for row in view_of(state).rows:
        if not row.original:
            yield _outcome(state, row)
    for key, twin in state.duplicates.items():
        answer = state.answers[key]
        yield Tried(
            id=key, model=answer.model, variant=answer.variant, parent=answer.parent, status="same", same_as=twin
        )


def _outcome(state: RunState, row: RowView) -> Tried:
    candidate, verdict = state.candidates[row.id], state.verdicts.get(row.id)
    is_wrong = verdict is not None and not verdict.passes
    return Tried(
        id=row.id,
        model=row.model,
        variant=row.variant,
        round=candidate.round,
        parent=candidate.parent,
        status=row.status,
        number=row.number,
        speed=f"{row.speed.text} {row.speed.detail}".strip(),
        reason=reporting.cut(row.reason),
        counterexamples=reporting.counterexamples(state, row.id) if is_wrong else (),
    )


def _line_text(line: ListedRun) -> Iterator[str]:
    yield f"- {line.run_id} {line.created} {line.function}: {line.state}. {line.headline}".rstrip()
    for tried in line.candidates:
        of = f"{tried.model}, {tried.variant}{f', from {tried.parent}' if tried.parent else ''}"
        what = f"the same code as {tried.same_as}" if tried.same_as else f"{tried.status} {tried.speed}".rstrip()
        why = f": {tried.reason}" if tried.reason else ""
        yield "  - " + reporting.cut(f"{tried.id} ({of}): {what}{why}")
        for example in tried.counterexamples:
            yield f"    {reporting.told(example)}"
    if line.candidate_count > len(line.candidates):
        rest = plural(line.candidate_count - len(line.candidates), "more candidate")
        rows = f"get_run(id={line.run_id!r}, offset={len(line.candidates)})"
        yield f"  {rest}: {rows if line.state == 'finished' else f'run://{line.run_id}'}."


def _next(session: AgentSession, function: str, page: Sequence[ListedRun]) -> str:
    if not page:
        return "Nothing was tried of it: start_ensemble or score begin."
    is_code = session.is_code(Path(function.rpartition("::")[0]))
    again = "score with the same `original`, `function`" if is_code else f"score(target={function!r})"
    return (
        f"Next: write one that does right on these inputs, or is better than the best, and call {again} with "
        "candidates=[{id, source, parent}]; apply_candidate(id) takes one."
    )
