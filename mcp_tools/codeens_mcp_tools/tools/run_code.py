"""run_in_sandbox: runs code that nobody trusts, and says what it did."""

from __future__ import annotations

from collections.abc import Sequence

import anyio.to_thread
from msgspec.structs import replace

from codeens_mcp_tools.context import AppContext
from codeens_mcp_tools.errors import ToolError
from codeens_mcp_tools.tools.arguments import RunInSandbox, RunLimits
from codeens_mcp_tools.tools.calls import read_call
from codeens_mcp_tools.tools.documents import CallReport, OutcomeKind, SandboxReport, TestsReport
from codeens_mcp_tools.tools.framework import ToolAnswer, ToolCall
from codeens_mcp_tools.tools.subjects import home_settings
from codeens_sandbox_backends.base import (
    CallInput,
    CallsJob,
    CallsResult,
    CheckJob,
    CheckResult,
    Died,
    Limits,
    ModuleSource,
    Outcome,
    Program,
    Raised,
    Returned,
    Sandbox,
    SandboxSpec,
    StdioJob,
    StdioResult,
    StdioRun,
    TimedOut,
    Unencodable,
)
from codeens_sandbox_backends.values.compare import canonical
from codeens_sandbox_backends.values.render import render_call, render_outcome
from codeens_server.text import visible

_MODULE = "given"
_MOST_CALLS = 200
_LONGEST_OUTPUT = 4000
_LONGEST_VALUE = 4000
_LONGEST_SHOWN = 1000
_MOST_IN_TEXT = 20
_KINDS: dict[type[Outcome], OutcomeKind] = {
    Returned: "returned",
    Raised: "raised",
    Unencodable: "unencodable",
    TimedOut: "timeout",
    Died: "died",
}


async def run_in_sandbox(app: AppContext, call: ToolCall[RunInSandbox]) -> ToolAnswer:
    """ToolAnswer a call.

    Raises:
        CodeensError: the arguments do not fit each other.
        SandboxError: the sandbox failed; nothing is known of the code.
    """
    arguments = call.arguments
    _check(arguments)
    settings = await anyio.to_thread.run_sync(lambda: home_settings(app, arguments.backend))
    limits = _limits(arguments.limits, settings.limits)
    spec = SandboxSpec(python=settings.python or "", limits=settings.limits)
    async with app.sandboxes.executor(settings.sandbox, spec, settings.parallel) as executor:
        report = await _run(arguments, limits, executor, settings.sandbox)
    return ToolAnswer(text=_text(report), document=report)


def _check(arguments: RunInSandbox) -> None:
    ways = [
        name
        for name, given in (
            ("calls", bool(arguments.calls)),
            ("tests", arguments.tests is not None),
            ("stdin or argv", arguments.stdin is not None or bool(arguments.argv)),
        )
        if given
    ]
    if len(ways) > 1:
        raise ToolError(f"Code is run in one way at a time; you gave {' and '.join(ways)}. Make a call for each.")
    if (arguments.tests is None) != (arguments.function is None):
        raise ToolError("`tests` and `function` go together: the tests, and the name of the function they call.")
    if len(arguments.calls) > _MOST_CALLS:
        raise ToolError(f"At most {_MOST_CALLS} calls at once; you gave {len(arguments.calls)}.")


def _limits(call: RunLimits, own: Limits) -> Limits:
    wall = call.wall_s or own.wall_s
    return replace(
        own,
        wall_s=wall,
        cpu_s=max(own.cpu_s, wall) if call.wall_s else own.cpu_s,
        call_s=call.call_s or own.call_s,
        memory_bytes=call.memory_mb << 20 if call.memory_mb else own.memory_bytes,
    )


async def _run(arguments: RunInSandbox, limits: Limits, sandbox: Sandbox, backend: str) -> SandboxReport:
    empty = SandboxReport(backend=backend, isolation=sandbox.isolation)
    if arguments.calls:
        name, inputs = _inputs(arguments.calls)
        job = CallsJob(program=_program(arguments.code, name), inputs=inputs, limits=limits)
        return _of_calls(empty, name, inputs, await sandbox.run(job))
    if arguments.tests is not None and arguments.function is not None:
        program = _program(arguments.code, arguments.function)
        job = CheckJob(program=program, tests=arguments.tests, name=arguments.function, limits=limits)
        return _of_tests(empty, await sandbox.run(job))
    stdins = (arguments.stdin,) if isinstance(arguments.stdin, str) else arguments.stdin or ("",)
    job = StdioJob(source=arguments.code, stdins=stdins, argv=arguments.argv, limits=limits)
    return _of_scripts(empty, await sandbox.run(job))


