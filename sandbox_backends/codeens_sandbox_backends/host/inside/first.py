"""What the first process of a namespace does for its worker: limits before it starts, and its end told afterwards."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def die_first() -> None:
    """Have the kernel end this process when memory is short, and not the one that reports."""
    Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def set_limits(rlimits: Sequence[tuple[str, int, int]]) -> None:
    """Bound this process, within what it is bounded by already."""
    for name, soft, hard in rlimits:
        number: int = getattr(resource, name)
        most = resource.getrlimit(number)[1]
        bounds = (soft, hard) if most == resource.RLIM_INFINITY else (min(soft, most), min(hard, most))
        resource.setrlimit(number, bounds)


def kill_all() -> None:
    """End every other process of this namespace."""
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        return


def await_end(worker: int) -> dict[str, Any]:
    """Wait for the worker, end what it left behind, and tell how it ended."""
    while True:
        pid, status, usage = os.wait4(-1, 0)
        if pid == worker:
            break
    kill_all()
    try:
        while True:
            os.wait4(-1, 0)
    except ChildProcessError:  # no process is left: orphans are children of the first one
        return {
            "status": status,
            "cpu_s": usage.ru_utime + usage.ru_stime,
            "peak_rss_bytes": usage.ru_maxrss * 1024,
        }
