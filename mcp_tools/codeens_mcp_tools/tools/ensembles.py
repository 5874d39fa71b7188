"""start_ensemble, get_run, cancel_run: long work, by the id of a run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

import anyio
from msgspec.structs import replace

from codeens_mcp_tools.calls import LONGEST_WAIT_S
from codeens_mcp_tools.context import AppContext
from codeens_mcp_tools.errors import ToolError
from codeens_mcp_tools.runs import LiveRun
from codeens_mcp_tools.tools import reporting
from codeens_mcp_tools.tools.answer import ToolAnswer
from codeens_mcp_tools.tools.arguments import CancelRun, GetRun, ListRuns, StartEnsemble
from codeens_mcp_tools.tools.documents import ListedRun, RunList
from codeens_mcp_tools.tools.framework import ToolCall
from codeens_mcp_tools.tools.progress import ProgressReporter
from codeens_server.errors import InputError
from codeens_server.store.call_record import CallRecord
from codeens_server.text import one_line, plural

if TYPE_CHECKING:
    from codeens import RunState
    from codeens_server.store.rows import RunLine

Kept: TypeAlias = "tuple[RunState | None, CallRecord | None]"
"""What the store has of an id: a run's events, a record, or both."""

_CANCELLED_WITHIN_S = 15.0
_MOST_LISTED = 200
_LOOKED_AGAIN_S = 1.0
"""Between two looks at what another server does."""
_LONGEST_HEADLINE = 160


async def start_ensemble(app: AppContext, call: ToolCall[StartEnsemble]) -> ToolAnswer:
    """Answer a call.

    Raises:
        CodeensError: the request is wrong; nothing was written.
        SandboxError: the sandbox cannot be opened.
    """
    arguments = call.arguments
    session = await app.session()
    target = await session.subject(arguments.target, arguments.code, arguments.function)
    own = await session.limits_for(target, arguments.backend)
    await anyio.to_thread.run_sync(
        session.check_tests, target, (*arguments.tests, *arguments.bench), arguments.deselect
    )
    making = session.stream(
        target,
        goal=arguments.goal,
        effort=arguments.effort,
        mode=arguments.mode,
        models=arguments.models,
        variants=arguments.variants,
        samples=arguments.samples,
        rounds=arguments.rounds,
        sandbox=arguments.backend,
        tests=arguments.tests,
        deselect=arguments.deselect,
        calls=arguments.calls,
        bench=arguments.bench,
        python=arguments.environments,
        budget_usd=capped(arguments.budget_usd, own.budget_usd),
        timeout_s=capped(arguments.timeout_s, own.timeout_s),
    )
    live = call.held.run = await app.runs.start(making)
    return reporting.of_live(live)


async def get_run(app: AppContext, call: ToolCall[GetRun]) -> ToolAnswer:
    """Answer a call.

    Raises:
        CodeensError: there is no such run; or it was a call that failed, which says why.
    """
    arguments = call.arguments
    wait = min(arguments.wait_seconds, LONGEST_WAIT_S)
    if held := app.desk.get(arguments.id):
        with anyio.move_on_after(wait):
            await held.ended.wait()
        return held.told()
    run = await known(app, arguments.id)
    if isinstance(run, LiveRun):
        if wait:
            await _wait(run, wait, call.reporter)
        return reporting.of_live(run, arguments.offset, arguments.limit)
    deadline = anyio.current_time() + wait
    while run[1] is not None and run[1].is_under_way and anyio.current_time() < deadline:
        await anyio.sleep(_LOOKED_AGAIN_S)
        run = await _kept(app, arguments.id)
    return reporting.of_kept(*run, arguments.offset, arguments.limit)


async def cancel_run(app: AppContext, call: ToolCall[CancelRun]) -> ToolAnswer:
    """Answer a call.

    Raises:
        CodeensError: there is no such run.
    """
    if held := app.desk.get(call.arguments.id):
        await held.end()
        return held.told()
    run = await known(app, call.arguments.id)
    if not isinstance(run, LiveRun):
        return reporting.of_kept(*run)
    if run.is_under_way:
        run.cancel(keep=True)
        with anyio.move_on_after(_CANCELLED_WITHIN_S):
            await run.ended.wait()
    return reporting.of_live(run)


async def list_runs(app: AppContext, call: ToolCall[ListRuns]) -> ToolAnswer:
    """Answer a call.

    Raises:
        RunError: the store cannot be read.
    """
    offset, limit = call.arguments.offset, call.arguments.limit
    lines = await run_lines(app, offset + limit + 1)
    page, more = tuple(lines[offset : offset + limit]), len(lines) > offset + limit
    shown = [f"- {line.run_id} {line.created} {line.function}: {line.state}. {line.headline}".rstrip() for line in page]
    text = "\n".join([f"{plural(len(page), 'run')}, the latest first.", *shown])
    if more:
        text += f"\nMore: list_runs(offset={offset + limit})."
    return ToolAnswer(text=text, document=RunList(runs=page, next_offset=offset + limit if more else None), summary="")


async def run_lines(app: AppContext, most: int) -> list[ListedRun]:
    """Return the latest runs, and calls that were handed over, of all servers of the store; newest first."""
    session = await app.session()
    kept = await session.runs(most)
    lines = {line.run_id: _line(line) for line in kept if session.may_read(line.target.rpartition("::")[0])}
    for record in await app.ledger.latest(most):
        if record.id not in lines and session.may_read(record.path or record.root):
            lines[record.id] = _record_line(record)
        elif record.id in lines and record.is_under_way:
            lines[record.id] = replace(lines[record.id], state="running")
    return sorted(lines.values(), key=lambda line: line.created, reverse=True)[:most]


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
    return line if len(line) <= _LONGEST_HEADLINE else f"{line[: _LONGEST_HEADLINE - 1]}…"


def capped(wanted: float | None, own: float | None) -> float | None:
    """Return what a call may spend: never more than the user's limit."""
    return own if wanted is None else wanted if own is None else min(wanted, own)


async def found(app: AppContext, run_id: str) -> LiveRun | RunState:
    """Return the run that an id, or its beginning, names: of this process, or kept by another.

    Raises:
        InputError: there is none of that id, or several.
        ToolError: it is about a file outside of the roots.
    """
    if live := app.runs.get(run_id):
        return live
    stored = await (await app.session()).stored(run_id)
    return app.runs.get(stored.run_id) or stored


async def known(app: AppContext, run_id: str) -> LiveRun | Kept:
    """Return what an id names: a run of this process, or what is kept of a run or a call of any.

    Raises:
        InputError: there is nothing of that id, or several runs.
        ToolError: it is about a file outside of the roots.
    """
    return app.runs.get(run_id) or await _kept(app, run_id)


async def _kept(app: AppContext, run_id: str) -> Kept:
    try:
        state = await (await app.session()).stored(run_id)
    except InputError as error:
        record = None if isinstance(error, ToolError) else await app.ledger.get(run_id)
        if record is None:
            raise
        return None, record
    return state, await app.ledger.get(state.run_id)


async def known_ids(app: AppContext) -> list[str]:
    """Return ids of runs, the latest first."""
    return list(dict.fromkeys([*app.runs.ids(), *(line.run_id for line in await run_lines(app, _MOST_LISTED))]))


async def _wait(live: LiveRun, seconds: float, reporter: ProgressReporter) -> None:
    with anyio.move_on_after(seconds):
        while live.is_under_way:
            await live.changed()
            if live.state is not None:
                await reporter.show(live.state)
