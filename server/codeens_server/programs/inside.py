"""Runs a program in the sandbox, with files replaced in memory, and under a sampler where that is wanted."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio.to_thread
from msgspec.structs import replace

from codeens_sandbox_backends.values.render import render_outcome
from codeens_server.errors import InputError
from codeens_server.programs.command import ProgramCommand
from codeens_server.text import visible

if TYPE_CHECKING:
    from codeens import Session

_AROUND_S = 5.0
_LONGEST_OUTPUT = 1500
_MOST_KEPT = 100_000
"""Bytes of what a program prints; of the rest only a digest is told."""
_MOST_TOLD = 8 << 20
"""Bytes of what the script tells, calls above all, and of what the program writes to standard error."""
STOPPED = "it was stopped after its time"
TRACER = "it sets a trace function of its own; no line is timed beside it, and what it takes counts as the program's"
TIMER = "it takes the sampler's timer (SIGPROF) for itself; what it did after that is not seen"
PROFILER = "it sets a profile function of its own, in place of the one that records calls"
_SCRIPT = """\
import collections, hashlib, json, os, runpy, signal, sys, tempfile, threading, time, types
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from importlib.machinery import SourceFileLoader
ROOT, MARK, KIND, NAME, WALL, SAMPLED, CHANGED, RECORDED, MOST, STOPPED, TRACER, TIMER, PROFILER = {settings!r}
PLAIN = (type(None), bool, int, float, str, bytes, list, tuple, set, dict)
calls, noted = dict(), 0
lines, own, whole, samples, ticks, traced, last = *(collections.Counter() for _ in range(3)), 0, 0, None, None
tracing, notes, threads, MAIN = 0.0, [], dict(), threading.get_ident()
class Stop(BaseException):
    pass
def stop(number, frame):
    raise Stop
def timed(frame, event, arg):
    if frame.f_code is traced:
        reached((frame.f_code.co_filename, frame.f_lineno) if event == "line" else None)
    return timed
def reached(line):
    global last
    now = time.thread_time()
    if last is not None:
        lines[last[0]] += max(0, now - last[1] - tracing)
    last = None if line is None else (line, time.thread_time())
def entered(frame, event, arg):
    # Its later calls too: whoever calls it is watched to the end of a slice, and would outweigh one call of it.
    if frame.f_code is traced:
        return timed(frame, event, arg)
    # What it calls in the workspace has lines of its own.
    if is_own(frame.f_code):
        reached(None)
def blank():
    a = 1
    a = 2
    a = 3
    a = 4
    a = 5
def calibrate():
    global traced, tracing, last
    traced = blank.__code__
    for _ in range(200):
        sys.settrace(entered)
        blank()
        sys.settrace(None)
    tracing, traced, last = sum(lines.values()) / 1000, None, None
    lines.clear()
def watch(frame):
    global traced, last
    last = None
    if traced is not None:
        traced = None
        # The program may have set its own since.
        if sys.gettrace() is entered:
            sys.settrace(None)
        return
    while frame is not None and not is_own(frame.f_code):
        frame = frame.f_back
    if frame is not None:
        traced, frame.f_trace = frame.f_code, timed
        sys.settrace(entered)
def is_own(code):
    return code.co_filename.startswith(ROOT) and "site-packages" not in code.co_filename
def seen(number, frame):
    global samples, ticks
    ticks += 1
    heed_tracer()
    if traced is not None:
        return watch(frame)
    parts = worked(frame)
    # A signal is seen at the end of a loop's turn: lines are timed instead, in one of four slices.
    if ticks % 4 == 0 and len(parts) == 1 and parts[0][0] is frame and sys.gettrace() is None:
        return watch(frame)
    samples += 1
    for frame, part in parts:
        count(frame, part)
def heed_tracer():
    if sys.gettrace() not in (None, entered) and TRACER not in notes:
        notes.append(TRACER)
