"""score: judges candidates by a task, or against the original."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio.to_thread

from codeens import Task
from codeens_mcp_tools.candidates import AGENT, parents_of
from codeens_mcp_tools.context import AppContext
from codeens_mcp_tools.errors import ToolError
from codeens_mcp_tools.tools import reporting
from codeens_mcp_tools.tools.arguments import ScoreCandidates
from codeens_mcp_tools.tools.documents import ToolAnswer
from codeens_mcp_tools.tools.framework import ToolCall
from codeens_server.text import one_line

if TYPE_CHECKING:
    from codeens import Report, ScoreResult

_LONGEST_REASON = 400


async def score(app: AppContext, call: ToolCall[ScoreCandidates]) -> ToolAnswer:
    """Answer a call.

    Raises:
        CodeensError: the arguments are wrong, or the original cannot be judged by.
        SandboxError: the sandbox failed; nothing is known of the candidates.
    """
    arguments = call.arguments
    if arguments.task is not None:
        if arguments.target or arguments.code or arguments.original:
            raise ToolError("Judge either by `task`, or against a function (`target`, or `original` and `function`).")
        return await _by_task(app, call)
    if arguments.original is not None and arguments.code is not None:
        raise ToolError("`original` and `code` both are the module with the original; give it once, as `original`.")
    return await _against_original(app, call)


async def _against_original(app: AppContext, call: ToolCall[ScoreCandidates]) -> ToolAnswer:
    arguments = call.arguments
    session = await app.session()
    given = app.kept.named(arguments.candidates)
    code = arguments.code or arguments.original
    target = await session.subject(arguments.target, code, arguments.function)
    await session.limits_for(target, arguments.backend)
    await anyio.to_thread.run_sync(session.check_tests, target, arguments.evidence, arguments.deselect)
    making = session.stream_judge(
        target,
        given,
        author=AGENT,
        parents=parents_of(arguments.candidates),
        goal=arguments.goal,
        mode=arguments.mode,
        tests=arguments.evidence,
        deselect=arguments.deselect,
        calls=arguments.calls,
        python=arguments.environments,
        sandbox=arguments.backend,
    )
    return reporting.of_live(await app.runs.make(making, call.held), limit=max(reporting.PAGE, len(given)))


async def _by_task(app: AppContext, call: ToolCall[ScoreCandidates]) -> ToolAnswer:
    arguments = call.arguments
    task = Task.from_dict(call.raw["task"])
    session = await app.session()
    given = app.kept.named(arguments.candidates)
    await anyio.to_thread.run_sync(session.limits_here, arguments.backend)
    async with call.reporter.telling() as tell:
        report = await session.judge(task, given, author=AGENT, sandbox=arguments.backend, on_progress=tell)
    return ToolAnswer(text=_text(report), document=report.document)


def _text(report: Report) -> str:
    passed, results = report.passed, report.document.results
    lines = [f"Task {report.document.task}: {len(passed)} of {len(results)} candidates pass."]
    for result in results:
        state = "passed" if result.rank is not None else f"{result.verdict.status}: {_reason(result)}"
        lines.append(f"- {result.candidate.id}: {result.weight_passed:g}/{result.weight_total:g}, {state}")
    if results:
        lines.append(f"Judged by tests in {results[0].verdict.sandbox}.")
    lines.append(
        f"Next: take {passed[0]}." if passed else "Next: mend the candidates by these reasons, and call score again."
    )
    return "\n".join(lines)


def _reason(result: ScoreResult) -> str:
    reason = one_line(result.reason)
    return reason if len(reason) <= _LONGEST_REASON else f"{reason[: _LONGEST_REASON - 1]}…"
