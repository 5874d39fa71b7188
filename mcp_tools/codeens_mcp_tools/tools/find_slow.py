"""find_slow: runs a program of the workspace under a sampler in the sandbox, and says where its time goes."""

from __future__ import annotations

import json
import secrets
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from msgspec import Struct
from msgspec.structs import replace

from codeens_mcp_tools.context import AppContext
from codeens_mcp_tools.errors import ToolError
from codeens_mcp_tools.tools.arguments import FindSlow
from codeens_mcp_tools.tools.documents import SlowFunction, SlowLine, SlowReport, ToolAnswer
from codeens_mcp_tools.tools.framework import ToolCall
from codeens_sandbox_backends.values.render import render_outcome
from codeens_server.text import visible

if TYPE_CHECKING:
    from codeens_mcp_tools.session import AgentSession

_WALL_S = 30.0
"""Of the program; what it did until then is told."""
_AROUND_S = 5.0
_MOST_TOLD = 15
_LONGEST_OUTPUT = 1500
_SAMPLER = """\
import collections, json, os, runpy, signal, sys, time
ROOT, MARK, KIND, NAME, WALL = {root!r}, {mark!r}, {kind!r}, {name!r}, {wall!r}
lines, own, whole, samples, ticks, traced, last = *(collections.Counter() for _ in range(3)), 0, 0, None, None
class Stop(BaseException):
    pass
def stop(number, frame):
    raise Stop
def timed(frame, event, arg):
    global last
    now = time.perf_counter()
    if last is not None:
        lines[last[0]] += now - last[1]
    last = ((frame.f_code.co_filename, frame.f_lineno), now) if event == "line" else None
    return timed
def watch(frame):
    global traced, last
    last = None
    if traced is not None:
        sys.settrace(None)
        traced.f_trace, traced = None, None
        return
    while frame is not None and not is_own(frame.f_code):
        frame = frame.f_back
    if frame is not None:
        traced, frame.f_trace = frame, timed
        sys.settrace(lambda frame, event, arg: None)
def is_own(code):
    return code.co_filename.startswith(ROOT) and "site-packages" not in code.co_filename
def seen(number, frame):
    global samples, ticks
    ticks += 1
    # A signal is seen at the end of a loop's turn: lines are timed instead, in one of four slices.
    if traced is not None or ticks % 4 == 0:
        return watch(frame)
    samples += 1
    keys = set()
    while frame is not None:
        code = frame.f_code
        if is_own(code):
            key = (code.co_filename, code.co_firstlineno, getattr(code, "co_qualname", code.co_name))
            if not keys:
                own[key] += 1
            keys.add(key)
        frame = frame.f_back
    whole.update(keys)
def work():
    if KIND == "pytest":
        import pytest
        pytest.main([NAME, *sys.argv[1:], "-q", "-p", "no:cacheprovider"])
    elif KIND == "module":
        runpy.run_module(NAME, run_name="__main__", alter_sys=True)
    else:
        sys.path.insert(0, os.path.dirname(NAME))
        sys.argv[0] = NAME
        runpy.run_path(NAME, run_name="__main__")
sys.dont_write_bytecode = True
os.chdir(ROOT)
signal.signal(signal.SIGPROF, seen)
signal.signal(signal.SIGALRM, stop)
signal.setitimer(signal.ITIMER_REAL, WALL)
signal.setitimer(signal.ITIMER_PROF, 0.002, 0.002)
begun, cpu, ended = time.perf_counter(), time.process_time(), ""
try:
    work()
except Stop:
    ended = "it was stopped after its time"
except SystemExit as leaving:
    ended = "" if not leaving.code else "it ended with exit code " + str(leaving.code)
except BaseException as error:
    ended = "it raised " + type(error).__name__ + ": " + str(error)[:300]
finally:
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    sys.settrace(None)
told = dict(
    ended=ended, samples=samples, wall_s=time.perf_counter() - begun, cpu_s=time.process_time() - cpu,
    lines=[[*key, count] for key, count in lines.most_common(30)],
    functions=[[*key, count, own[key]] for key, count in whole.most_common(60)],
)
sys.stdout.flush()
sys.stdout.write(MARK + json.dumps(told))
"""


class _Program(Struct, frozen=True):
    """What is run: a script, a module or tests."""

    kind: str
    name: str
    argv: tuple[str, ...] = ()


