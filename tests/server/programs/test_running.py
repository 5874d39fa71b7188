"""Programs that fail, print much, or watch themselves are run all the same, and what is known of them is told."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from codeens import Session
from codeens_server.config.settings import Settings
from codeens_server.programs.command import read_command
from codeens_server.programs.inside import PROFILER, TIMER, TRACER, Ran, run_program
from codeens_server.programs.profiling import Profile, profiled
from codeens_server.programs.recording import recorded_calls
from tests.sandbox_backends.machine import why_not

pytestmark = pytest.mark.skipif(why_not("local") != "", reason=f"no isolation here: {why_not('local')}")
APP = """\
import subprocess, sys

def drawn(width):
    return "x" * width

print(drawn(3_000_000))
subprocess.run([sys.executable, "-c", "print('a child')"], check=True)
raise ValueError("no input")
"""

WATCHED = """\
import signal, sys, threading, time

def busy(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass

def late():
    busy(0.01)

thread = threading.Thread(target=busy, args=(0.15,))
thread.start()
thread.join()
sys.settrace(lambda *_: None)
busy(0.05)
sys.settrace(None)
signal.signal(signal.SIGPROF, signal.SIG_IGN)
sys.setprofile(lambda *_: None)
late()
"""


def test_a_program_that_prints_much_and_fails_is_told_with_how_it_ended(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    path = tmp_path / "app.py"
    path.write_text(APP, encoding="utf-8")

    async def ran() -> tuple[Ran, Ran, str]:
        async with Session(tmp_path, settings=Settings(results=str(tmp_path / "results")), environ={}) as session:
            app = read_command("app.py", tmp_path)
            whole = await run_program(session, tmp_path, app, wall_s=60.0)
            changed = {str(path): APP.replace("a child", "A child")}
            other = await run_program(session, tmp_path, app, wall_s=60.0, changed=changed)
            gone = read_command("python -m nothere", tmp_path)
            recorded = await recorded_calls(session, tmp_path, gone, await session.target("app.py::drawn"))
        return whole, other, recorded.why

    whole, other, why = anyio.run(ran)

    assert whole.told["ended"] == "it raised ValueError: no input"
    assert whole.printed == other.printed == "x" * 100_000
    assert whole.outcome != other.outcome, "what is not kept is compared all the same"
    assert why == "the program did not come to its end: it raised ImportError: No module named nothere"


def test_work_in_threads_is_seen_and_a_program_that_watches_itself_is_told_with_what_is_not(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "app.py").write_text(WATCHED, encoding="utf-8")

    async def ran() -> tuple[Profile, str]:
        async with Session(tmp_path, settings=Settings(results=str(tmp_path / "results")), environ={}) as session:
            app = read_command("app.py", tmp_path)
            recorded = await recorded_calls(session, tmp_path, app, await session.target("app.py::late"))
            return await profiled(session, tmp_path, app), recorded.why

    profile, why = anyio.run(ran)

    assert [one.name for one in profile.functions] == ["busy"]
    assert profile.functions[0].own_share > 0.5, "the main thread only waited"
    assert profile.notes == tuple(f"the program is seen in part: {note}" for note in (TRACER, TIMER))
    assert why == PROFILER
