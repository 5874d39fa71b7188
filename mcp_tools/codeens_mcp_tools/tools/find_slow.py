"""find_slow: runs a program of the workspace under a sampler in the sandbox, and says where its time goes."""

from __future__ import annotations

import shlex
from pathlib import Path

import anyio.to_thread

from codeens_mcp_tools.context import AppContext
from codeens_mcp_tools.errors import ToolError
from codeens_mcp_tools.tools.arguments import FindSlow
from codeens_mcp_tools.tools.documents import HotFunction, HotLine, SlowReport, ToolAnswer
from codeens_mcp_tools.tools.framework import ToolCall
from codeens_server.programs.profiling import Profile, profiled_command
from codeens_server.text import visible

_MOST_TOLD = 15
_LONGEST_OUTPUT = 1500


async def find_slow(app: AppContext, call: ToolCall[FindSlow]) -> ToolAnswer:
    """Answer a call.

    Raises:
        ToolError: there is no such program, or it did not run.
        SandboxError: the sandbox failed.
    """
    session = await app.session()
    root = session.root
    program, profile = await profiled_command(session, root, _command(call.arguments), session.roots.resolve)
    report = await anyio.to_thread.run_sync(_report, profile, root)
    return ToolAnswer(text=_text(report, program.name), document=report)


def _command(arguments: FindSlow) -> str:
    if (arguments.path is None) == (arguments.command is None):
        raise ToolError("Give either `path` (a script or test file of the workspace) or `command`.")
    return arguments.command or shlex.quote(str(arguments.path))


def _report(profile: Profile, root: Path) -> SlowReport:
    texts = {line.path: _lines(Path(line.path)) for line in profile.lines}
    return SlowReport(
        samples=profile.samples,
        wall_s=profile.wall_s,
        cpu_s=profile.cpu_s,
        ended=profile.ended,
        notes=profile.notes,
        functions=tuple(
            HotFunction(
                target=f"{Path(slow.path).relative_to(root)}::{slow.name}",
                line=slow.line,
                percent=100 * slow.share,
                own_percent=100 * slow.own_share,
            )
            for slow in profile.functions[:_MOST_TOLD]
        ),
        lines=tuple(
            HotLine(
                path=str(Path(slow.path).relative_to(root)),
                line=slow.line,
                percent=100 * slow.share,
                source="".join(texts[slow.path][slow.line - 1 : slow.line]).strip(),
            )
            for slow in profile.lines[:_MOST_TOLD]
        ),
        stdout=profile.printed[-_LONGEST_OUTPUT:],
    )


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return []


def _text(report: SlowReport, name: str) -> str:
    ended = f" ({report.ended})" if report.ended else ""
    lines = [f"{name}: {report.wall_s:.2f} s, {report.cpu_s:.2f} s of processor time, {report.samples} samples{ended}."]
    lines += [f"Warning: {note}." for note in report.notes]
    if not report.functions:
        lines.append("No time was seen in code of the workspace: it is short, it waits, or libraries do the work.")
        return "\n".join(lines)
    lines.append("Functions, by the share of processor time in their own lines (and with what they call):")
    lines += [f"- {item.target}: {item.own_percent:.0f} % ({item.percent:.0f} %)" for item in report.functions[:8]]
    lines.append("Lines:")
    lines += [f"- {item.path}:{item.line}: {item.percent:.0f} %: {visible(item.source)}" for item in report.lines[:8]]
    lines.append(f"Next: start_ensemble(target={report.functions[0].target!r}, goal='speed').")
    return "\n".join(lines)