def worked(frame):
    # A signal comes to the main thread, whichever took the time.
    global threads
    tops = sys._current_frames()
    tops[MAIN] = frame
    now = dict((one, clock_of(one)) for one in tops)
    # Numbers of threads are used again.
    took = dict((one, now[one] - threads[one] if 0 < threads.get(one, 0) <= now[one] else now[one]) for one in tops)
    threads, total = now, sum(took.values())
    return [(tops[one], took[one] / total) for one in tops if took[one]] if total else [(frame, 1)]
def clock_of(thread):
    # macOS has none, nor has a thread that is about to end: all counts for the main thread, or for the others.
    try:
        return time.clock_gettime(time.pthread_getcpuclockid(thread))
    except (AttributeError, OSError):
        return 0
def count(frame, part):
    keys = set()
    while frame is not None:
        code = frame.f_code
        if is_own(code):
            key = (code.co_filename, code.co_firstlineno, getattr(code, "co_qualname", code.co_name))
            if not keys:
                own[key] += part
            keys.add(key)
        frame = frame.f_back
    for key in keys:
        whole[key] += part
def changed(of_file, of_times):
    # What is compiled and kept beside a file is of the file, so a replaced one has no time that could match.
    def get_data(self, path):
        return CHANGED[path].encode() if path in CHANGED else of_file(self, path)
    def path_stats(self, path):
        if path in CHANGED:
            raise OSError
        return of_times(self, path)
    SourceFileLoader.get_data, SourceFileLoader.path_stats = get_data, path_stats
def script():
    sys.path.insert(0, os.path.dirname(NAME))
    sys.argv[0] = NAME
    if NAME not in CHANGED:
        return runpy.run_path(NAME, run_name="__main__")
    sys.modules["__main__"] = main = types.ModuleType("__main__")
    main.__file__ = NAME
    exec(compile(CHANGED[NAME], NAME, "exec"), main.__dict__)
def is_plain(value):
    if type(value) is dict:
        return all(is_plain(part) for pair in value.items() for part in pair)
    if type(value) in (list, tuple, set):
        return all(map(is_plain, value)) and (type(value) is not set or bool(value))
    return type(value) in PLAIN and (type(value) is not float or value - value == 0)
def record(frame, event, arg):
    global noted
    code = frame.f_code
    if event != "call" or (code.co_filename, code.co_firstlineno, code.co_name) != RECORDED or noted > 2_000_000:
        return
    try:
        counts = code.co_argcount, code.co_argcount + code.co_kwonlyargcount
        names = code.co_varnames[: counts[1] + bool(code.co_flags & 4) + bool(code.co_flags & 8)]
        values = [frame.f_locals[name] for name in names]
        if not is_plain(values):
            return
        given = [repr(value) for value in values[: counts[0]]]
        if code.co_flags & 4:
            given += map(repr, values[counts[1]])
        more = dict(zip(names[counts[0] : counts[1]], values[counts[0] :]))
        more.update(values[-1] if code.co_flags & 8 else ())
        given += [name + "=" + repr(value) for name, value in more.items()]
    except (KeyError, RecursionError):
        return
    text = code.co_name + "(" + ", ".join(given) + ")"
    if len(text) <= 20_000 and text not in calls:
        calls[text] = None
        noted += len(text)
def spent(clock=getrusage):
    usages = clock(RUSAGE_SELF), clock(RUSAGE_CHILDREN)
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
def kept():
    # What is printed goes into a file: a program that prints much is run all the same.
    sys.stdout.flush()
    stdout, file = os.dup(1), tempfile.TemporaryFile()
    os.dup2(file.fileno(), 1)
    return stdout, file
def shown(stdout, file):
    # The program may have closed it, or put something else in its place.
    try:
        sys.stdout.flush()
    except (AttributeError, ValueError, OSError):
        pass
    os.dup2(stdout, 1)
    file.seek(0)
    first, digest = file.read(MOST), hashlib.sha256()
    part = first
    while part:
        digest.update(part)
        part = file.read(1 << 20)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)
    sys.stdout.write(first.decode("utf-8", "replace"))
    return digest.hexdigest()
def work():
    if KIND == "pytest":
        import pytest
        pytest.main([NAME, *sys.argv[1:], "-q", "-p", "no:cacheprovider"])
    elif KIND == "module":
        runpy.run_module(NAME, run_name="__main__", alter_sys=True)
    else:
        script()
