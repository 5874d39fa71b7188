"""Runs the installed program as a person would, in a workspace and a home of its own."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import anyio
import msgspec

from codeens_server.domain.document import RunDocument
from tests.quick import HARDLY_TIMED, QUICK

SHOP = Path(__file__).parents[2] / "examples" / "shop"
TARGET = "orders.py::repeat_customers"
GONE_S = 100.0
KEEP = ("PATH", "LANG", "CODEENS_DATA")


class Workspace(NamedTuple):
    """A copy of the example, and where its runs are kept."""

    folder: Path
    home: Path
    settings: Mapping[str, str] = QUICK
    """Variables for it."""
    program: Sequence[str] = (str(Path(sys.executable).parent / "codeens"),)
    """How `codeens` is started."""

    def environment(self) -> dict[str, str]:
        """No key of the caller's, no setting, no cache: as on a new machine."""
        kept = {name: os.environ[name] for name in KEEP if name in os.environ}
        return {**kept, **self.settings, "HOME": str(self.home), "LOOPBACK_KEY": "sk-loopback-secret"}

    def configure(self, settings: str) -> None:
        """Write the user's settings file."""
        path = self.home / ".config" / "codeens" / "codeens.toml"
        path.parent.mkdir(parents=True)
        path.write_text(settings, encoding="utf-8")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `codeens` with its output piped."""
        return subprocess.Popen(
            [*self.program, *arguments],
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def codeens(self, *arguments: str, timeout: float = 240) -> subprocess.CompletedProcess[str]:
        """Run `codeens` to its end."""
        with self.start(*arguments) as process:
            try:
                out, err = process.communicate(timeout=timeout)
            finally:
                process.kill()
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def document(self, *arguments: str) -> RunDocument:
        """Run with `--json`, and read the one document that it prints."""
        done = self.codeens(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return msgspec.json.decode(done.stdout.encode(), type=RunDocument)

    def files(self) -> dict[str, bytes]:
        """Every file of the workspace."""
        return {str(p.relative_to(self.folder)): p.read_bytes() for p in self.folder.rglob("*") if p.is_file()}


def make_workspace(tmp_path: Path) -> Workspace:
    """A copy of the example workspace in a new folder."""
    folder, home = tmp_path / "shop", tmp_path / "home"
    shutil.copytree(SHOP, folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    home.mkdir()
    return Workspace(folder, home)


def empty_workspace(tmp_path: Path) -> Workspace:
    """A new workspace without any file of code, in which runs say nothing of speed."""
    program = (*HARDLY_TIMED, "codeens")
    workspace = Workspace(tmp_path / "project", tmp_path / "home", program=program)
    workspace.folder.mkdir()
    workspace.home.mkdir()
    (workspace.folder / "pyproject.toml").write_text("", encoding="utf-8")
    return workspace


class Process(NamedTuple):
    """A process, told apart from a later one with the same number by its start time."""

    pid: int
    started: str


def descendants(root: int) -> set[Process]:
    """All processes below a process."""
    parents = dict(_table())
    found: set[Process] = set()
    pending = [root]
    while pending:
        above = pending.pop()
        below = [process for process, parent in parents.items() if parent == above]
        found.update(below)
        pending += [process.pid for process in below]
    return found


async def until_begun(root: int, before: Collection[Process] = ()) -> set[Process]:
    """Wait until there are processes below a process that were not there before; those."""
    while not (found := descendants(root).difference(before)):  # noqa: ASYNC110  # the kernel tells nobody
        await anyio.sleep(0.01)
    return found


def alive(processes: set[Process]) -> set[Process]:
    """Those that still run; ended ones that nobody has waited for do not count."""
    return {process for process in processes if any(row[0] == process for row in _row(process.pid))}


def until_gone(processes: set[Process]) -> None:
    """Wait until none of them runs."""
    deadline = time.monotonic() + GONE_S
    for process in alive(processes):
        _wait_for(process, deadline - time.monotonic())
    left = alive(processes)
    assert not left, f"still there: {left}"


def _wait_for(process: Process, seconds: float) -> None:
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    try:
        select.select([descriptor], [], [], max(0, seconds))
    finally:
        os.close(descriptor)


def _table() -> Sequence[tuple[Process, int]]:
    return [row for name in os.listdir("/proc") if name.isdigit() for row in _row(int(name))]  # noqa: PTH208  # is quick


def _row(pid: int) -> Sequence[tuple[Process, int]]:
    """The process of a number and its parent's; nothing when none runs."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:  # noqa: PTH123  # is quick
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return []
    return [] if fields[0] in {b"Z", b"X"} else [(Process(pid, fields[19].decode()), int(fields[1]))]
