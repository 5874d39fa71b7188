"""start_ensemble, get_run, cancel_run: long work, by the id of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar

import anyio

from codeens import InputError
from codeens_mcp_tools.calls import LONGEST_WAIT_S
from codeens_mcp_tools.context import AppContext
from codeens_mcp_tools.runs import LiveRun
from codeens_mcp_tools.tools import reporting
from codeens_mcp_tools.tools.arguments import CancelRun, GetRun, StartEnsemble
from codeens_mcp_tools.tools.documents import ToolAnswer
from codeens_mcp_tools.tools.framework import ToolCall
from codeens_mcp_tools.tools.progress import ProgressReporter

if TYPE_CHECKING:
    from codeens import RunState
    from codeens_server.store.calls import CallRecord

Amount = TypeVar("Amount", int, float)
Kept: TypeAlias = "tuple[RunState | None, CallRecord | None]"
"""What the store has of an id: a run's events, a record, or both."""

_CANCELLED_WITHIN_S = 15.0
_LOOKED_AGAIN_S = 1.0
"""Between two looks at what another server does."""


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
        budget_calls=capped(arguments.budget_calls, own.budget_calls),
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


def capped(wanted: Amount | None, own: Amount | None) -> Amount | None:
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
    except InputError:
        record = await app.ledger.get(run_id)
        if record is None:
            raise
        return None, record
    return state, await app.ledger.get(state.run_id)


async def _wait(live: LiveRun, seconds: float, reporter: ProgressReporter) -> None:
    with anyio.move_on_after(seconds):
        while live.is_under_way:
            await live.changed()
            if live.state is not None:
                await reporter.show(live.state)