sys.dont_write_bytecode = True
os.chdir(ROOT)
if CHANGED:
    changed(SourceFileLoader.get_data, SourceFileLoader.path_stats)
signal.signal(signal.SIGALRM, stop)
signal.setitimer(signal.ITIMER_REAL, WALL)
if RECORDED:
    threading.setprofile(record)
    sys.setprofile(record)
if SAMPLED:
    calibrate()
    signal.signal(signal.SIGPROF, seen)
    signal.setitimer(signal.ITIMER_PROF, 0.002, 0.002)
begun, cpu, ended, printed = time.perf_counter(), spent(), "", kept()
try:
    work()
except Stop:
    ended = STOPPED
except SystemExit as leaving:
    ended = "" if not leaving.code else "it ended with exit code " + str(leaving.code)
except BaseException as error:
    ended = "it raised " + type(error).__name__ + ": " + str(error)[:300]
finally:
    heed_tracer()
    if SAMPLED and (not signal.getitimer(signal.ITIMER_PROF)[1] or signal.getsignal(signal.SIGPROF) is not seen):
        notes.append(TIMER)
    if RECORDED and sys.getprofile() is not record:
        notes.append(PROFILER)
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    sys.settrace(None)
    sys.setprofile(None)
    threading.setprofile(None)
wall_s, cpu_s = time.perf_counter() - begun, spent() - cpu
told = dict(
    printed=shown(*printed),
    calls=list(calls), notes=notes,
    ended=ended, samples=samples, wall_s=wall_s, cpu_s=cpu_s,
    lines=[[*key, count] for key, count in lines.most_common(30)],
    functions=[[*key, count, own[key]] for key, count in whole.most_common(60)],
)
sys.stdout.write(MARK + json.dumps(told))
sys.stdout.flush()
"""


class Ran(NamedTuple):
    """A program that was run."""

    told: dict[str, Any]
    """What the script says; it runs beside the program, so no verdict rests on it."""
    printed: str
    """The beginning of it."""

    @property
    def outcome(self) -> tuple[str, str]:
        """What it printed, as a digest, and how it ended where not by itself: of two runs alike these are equal."""
        return self.told["printed"], self.told["ended"]


async def run_program(
    session: Session,
    root: Path,
    program: ProgramCommand,
    *,
    wall_s: float,
    sampled: bool = False,
    changed: Mapping[str, str] | None = None,
    recorded: tuple[str, int, str] | None = None,
) -> Ran:
    """Run a program of a workspace in the sandbox.

    Args:
        session: whose sandbox and settings.
        root: the workspace.
        program: what is run.
        wall_s: after so many seconds it is stopped; what it did until then is told.
        sampled: whether to look every 2 ms of processor time at where its threads are.
        changed: what files hold in its eyes, by absolute path.
        recorded: file, first line and name of a function whose calls are told as Python writes them.

    Raises:
        InputError: it did not come to its end (code `not_run`).
        SandboxError: the sandbox failed.
    """
    settings = await anyio.to_thread.run_sync(session.settings_here)
    mark = secrets.token_hex(8)
    config = (f"{root}/", mark, program.kind, program.name, wall_s, sampled, dict(changed or {}), recorded)
    wall = wall_s + _AROUND_S
    output = max(settings.limits.output_bytes, _MOST_TOLD)
    limits = replace(settings.limits, wall_s=wall, cpu_s=wall, output_bytes=output)
    script = _SCRIPT.format(settings=(*config, _MOST_KEPT, STOPPED, TRACER, TIMER, PROFILER))
    done = await session.run_code(script, argv=program.argv, workspace=True, limits=limits)
    run = done.scripts[0]
    printed, found, told = run.stdout.rpartition(mark)
    if not found:
        why = "it ended before anything was seen" if run.ending is None else render_outcome(run.ending)
        message = f"{program.name} was not run: {why}. {visible(run.stderr[-_LONGEST_OUTPUT:])}".strip()
        raise InputError(message, code="not_run")
    return Ran(json.loads(told), printed)
