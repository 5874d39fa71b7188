"""start_ensemble, get_run, cancel_run: long work, by the id of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from codeens_mcp_tools.context import AppContext
from codeens_mcp_tools.runs import LiveRun
from codeens_mcp_tools.tools import reporting
from codeens_mcp_tools.tools.arguments import CancelRun, GetRun, StartEnsemble
from codeens_mcp_tools.tools.framework import ToolAnswer, ToolCall
from codeens_mcp_tools.tools.progress import ProgressReporter

if TYPE_CHECKING:
    from codeens import RunState

_CANCELLED_WITHIN_S = 15.0
_MOST_LISTED = 200


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
    session.check_tests(target, arguments.tests)
    making = session.stream(
        target,
        goal=arguments.goal,
        mode=arguments.mode,
        models=arguments.models,
        variants=arguments.variants,
        samples=arguments.samples,
        rounds=arguments.rounds,
        sandbox=arguments.backend,
        tests=arguments.tests,
        budget_usd=capped(arguments.budget_usd, own.budget_usd),
        timeout_s=capped(arguments.timeout_s, own.timeout_s),
    )
    return reporting.of_live(await app.runs.start(making))


async def get_run(app: AppContext, call: ToolCall[GetRun]) -> ToolAnswer:
    """Answer a call.

    Raises:
        CodeensError: there is no such run.
    """
    arguments = call.arguments
    run = await found(app, arguments.id)
    if isinstance(run, LiveRun):
        if arguments.wait_seconds:
            await _wait(run, arguments.wait_seconds, call.reporter)
        return reporting.of_live(run, arguments.offset, arguments.limit)
    return reporting.of_stored(run, arguments.offset, arguments.limit)


async def cancel_run(app: AppContext, call: ToolCall[CancelRun]) -> ToolAnswer:
    """Answer a call.

    Raises:
        CodeensError: there is no such run.
    """
    run = await found(app, call.arguments.id)
    if not isinstance(run, LiveRun):
        return reporting.of_stored(run)
    if run.is_under_way:
        run.cancel(keep=True)
        with anyio.move_on_after(_CANCELLED_WITHIN_S):
            await run.ended.wait()
    return reporting.of_live(run)


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


async def known_ids(app: AppContext) -> list[str]:
    """Return ids of runs, the latest first."""
    kept = [line.run_id for line in await (await app.session()).runs(_MOST_LISTED)]
    return list(dict.fromkeys([*app.runs.ids(), *kept]))


async def _wait(live: LiveRun, seconds: float, reporter: ProgressReporter) -> None:
    with anyio.move_on_after(seconds):
        while live.is_under_way:
            await live.changed()
            if live.state is not None:
                await reporter.show(live.state)
