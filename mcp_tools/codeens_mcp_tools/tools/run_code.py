"""run_in_sandbox: runs code that nobody trusts, and says what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio.to_thread
from msgspec.structs import replace

from codeens_mcp_tools.context import AppContext
from codeens_mcp_tools.errors import ToolError
from codeens_mcp_tools.tools.arguments import RunInSandbox, RunLimits
from codeens_mcp_tools.tools.documents import CallReport, SandboxReport, TestsReport, ToolAnswer
from codeens_mcp_tools.tools.framework import ToolCall
from codeens_sandbox_backends.jobs import Limits, StdioRun
from codeens_sandbox_backends.programs import Raised
from codeens_sandbox_backends.values.render import render_outcome
from codeens_server.store.documents import to_json
from codeens_server.text import visible

if TYPE_CHECKING:
    from codeens import CallResult, CodeResult
    from codeens_mcp_tools.session import AgentSession

_MOST_CALLS = 200
_LONGEST_OUTPUT = 4000
_LONGEST_VALUE = 4000
_LONGEST_SHOWN = 1000
_MOST_IN_TEXT = 20
_MOST_INSTALLED = 300
_INSTALLED = """\
from importlib import metadata
names = {f"{each.metadata['Name']} {each.version}" for each in metadata.distributions()}
print("\\n".join(sorted(names, key=str.lower)))
"""
"""A script that prints what can be imported besides the standard library."""


async def run_in_sandbox(app: AppContext, call: ToolCall[RunInSandbox]) -> ToolAnswer:
    """Answer a call.

    Raises:
        CodeensError: the arguments do not fit each other.
        SandboxError: the sandbox failed; nothing is known of the code.
    """
    arguments = call.arguments
    if len(arguments.calls) > _MOST_CALLS:
        raise ToolError(f"At most {_MOST_CALLS} calls at once; you gave {len(arguments.calls)}.")
    if arguments.code is None and not (arguments.pytest or arguments.installed):
        raise ToolError("There is nothing to run: give `code`, or test files by `pytest`, or installed=true.")
    code = arguments.code or ""
    session = await app.session()
    own = await anyio.to_thread.run_sync(session.limits_here, arguments.backend)
    earlier = app.sandbox_sessions.get(arguments.session)
    result = await session.run_code(
        code,
        calls=arguments.calls,
        tests=arguments.tests,
        function=arguments.function,
        stdin=arguments.stdin,
        argv=arguments.argv,
        files={**earlier.files, **arguments.files},
        pytest=arguments.pytest,
        before=earlier.scripts,
        workspace=arguments.workspace,
        limits=_limits(arguments.limits, own.limits),
        sandbox=arguments.backend,
    )
    if result.scripts and all(run.ending is None for run in result.scripts):
        app.sandbox_sessions.add(arguments.session, code, arguments.files)
    installed = await _installed(session, arguments) if arguments.installed or _lacks_module(result) else ()
    report = _report(result, installed)
    return ToolAnswer(text=_text(report), document=report)


async def _installed(session: AgentSession, arguments: RunInSandbox) -> tuple[str, ...]:
    listed = await session.run_code(_INSTALLED, workspace=arguments.workspace, sandbox=arguments.backend)
    return tuple(listed.scripts[0].stdout.split("\n")[:_MOST_INSTALLED]) if listed.scripts[0].ending is None else ()


def _lacks_module(result: CodeResult) -> bool:
    said = [run.stderr for run in result.scripts] + [call.traceback for call in result.calls]
    said += [result.failure.traceback] if isinstance(result.failure, Raised) else []
    return any("ModuleNotFoundError" in text for text in said)


def _limits(call: RunLimits, own: Limits) -> Limits:
    wall = call.wall_s or own.wall_s
    return replace(
        own,
        wall_s=wall,
        cpu_s=max(own.cpu_s, wall) if call.wall_s else own.cpu_s,
        call_s=call.call_s or own.call_s,
        memory_bytes=call.memory_mb << 20 if call.memory_mb else own.memory_bytes,
    )


def _report(result: CodeResult, installed: tuple[str, ...]) -> SandboxReport:
    texts = (result.stdout, result.stderr, *(text for run in result.scripts for text in (run.stdout, run.stderr)))
    return SandboxReport(
        backend=result.backend,
        isolation=result.isolation,
        calls=tuple(map(_call, result.calls)),
        scripts=tuple(map(_shortened, result.scripts)),
        values=result.values,
        installed=installed,
        tests=None if result.passed is None else _tests(result, passed=result.passed),
        stdout=result.stdout[:_LONGEST_OUTPUT],
        stderr=result.stderr[-_LONGEST_OUTPUT:],
        cut=max(map(len, texts)) > _LONGEST_OUTPUT,
        usage=result.usage,
    )


def _call(call: CallResult) -> CallReport:
    return CallReport(
        call=call.call,
        kind=call.kind,
        shown=call.shown(_LONGEST_SHOWN),
        value=call.value if (size := len(to_json(call.value))) <= _LONGEST_VALUE else None,
        value_size=size if size > _LONGEST_VALUE else None,
        traceback=call.traceback[-_LONGEST_OUTPUT:],
    )


def _tests(result: CodeResult, *, passed: bool) -> TestsReport:
    failure = result.failure
    return TestsReport(
        passed=passed,
        shown=render_outcome(failure, limit=_LONGEST_SHOWN) if failure else "",
        traceback=failure.traceback[-_LONGEST_OUTPUT:] if isinstance(failure, Raised) else "",
    )


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
        value = report.values[number - 1] if report.values else None
        lines += [] if value is None else [f"value: {visible(value)}"]
    if report.installed:
        lines.append(f"Installed (nothing else can be imported or installed): {', '.join(report.installed)}.")
    lines += [f"stdout:\n{visible(report.stdout)}"] if report.stdout else []
    lines += [f"stderr:\n{visible(report.stderr)}"] if report.stderr else []
    if report.usage is not None:
        memory = f", {report.usage.peak_rss_bytes / (1 << 20):.0f} MiB" if report.usage.peak_rss_bytes else ""
        lines.append(f"Took {report.usage.wall_s:.3f} s{memory}.")
    lines += ["Long output was cut."] if report.cut else []
    return "\n".join(lines)
