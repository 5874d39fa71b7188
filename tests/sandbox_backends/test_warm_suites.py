"""Suites on forks of a process that has imported pytest: they see the candidate, and leave nothing to the next."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from codeens_sandbox_backends.base import Sandbox, SandboxSpec
from codeens_sandbox_backends.host.process import LocalProcess
from codeens_sandbox_backends.jobs import Limits, SuiteJob, SuiteResult
from codeens_sandbox_backends.local import bwrap
from codeens_sandbox_backends.local.backend import LocalBackend
from codeens_sandbox_backends.local.bwrap import BwrapLauncher
from codeens_sandbox_backends.programs import ModuleSource, Program
from tests.hardly_timed import WITHOUT_PLUGINS
from tests.sandbox_backends.warm import MARKS, Launches

pytestmark = MARKS
RIGHT = "def f(n):\n    return n + 1\n"


class Workspace:
    """A module `mod` with its tests, in an open sandbox."""

    def __init__(self, root: Path, sandbox: Sandbox) -> None:
        self.root = root
        self._sandbox = sandbox

    async def run(self, source: str, *, fresh: bool = False, record: bool = False) -> SuiteResult:
        modules = (ModuleSource(name="mod", source=source, path=str(self.root / "mod.py")),)
        program = Program(module="mod", qualname="f", modules=modules, sys_path=(str(self.root),))
        return await self._sandbox.run(
            SuiteJob(
                kind="pytest",
                root=str(self.root),
                program=program,
                selection=("test_mod.py",),
                fresh=fresh,
                record=record,
            )
        )

    async def outcomes(self, source: str) -> dict[str, str]:
        result = await self.run(source)
        assert result.failure is None, result.failure
        return {test.id.partition("::")[2]: test.outcome for test in result.tests}


@asynccontextmanager
async def workspace(root: Path, tests: str, **files: str) -> AsyncGenerator[Workspace]:
    (root / "mod.py").write_text(RIGHT, encoding="utf-8")
    (root / "test_mod.py").write_text(tests, encoding="utf-8")
    for name, text in files.items():
        (root / name.replace("__", ".")).write_text(text, encoding="utf-8")
    sandbox = await LocalBackend().open(SandboxSpec(python=sys.executable, readable=(str(root),)))
    try:
        yield Workspace(root, sandbox)
    finally:
        await sandbox.aclose()


async def test_each_suite_sees_its_own_candidate_in_the_module_and_in_what_imports_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launches = Launches(monkeypatch)
    tests = """
import other
from mod import f
def test_here(): assert f(1) == 2
def test_there(): assert other.g(1) == 2
"""
    async with workspace(tmp_path, tests, other__py="from mod import f as g\n") as opened:
        assert await opened.outcomes(RIGHT) == {"test_here": "passed", "test_there": "passed"}
        assert await opened.outcomes(RIGHT.replace("1", "2")) == {"test_here": "failed", "test_there": "failed"}
        assert await opened.outcomes(RIGHT) == {"test_here": "passed", "test_there": "passed"}
    assert "suite" not in launches.cold


async def test_files_and_processes_of_a_suite_are_gone_before_the_next(tmp_path: Path) -> None:
    tests = """
import os, pathlib, subprocess, sys, tempfile
from mod import f
def test_alone():
    assert f(1) == 2
    assert sorted(os.listdir(tempfile.gettempdir())) == PLACES, "files"
    assert not os.listdir("/dev/shm")
    assert len([name for name in os.listdir("/proc") if name.isdecimal()]) <= 4, "processes"
    pathlib.Path(tempfile.gettempdir(), "left").mkdir()
    pathlib.Path(tempfile.gettempdir(), "left", "deep").write_text("x")
    pathlib.Path("/dev/shm/left").write_text("x")
    for _ in range(3):
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"], start_new_session=True)
"""
    # What is shown inside of this machine's own /tmp is there, too: the workspace, and an interpreter that lies there.
    shown = [tmp_path, Path(sys.prefix), Path(sys.base_prefix)]
    places = sorted({path.relative_to("/tmp").parts[0] for path in shown if path.is_relative_to("/tmp")})
    async with workspace(tmp_path, f"PLACES = {places!r}\n{tests}") as opened:
        for _ in range(3):
            assert await opened.outcomes(RIGHT) == {"test_alone": "passed"}


async def test_a_suite_cannot_look_into_the_process_it_comes_from(tmp_path: Path) -> None:
    tests = """
