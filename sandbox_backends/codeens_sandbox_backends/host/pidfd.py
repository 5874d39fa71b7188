"""Processes by descriptor: a number can be taken over by another process, a descriptor cannot."""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import ExitStack
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


def parent_of(pid: int) -> int:
    """Return the number of the parent process, as this process sees it."""
    return int(_stat(pid)[1])


_WHOLE_PROCESS = 2
"""The kind of clock in the low bits of a process's CPU clock (kernel: CPUCLOCK_SCHED, posix-timers.h)."""


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the name, which may hold anything."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    return text.rpartition(")")[2].split()