async def find_slow(app: AppContext, call: ToolCall[FindSlow]) -> ToolAnswer:
    """Answer a call.

    Raises:
        ToolError: there is no such program, or it did not run.
        SandboxError: the sandbox failed.
    """
    session = await app.session()
    root = session.root
    program = await anyio.to_thread.run_sync(_program, session, root, call.arguments)
    own = await anyio.to_thread.run_sync(session.limits_here, None)
    mark = secrets.token_hex(8)
    script = _SAMPLER.format(root=f"{root}/", mark=mark, kind=program.kind, name=program.name, wall=_WALL_S)
    wall = _WALL_S + _AROUND_S
    done = await session.run_code(
        script, argv=program.argv, workspace=True, limits=replace(own.limits, wall_s=wall, cpu_s=wall)
    )
    run = done.scripts[0]
    printed, found, told = run.stdout.rpartition(mark)
    if not found:
        why = "it ended before anything was seen" if run.ending is None else render_outcome(run.ending)
        raise ToolError(f"{program.name} was not sampled: {why}. {visible(run.stderr[-_LONGEST_OUTPUT:])}".strip())
    report = await anyio.to_thread.run_sync(_report, json.loads(told), root, printed)
    return ToolAnswer(text=_text(report, program.name), document=report)


def _program(session: AgentSession, root: Path, arguments: FindSlow) -> _Program:
    if (arguments.path is None) == (arguments.command is None):
        raise ToolError("Give either `path` (a script or test file of the workspace) or `command`.")
    words = shlex.split(arguments.command) if arguments.command else [str(arguments.path)]
    if words[:1] in (["python"], ["python3"]):
        words = words[1:]
    is_module = words[:1] == ["-m"]
    words = words[1:] if is_module else words
    if not words or words == ["pytest"]:
        raise ToolError("Say what is run: python bench.py, python -m package, or pytest tests/test_a.py.")
    if is_module and words[0] != "pytest":
        return _Program("module", words[0], tuple(words[1:]))
    is_test = words[0] == "pytest"
    words = words[1:] if is_test else words
    file, colons, rest = words[0].partition("::")
    path = session.roots.resolve(file)
    if not path.exists():
        raise ToolError(f"There is no file {file!r} below {root}. Name a script, or write pytest tests/test_a.py.")
    is_test = is_test or path.name.startswith("test_") or path.name.endswith("_test.py")
    return _Program("pytest" if is_test else "script", f"{path}{colons}{rest}", tuple(words[1:]))


def _report(told: dict[str, Any], root: Path, printed: str) -> SlowReport:
    samples = max(1, told["samples"])
    functions = [
        SlowFunction(
            target=f"{Path(path).relative_to(root)}::{name}",
            line=line,
            percent=100 * count / samples,
            own_percent=100 * own / samples,
        )
        for path, line, name, count, own in told["functions"]
        if not name.startswith("<")
    ]
    seconds = sum(spent for *_, spent in told["lines"]) or 1.0
    texts = {path: _lines(Path(path)) for path, _, _ in told["lines"]}
    return SlowReport(
        samples=told["samples"],
        wall_s=told["wall_s"],
        cpu_s=told["cpu_s"],
        ended=told["ended"],
        functions=tuple(sorted(functions, key=lambda item: -item.own_percent)[:_MOST_TOLD]),
        lines=tuple(
            SlowLine(
                path=str(Path(path).relative_to(root)),
                line=line,
                percent=100 * spent / seconds,
                source="".join(texts[path][line - 1 : line]).strip(),
            )
            for path, line, spent in told["lines"][:_MOST_TOLD]
        ),
        stdout=printed[-_LONGEST_OUTPUT:],
    )


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return []


def _text(report: SlowReport, name: str) -> str:
    ended = f" ({report.ended})" if report.ended else ""
    lines = [f"{name}: {report.wall_s:.2f} s, {report.cpu_s:.2f} s of processor time, {report.samples} samples{ended}."]
    if not report.functions:
        return (
            f"{lines[0]}\nNo time was seen in code of the workspace: it is short, it waits, or libraries do the work."
        )
    lines.append("Functions, by the share of processor time in their own lines (and with what they call):")
    lines += [f"- {item.target}: {item.own_percent:.0f} % ({item.percent:.0f} %)" for item in report.functions[:8]]
    lines.append("Lines:")
    lines += [f"- {item.path}:{item.line}: {item.percent:.0f} %: {visible(item.source)}" for item in report.lines[:8]]
    lines.append(f"Next: start_ensemble(target={report.functions[0].target!r}, goal='speed').")
    return "\n".join(lines)
