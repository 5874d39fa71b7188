"""start_ensemble, get_run, cancel_run: long work, by the id of a run."""

from __future__ import annotations

from pathlib import Path

import anyio
import anyio.to_thread

from codeens_mcp_tools.context import AppContext
from codeens_mcp_tools.errors import ToolError
from codeens_mcp_tools.runs import Job, LiveRun
from codeens_mcp_tools.tools import reporting
from codeens_mcp_tools.tools.arguments import CancelRun, GetRun, StartEnsemble
from codeens_mcp_tools.tools.framework import ToolAnswer, ToolCall
from codeens_mcp_tools.tools.generate import capped
from codeens_mcp_tools.tools.given_code import is_given_code
from codeens_mcp_tools.tools.progress import ProgressReporter
from codeens_mcp_tools.tools.subjects import Subject, home_settings, subject_of
from codeens_server.errors import InputError
from codeens_server.run.engine import Engine
from codeens_server.run.request import RunOptions, resolve
from codeens_server.run.state import RunState

_CANCELLED_WITHIN_S = 15.0
_MOST_LISTED = 200


async def start_ensemble(app: AppContext, call: ToolCall[StartEnsemble]) -> ToolAnswer:
    """ToolAnswer a call.

    Raises:
        CodeensError: the request is wrong; nothing was written.
        SandboxError: the sandbox cannot be opened.
    """
    arguments = call.arguments
    subject = await subject_of(
        app,
        target=arguments.target,
        code=arguments.code,
        function=arguments.function,
        backend=arguments.backend,
        goal=arguments.goal,
    )
    settings, target = subject.settings, subject.target
    options = RunOptions(
        mode=arguments.mode,
        models=arguments.models,
        variants=arguments.variants,
        samples=arguments.samples,
        rounds=arguments.rounds,
        tests=tests_inside(app, subject, arguments.tests),
        budget_usd=capped(arguments.budget_usd, settings.budget_usd),
        timeout_s=capped(arguments.timeout_s, settings.timeout_s),
    )
    request = resolve(f"{target.path}:{target.line}", options, settings)
    job = Job(engine=engine_for(app, subject), request=request, target=target)
    return reporting.of_live(await app.runs.start(job))


async def get_run(app: AppContext, call: ToolCall[GetRun]) -> ToolAnswer:
    """ToolAnswer a call.

    Raises:
        CodeensError: there is no such run.
    """
    arguments = call.arguments
    live = app.runs.get(arguments.id)
    if live is None:
        return reporting.of_stored(await stored_run(app, arguments.id), arguments.offset, arguments.limit)
    if arguments.wait_seconds:
        await _wait(live, arguments.wait_seconds, call.reporter)
    return reporting.of_live(live, arguments.offset, arguments.limit)


async def cancel_run(app: AppContext, call: ToolCall[CancelRun]) -> ToolAnswer:
    """ToolAnswer a call.

    Raises:
        CodeensError: there is no such run.
    """
    live = app.runs.get(call.arguments.id)
    if live is None:
        return reporting.of_stored(await stored_run(app, call.arguments.id))
    if live.is_under_way:
        live.cancel(keep=True)
        with anyio.move_on_after(_CANCELLED_WITHIN_S):
            await live.ended.wait()
    return reporting.of_live(live)


async def stored_run(app: AppContext, run_id: str) -> RunState:
    """A run that is kept, of a function that this server may read.

    Raises:
        ToolError: there is none of that id, or it is about a file outside of the roots.
    """
    settings = await anyio.to_thread.run_sync(home_settings, app)
    try:
        stored = await app.store(settings).load(run_id)
    except InputError as error:
        raise ToolError(f"{error} start_ensemble and score give ids.") from None
    if not is_given_code(Path(stored.target.path), settings):
        app.roots.check(Path(stored.target.path), f"the file of run {stored.run_id}")
    return stored


def engine_for(app: AppContext, subject: Subject) -> Engine:
    """An engine with the subject's settings and variants, on the shared store."""
    variants = {name: item.variant for name, item in app.variants(subject.root).items()}
    store = app.store(subject.settings)
    return Engine(subject.settings, store, variants=variants, environ=app.environ)


def tests_inside(app: AppContext, subject: Subject, tests: tuple[str, ...]) -> tuple[str, ...]:
    """Tests to judge by, which must be files of the workspace.

    Raises:
        ToolError: there is no workspace, or one is outside.
    """
    if tests and not subject.is_file:
        raise ToolError("Tests of a workspace judge a function of a file: give `target` in place of the code.")
    for test in tests:
        app.roots.check(Path(subject.target.root) / test.partition("::")[0], f"the test {test}")
    return tests


async def _wait(live: LiveRun, seconds: float, reporter: ProgressReporter) -> None:
    with anyio.move_on_after(seconds):
        while live.is_under_way:
            await live.changed()
            if live.state is not None:
                await reporter.show(live.state)


async def known_ids(app: AppContext) -> list[str]:
    """Ids of runs, the latest first."""
    settings = await anyio.to_thread.run_sync(home_settings, app)
    kept = [line.run_id for line in await app.store(settings).list_runs(_MOST_LISTED)]
    return list(dict.fromkeys([*app.runs.ids(), *kept]))