def _inputs(calls: Sequence[str]) -> tuple[str, tuple[CallInput, ...]]:
    read = [read_call(call) for call in calls]
    names = list(dict.fromkeys(name for name, _ in read))
    if len(names) > 1:
        raise ToolError(f"All calls must be of one function; these are of {', '.join(names)}. Make a call for each.")
    return names[0], tuple(call for _, call in read)


def _program(code: str, qualname: str) -> Program:
    return Program(module=_MODULE, qualname=qualname, modules=(ModuleSource(name=_MODULE, source=code),))


def _of_calls(empty: SandboxReport, name: str, inputs: Sequence[CallInput], result: CallsResult) -> SandboxReport:
    reports = tuple(_call(name, call, outcome) for call, outcome in zip(inputs, result.outcomes, strict=True))
    cut = max(len(result.stdout), len(result.stderr)) > _LONGEST_OUTPUT
    return replace(
        empty,
        calls=reports,
        stdout=result.stdout[:_LONGEST_OUTPUT],
        stderr=result.stderr[-_LONGEST_OUTPUT:],
        cut=cut,
        usage=result.usage,
    )


def _call(name: str, call: CallInput, outcome: Outcome) -> CallReport:
    fits = isinstance(outcome, Returned) and len(canonical(outcome.value)) <= _LONGEST_VALUE
    return CallReport(
        call=render_call(name, call),
        kind=_KINDS[type(outcome)],
        shown=render_outcome(outcome, limit=_LONGEST_SHOWN),
        value=outcome.value if fits and isinstance(outcome, Returned) else None,
        traceback=outcome.traceback[-_LONGEST_OUTPUT:] if isinstance(outcome, Raised) else "",
    )


def _of_tests(empty: SandboxReport, result: CheckResult) -> SandboxReport:
    failure = result.failure
    report = TestsReport(
        passed=result.passed and failure is None,
        shown=render_outcome(failure, limit=_LONGEST_SHOWN) if failure else "",
        traceback=failure.traceback[-_LONGEST_OUTPUT:] if isinstance(failure, Raised) else "",
    )
    return replace(empty, tests=report, usage=result.usage)


def _of_scripts(empty: SandboxReport, result: StdioResult) -> SandboxReport:
    longest = max(max(len(run.stdout), len(run.stderr)) for run in result.runs)
    return replace(empty, scripts=tuple(map(_shortened, result.runs)), cut=longest > _LONGEST_OUTPUT)


def _shortened(run: StdioRun) -> StdioRun:
    return replace(run, stdout=run.stdout[:_LONGEST_OUTPUT], stderr=run.stderr[-_LONGEST_OUTPUT:])


def _text(report: SandboxReport) -> str:
    lines = [f"Ran in {report.backend} ({report.isolation.label})."]
    lines += [f"{call.call} -> {call.shown}" for call in report.calls[:_MOST_IN_TEXT]]
    if len(report.calls) > _MOST_IN_TEXT:
        lines.append(f"… and {len(report.calls) - _MOST_IN_TEXT} more calls, in the structured content")
    if first := next((call.traceback for call in report.calls if call.traceback), ""):
        lines.append(f"First traceback:\n{visible(first[-1500:])}")
    if report.tests is not None:
        lines.append("The tests pass." if report.tests.passed else f"The tests fail: {report.tests.shown}")
        lines += [visible(report.tests.traceback[-1500:])] if report.tests.traceback else []
    for number, run in enumerate(report.scripts[:_MOST_IN_TEXT], start=1):
        ending = "exit code 0" if run.ending is None else render_outcome(run.ending)
        lines.append(f"Run {number}: {ending}, {run.usage.wall_s:.3f} s\nstdout:\n{visible(run.stdout)}")
        lines += [f"stderr:\n{visible(run.stderr)}"] if run.stderr else []
    lines += [f"stdout:\n{visible(report.stdout)}"] if report.stdout else []
    lines += [f"stderr:\n{visible(report.stderr)}"] if report.stderr else []
    if report.usage is not None:
        memory = f", {report.usage.peak_rss_bytes / (1 << 20):.0f} MiB" if report.usage.peak_rss_bytes else ""
        lines.append(f"Took {report.usage.wall_s:.3f} s{memory}.")
    lines += ["Long output was cut."] if report.cut else []
    return "\n".join(lines)