import os, pytest
from mod import f
@pytest.mark.parametrize("name", ["mem", "environ", "maps"])
def test_closed(name):
    f(1)
    open(f"/proc/{os.getpid()}/{name}", "rb").close()
    with pytest.raises(PermissionError):
        open(f"/proc/{os.getppid()}/{name}", "r+b" if name == "mem" else "rb")
"""
    async with workspace(tmp_path, tests) as opened:
        assert set((await opened.outcomes(RIGHT)).values()) == {"passed"}


async def test_a_suite_that_ends_the_process_it_comes_from_is_run_elsewhere(tmp_path: Path) -> None:
    tests = """
import os
from mod import f
def test_kill():
    assert f(1) == 2
    if os.getppid() != 1:
        os.kill(os.getppid(), 9)
"""
    async with workspace(tmp_path, tests) as opened:
        assert await opened.outcomes(RIGHT) == {"test_kill": "passed"}


async def test_a_project_that_takes_warnings_for_errors_is_run_as_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launches = Launches(monkeypatch)
    # The option is one of a plugin, as projects have them.
    monkeypatch.delitem(bwrap.ENVIRONMENT, WITHOUT_PLUGINS[0])
    ini = "[pytest]\nfilterwarnings = error\nasyncio_default_fixture_loop_scope = function\n"
    async with workspace(tmp_path, "from mod import f\ndef test_a(): assert f(1) == 2\n", pytest__ini=ini) as opened:
        assert await opened.outcomes(RIGHT) == {"test_a": "passed"}
    assert "suite" not in launches.cold


async def test_packages_that_tests_are_known_to_import_are_there_before_the_fork(tmp_path: Path) -> None:
    tests = "import sys\nhere = set(sys.modules)\nimport msgspec, mod\ndef test_a(): assert mod.f('msgspec' in here)\n"
    source = "def f(known):\n    return known\n"
    async with workspace(tmp_path, tests) as opened:
        recorded = await opened.run(source, record=True)
        assert "msgspec" in recorded.modules
        assert "mod" not in recorded.modules
        assert (await opened.run(source)).tests[0].outcome == "passed"
        assert (await opened.run(source, fresh=True)).tests[0].outcome == "failed"


async def test_packages_that_later_tests_import_are_there_before_the_next_fork(tmp_path: Path) -> None:
    tests = "import sys\nhere = set(sys.modules)\nimport {0}, mod\ndef test_a(): assert mod.f({0!r} in here)\n"
    source = "def f(known):\n    return known\n"
    async with workspace(tmp_path, tests.format("msgspec")) as opened:
        await opened.run(source, record=True)
        assert (await opened.run(source)).tests[0].outcome == "passed"
        (tmp_path / "test_mod.py").write_text(tests.format("httpx"), encoding="utf-8")
        assert (await opened.run(source)).tests[0].outcome == "failed"
        await opened.run(source, record=True)
        assert (await opened.run(source)).tests[0].outcome == "passed"


async def test_pytest_is_imported_for_candidates_while_calls_of_the_original_are_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch, starts = BwrapLauncher.launch_suite_zygote, list[str]()

    def counted(launcher: BwrapLauncher, limits: Limits) -> LocalProcess:
        starts.append("suites")
        return launch(launcher, limits)

    monkeypatch.setattr(BwrapLauncher, "launch_suite_zygote", counted)
    async with workspace(tmp_path, "from mod import f\ndef test_a(): assert f(1) == 2\n") as opened:
        await opened.run(RIGHT, record=True)
        assert starts == ["suites"]
        assert await opened.outcomes(RIGHT) == {"test_a": "passed"}
    assert starts == ["suites"]
