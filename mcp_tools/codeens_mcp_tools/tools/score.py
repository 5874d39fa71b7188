"""score: judges candidates by a task, or against the original."""

from __future__ import annotations

from typing import Any

import anyio
import anyio.to_thread
from msgspec.structs import replace

from codeens_mcp_tools.context import AppContext
from codeens_mcp_tools.errors import ToolError
from codeens_mcp_tools.runs import Job
from codeens_mcp_tools.tools import reporting
from codeens_mcp_tools.tools.arguments import GivenSource, ScoreCandidates
from codeens_mcp_tools.tools.ensembles import engine_for, tests_inside
from codeens_mcp_tools.tools.framework import ToolAnswer, ToolCall
from codeens_mcp_tools.tools.given import AGENT, candidates_for, check_ids
from codeens_mcp_tools.tools.progress import ProgressReporter
from codeens_mcp_tools.tools.subjects import home_settings, subject_of
from codeens_sandbox_backends.base import SandboxSpec
from codeens_sandbox_backends.executor import Executor
from codeens_server.config.settings import Settings
from codeens_server.run.request import RunOptions, resolve
from codeens_server.tasks.schema import ScoredCandidate, ScoreReport, ScoreResult, Task
from codeens_server.tasks.scoring import score_task
from codeens_server.text import one_line

_LONGEST_REASON = 400


async def score(app: AppContext, call: ToolCall[ScoreCandidates]) -> ToolAnswer:
    """ToolAnswer a call.

    Raises:
        CodeensError: the arguments are wrong, or the original cannot be judged by.
        SandboxError: the sandbox failed; nothing is known of the candidates.
    """
    arguments = call.arguments
    check_ids(arguments.candidates)
    if arguments.task is not None:
        if arguments.target or arguments.code or arguments.original:
            raise ToolError("Judge either by `task`, or against a function (`target`, or `original` and `function`).")
        return await _by_task(app, call, Task.from_dict(call.raw["task"]))
    if arguments.original is not None and arguments.code is not None:
        raise ToolError("`original` and `code` both are the module with the original; give it once, as `original`.")
    return await _against_original(app, call)


async def _against_original(app: AppContext, call: ToolCall[ScoreCandidates]) -> ToolAnswer:
    arguments = call.arguments
    subject = await subject_of(
        app,
        target=arguments.target,
        code=arguments.code or arguments.original,
        function=arguments.function,
        backend=arguments.backend,
        goal=arguments.goal,
    )
    settings, target = subject.settings, subject.target
    given = await anyio.to_thread.run_sync(candidates_for, target, arguments.candidates, app.kept)
    options = RunOptions(mode=arguments.mode, tests=tests_inside(app, subject, arguments.evidence))
    request = resolve(f"{target.path}:{target.line}", options, settings)
    job = Job(engine=engine_for(app, subject), request=request, target=target, given=given)
    return reporting.of_live(await app.runs.make(job, call.reporter), limit=max(reporting.PAGE, len(given)))


async def _by_task(app: AppContext, call: ToolCall[ScoreCandidates], task: Task) -> ToolAnswer:
    arguments = call.arguments
    settings = await anyio.to_thread.run_sync(lambda: home_settings(app, arguments.backend))
    given = {item.id: item for item in (_scored(item, app) for item in arguments.candidates)}
    spec = SandboxSpec(python=settings.python or "", limits=settings.limits)
    async with app.sandboxes.executor(settings.sandbox, spec, settings.parallel) as executor:
        programs = [replace(item, source=task.program(item.source)) for item in given.values()]
        judged = await _judge_all(task, programs, executor, settings, call.reporter)
    results = [replace(result, candidate=given[result.candidate.id]) for result in judged]
    results.sort(key=lambda result: (result.rank is None, -result.weight_passed))
    report = ScoreReport(task=task.id, results=tuple(results))
    return ToolAnswer(text=_text(report), document=report)


async def _judge_all(
    task: Task, programs: list[ScoredCandidate], executor: Executor, settings: Settings, reporter: ProgressReporter
) -> list[ScoreResult]:
    """All at once as far as the executor lets them, unless each would run the task's own reference again."""
    groups = [programs] if task.reference_solution is not None else [[program] for program in programs]
    results: list[ScoreResult] = []

    async def judge(group: list[ScoredCandidate]) -> None:
        report = await score_task(task, group, sandbox=executor, sandbox_label=executor.label, limits=settings.limits)
        results.extend(report.results)
        await reporter.tell(f"{len(results)} of {len(programs)} judged", len(results), len(programs))

    async with anyio.create_task_group() as tasks:
        for group in groups:
            tasks.start_soon(judge, group)
    order = {program.id: place for place, program in enumerate(programs)}
    return sorted(results, key=lambda result: order[result.candidate.id])


def _scored(given: GivenSource | str, app: AppContext) -> ScoredCandidate:
    if isinstance(given, GivenSource):
        return ScoredCandidate(id=given.id, source=given.source, model=AGENT)
    kept = app.kept.get(given)
    return ScoredCandidate(id=kept.id, source=kept.source, model=kept.model, variant=kept.variant)


def _text(report: ScoreReport) -> str:
    passed = [result.candidate.id for result in report.results if result.rank is not None]
    lines = [f"Task {report.task}: {len(passed)} of {len(report.results)} candidates pass."]
    for result in report.results:
        verdict = result.verdict
        state = "passed" if result.rank is not None else f"{verdict.status}: {_reason(result)}"
        lines.append(f"- {result.candidate.id}: {result.weight_passed:g}/{result.weight_total:g}, {state}")
    if report.results:
        lines.append(f"Judged by tests in {report.results[0].verdict.sandbox}.")
    lines.append(
        f"Next: take {passed[0]}." if passed else "Next: mend the candidates by these reasons, and call score again."
    )
    return "\n".join(lines)


def _reason(result: ScoreResult) -> str:
    failure: Any = result.verdict.failure
    reason = one_line(result.reason or (failure.got if failure else ""))
    return reason if len(reason) <= _LONGEST_REASON else f"{reason[: _LONGEST_REASON - 1]}…"
