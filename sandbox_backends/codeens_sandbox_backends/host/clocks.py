"""Clocks of other processes, read from outside: what runs in them can neither set nor stop these."""

from __future__ import annotations

import time
from pathlib import Path

from codeens_sandbox_backends.driver.launcher import Instant
from codeens_sandbox_backends.host.cgroups import CpuGroup, make_cpu_group

_WHOLE_PROCESS = 2
"""The kind of clock in the low bits of a process's CPU clock (kernel: CPUCLOCK_SCHED, posix-timers.h)."""
_NANO = 1e-9


class HostClocks:
    """The clocks of one side: of whichever process of it answers, and of its control group where it can have one."""

    def __init__(self, pid: int) -> None:
        """`pid`: of the side's first process, which has made no other yet."""
        self._group: CpuGroup | None = make_cpu_group(pid)

    def read(self, pid: int) -> Instant:
        """Read the clocks of a process; see `driver.launcher.SideClocks`."""
        group = self._group.usage_s() if self._group else None
        cpu_s = time.clock_gettime_ns(~pid << 3 | _WHOLE_PROCESS) * _NANO
        return Instant(cpu_s, _delay_s(Path(f"/proc/{pid}/schedstat")), group)

    def close(self) -> None:
        """Remove the group, which is empty."""
        if self._group:
            self._group.remove()


def _delay_s(schedstat: Path) -> float:
    """Return how long a process has waited for a processor; 0.0 where the kernel does not count it."""
    try:
        return int(schedstat.read_text(encoding="ascii").split()[1]) * _NANO
    except FileNotFoundError:
        return 0.0
