"""Control groups: bounds on the memory and the processes of a worker as a whole, where this user may make groups.

Version 1 groups are made below our own; version 2 groups beside our own, since a group with processes in it cannot
hand controllers down (kernel documentation: cgroup-v1/memory.rst, cgroup-v2.rst).
"""

from __future__ import annotations

import functools
import itertools
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from codeens_sandbox_backends.jobs import Limits

_NAME = "codeens-"
_numbers = itertools.count()
_UNSEEN = 0
"""What stands for a process of a namespace that cannot be seen from here."""
_REMOVE_TRIES = 50
_REMOVE_PAUSE_S = 0.01


class Cgroup:
    """The groups of one worker: one folder, or one for each controller."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)

    def add(self, pid: int) -> bool:
        """Move a process in; its future children are born inside. False when this user may not.

        Raises:
            ProcessLookupError: there is no such process.
        """
        try:
            for folder in self._folders:
                (folder / "cgroup.procs").write_text(str(pid), encoding="utf-8")
        except ProcessLookupError:
            raise
        except OSError:
            return False
        return True

    def out_of_memory(self) -> bool:
        """Return whether the kernel killed a process because the group was at its bound."""
        return any(
            line.startswith("oom_kill ") and not line.endswith(" 0")
            for folder in self._folders
            for name in ("memory.oom_control", "memory.events")
            for line in _lines(folder / name)
        )

    def kill(self) -> None:
        """SIGKILL every process in the group."""
        for pid in {int(line) for folder in self._folders for line in _lines(folder / "cgroup.procs")} - {_UNSEEN}:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def remove(self) -> None:
        """Remove the folders; what is still in them is killed first."""
        for folder in self._folders:
            for _ in range(_REMOVE_TRIES):
                try:
                    folder.rmdir()
                except FileNotFoundError:
                    break
                except OSError:
                    self.kill()
                    time.sleep(_REMOVE_PAUSE_S)
                else:
                    break


class CpuGroup:
    """A group, below the one that a process was in, that counts the processor time of it and of all its children."""

    def __init__(self, folder: Path) -> None:
        self._group = Cgroup([folder])
        self._nanoseconds = folder / "cpuacct.usage"
        self._statistics = folder / "cpu.stat"
        self._first_version = self._nanoseconds.exists()

    def usage_s(self) -> float:
        """Return the seconds used since the group was made.

        Raises:
            OSError: it is not there any more.
        """
        if self._first_version:
            return int(self._nanoseconds.read_text(encoding="ascii")) * 1e-9
        return int(self._statistics.read_text(encoding="ascii").split()[1]) * 1e-6

    def remove(self) -> None:
        """Remove it; what is still in it is killed first."""
        self._group.remove()


def make_cpu_group(pid: int) -> CpuGroup | None:
    """Move a process into a fresh group of that kind; None where this user cannot."""
    for parent in _counting(pid):
        folder = parent / f"{_NAME}{os.getpid()}-{next(_numbers)}"
        try:
            folder.mkdir()
        except OSError:
            continue
        if Cgroup([folder]).add(pid):
            return CpuGroup(folder)
        folder.rmdir()
    return None


def _counting(pid: int) -> list[Path]:
    """Return the folders of the groups of a process that count processor time."""
    mounts = [line.split() for line in _lines(Path("/proc/self/mountinfo"))]
    found: list[Path] = []
    for line in _lines(Path(f"/proc/{pid}/cgroup")):
        _, controllers, path = line.split(":", 2)
        for mount in mounts:
            kind, options = mount[mount.index("-") + 1], mount[-1].split(",")
            counts = "cpuacct" in controllers.split(",") and "cpuacct" in options if controllers else kind == "cgroup2"
            if counts and kind.startswith("cgroup"):
                found.append(_below(mount[4], mount[3], path))
    return found


def make_cgroup(limits: Limits) -> Cgroup | None:
    """Return a fresh group with the bounds of `limits`; None where groups cannot be made."""
    made: list[Path] = []
    name = f"{_NAME}{os.getpid()}-{next(_numbers)}"
    for parent, files in _places():
        folder = parent / name
        try:
            folder.mkdir()
        except OSError:
            continue
        made.append(folder)
        if not _bound(folder, files, limits):
            made.pop()
            folder.rmdir()
    return Cgroup(made) if made else None


_V1_FILES = {"memory": ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes"), "pids": ("pids.max",)}
_V2_FILES = ("memory.max", "memory.swap.max", "pids.max")
_OPTIONAL = ("memory.memsw.limit_in_bytes", "memory.swap.max")
"""Absent where the kernel does not account for swap."""


def _bound(folder: Path, files: Sequence[str], limits: Limits) -> bool:
    """Write the bounds; False when a needed one is not there."""
    for name in files:
        value = limits.processes if name == "pids.max" else limits.memory_bytes
        if name == "memory.swap.max":
            value = 0
        try:
            (folder / name).write_text(str(value), encoding="utf-8")
        except OSError:
            if name not in _OPTIONAL:
                return False
    return True


@functools.cache
def _places() -> tuple[tuple[Path, Sequence[str]], ...]:
    """Return the folders in which groups may be made, and the files that hold the bounds there."""
    own = [line.split(":", 2) for line in _lines(Path("/proc/self/cgroup"))]
    mounts = [line.split() for line in _lines(Path("/proc/self/mountinfo"))]
    first: list[tuple[Path, Sequence[str]]] = []
    second: list[tuple[Path, Sequence[str]]] = []
    for _, controllers, path in own:
        for mount in mounts:
            kind, options = mount[mount.index("-") + 1], mount[-1].split(",")
            place = _below(mount[4], mount[3], path)
            if kind == "cgroup2" and not controllers:
                second.append((place if str(place) == mount[4] else place.parent, _V2_FILES))
            elif kind == "cgroup" and controllers and set(controllers.split(",")) <= set(options):
                files = [file for name in controllers.split(",") for file in _V1_FILES.get(name, ())]
                first += [(place, files)] if files else []
    places = tuple(first or second)
    for parent, _ in places:
        _sweep(parent)
    return places


def _below(mount_point: str, mount_root: str, path: str) -> Path:
    """Where a group's path is in the file system; in a container the mount shows only a part of the tree."""
    inside = os.path.relpath(path, mount_root)
    return Path(mount_point) if inside == "." or inside.startswith("..") else Path(mount_point, inside)


def _sweep(parent: Path) -> None:
    """Remove the groups that a killed codeens left behind. They are empty: its processes died with it."""
    for folder in parent.glob(f"{_NAME}*"):
        owner = folder.name.removeprefix(_NAME).partition("-")[0]
        if owner.isdecimal() and not Path("/proc", owner).exists():
            try:
                folder.rmdir()
            except OSError:
                continue


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
