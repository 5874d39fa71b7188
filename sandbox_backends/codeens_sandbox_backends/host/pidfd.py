"""Processes by descriptor: a number can be taken over by another process, a descriptor cannot."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple


class Consumed(NamedTuple):
    """What a process has used so far."""

    cpu_s: float | None = None
    """Its own seconds and those of children it has waited for."""
    peak_rss_bytes: int | None = None


class PidFd:
    """A process that is watched and can be killed. Close it when done."""

    def __init__(self, pid: int) -> None:
        """Raises `ProcessLookupError` when there is no such process."""
        self.pid = pid
        self._fd = os.pidfd_open(pid)

    def close(self) -> None:
        os.close(self._fd)

    def kill(self) -> None:
        """SIGKILL; nothing when it has ended."""
        try:
            signal.pidfd_send_signal(self._fd, signal.SIGKILL)
        except ProcessLookupError:
            return

    def ended(self, timeout: float) -> bool:
        """Wait `timeout` seconds for its end, and with it for the end of a process namespace that it is the root of."""
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        return bool(poll.poll(timeout * 1000))

    def consumed(self) -> Consumed:
        """Read from the kernel while the process is there; empty when it has ended."""
        try:
            own_s = time.clock_gettime(~self.pid << 3 | _WHOLE_PROCESS)
            children_ticks = sum(int(number) for number in _stat(self.pid)[13:15])
            status = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return Consumed()
        if self.ended(0):  # what was read may be of another process with the same number
            return Consumed()
        peak = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), None)
        return Consumed(own_s + children_ticks / os.sysconf("SC_CLK_TCK"), None if peak is None else peak * 1024)


class Watched(NamedTuple):
    """The processes that tell how a worker is."""

    outer: PidFd
    """What was started: the worker itself, or what it is wrapped in."""
    root: PidFd
    """Its end is the end of all others."""
    worker: PidFd

    def close(self) -> None:
        for process in self:
            process.close()


def watch(outer: int, root: int, worker: int) -> Watched:
    """Raises `ProcessLookupError` when one of them is gone."""
    with ExitStack() as opened:
        found: list[PidFd] = []
        for pid in (outer, root, worker):
            found.append(PidFd(pid))
            opened.callback(found[-1].close)
        opened.pop_all()
    return Watched(*found)


class Scheduling(NamedTuple):
    """How a thread has fared with the scheduler."""

    starved_s: float = 0.0
    """Seconds in which it could have run and no processor was free."""
    ran_s: float = 0.0


def turns_of(pid: int) -> Scheduling:
    """Return the turns of that thread of a process that waited longest; none where nobody tells.

    Kernel documentation: scheduler/sched-stats.rst, /proc/PID/schedstat.
    """
    folder = f"/proc/{pid}"
    try:
        if os.stat(f"{folder}/task").st_nlink > _OF_ONE_THREAD:  # noqa: PTH116  # quicker, and asked for each check
            return max(_turns_in(task.path) for task in os.scandir(f"{folder}/task"))
        return _turns_in(folder)
    except (OSError, IndexError, ValueError):
        return Scheduling()


def own_starved_s() -> float:
    """Return the seconds in which the calling thread could have run and no processor was free."""
    try:
        return _turns(os.pread(_own.schedule.descriptor, 100, 0)).starved_s
    except (OSError, IndexError, ValueError):
        return 0.0


class _OwnSchedule:
    """The schedule of the thread that makes this, kept open: to open it takes ten times as long as to read it."""

    def __init__(self) -> None:
        self.descriptor = -1
        with suppress(OSError):
            self.descriptor = os.open("/proc/thread-self/schedstat", os.O_RDONLY)

    def __del__(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)


class _Own(threading.local):
    def __init__(self) -> None:
        self.schedule = _OwnSchedule()


_own = _Own()


def _turns_in(folder: str) -> Scheduling:
    file = os.open(f"{folder}/schedstat", os.O_RDONLY)
    try:
        return _turns(os.read(file, 100))
    finally:
        os.close(file)


def _turns(schedule: bytes) -> Scheduling:
    ran, waited = schedule.split()[:2]
    return Scheduling(int(waited) / 1e9, int(ran) / 1e9)


def children_of(pid: int) -> list[int]:
    """Return the numbers of the processes that this one has started and that live."""
    found: list[int] = []
    for name in os.listdir("/proc"):  # noqa: PTH208  # quicker: there may be thousands, and it is asked while code runs
        with suppress(OSError):
            if name.isdecimal() and parent_of(int(name)) == pid:
                found.append(int(name))
    return found


def parent_of(pid: int) -> int:
    """Return the number of the parent process, as this process sees it."""
    return int(_stat(pid)[1])


_OF_ONE_THREAD = 3
"""Links of /proc/PID/task: those that every folder has, and one for each thread."""
_WHOLE_PROCESS = 2
"""The kind of clock in the low bits of a process's CPU clock (kernel: CPUCLOCK_SCHED, posix-timers.h)."""


def _stat(pid: int) -> list[bytes]:
    """Return the fields of /proc/PID/stat after the name, which may hold anything."""
    with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:  # noqa: PTH123  # likewise
        return file.read().rpartition(b")")[2].split()
