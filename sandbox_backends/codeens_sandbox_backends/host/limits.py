"""Limits as the resource limits of a process."""

from __future__ import annotations

import math
import os
import re
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from codeens_sandbox_backends.jobs import Limits

_OPEN_FILES = 256
_INIT = 1
"""The first process of a namespace is counted and is not the worker's."""
ADDRESS_SPACE_FACTOR = 4
"""Address space per byte of memory: libraries and thread arenas reserve far more than they touch."""


class Rlimit(NamedTuple):
    name: str
    soft: int
    hard: int


@lru_cache
def rlimits(limits: Limits, *, processes: int | None) -> tuple[Rlimit, ...]:
    """Return the limits a worker sets for itself before any foreign code; hard limits cannot be raised again.

    `processes` is the bound for all processes and threads that the kernel counts for this user, None for no bound.
    """
    cpu = max(1, math.ceil(limits.cpu_s))
    memory, disk = limits.memory_bytes, limits.disk_bytes
    chosen = [
        Rlimit("RLIMIT_CORE", 0, 0),
        Rlimit("RLIMIT_CPU", cpu, cpu + 1),
        Rlimit("RLIMIT_DATA", memory, memory),
        Rlimit("RLIMIT_AS", memory * ADDRESS_SPACE_FACTOR, memory * ADDRESS_SPACE_FACTOR),
        Rlimit("RLIMIT_FSIZE", disk, disk),
        Rlimit("RLIMIT_NOFILE", _OPEN_FILES, _OPEN_FILES),
    ]
    if processes is not None:
        chosen.append(Rlimit("RLIMIT_NPROC", processes, processes))
    return tuple(chosen)


def tasks_of_user(uid: int) -> int:
    """Count a user's processes and threads: RLIMIT_NPROC counts these where namespaces do not count apart."""
    count = 0
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdecimal() and folder.stat().st_uid == uid:
                count += sum(1 for _ in (folder / "task").iterdir())
        except OSError:  # it ended meanwhile
            continue
    return count


_NAMESPACES_COUNT_APART = (5, 14)
"""The Linux version since which RLIMIT_NPROC counts within a user namespace."""


def process_bound(limits: Limits, *, uid: int, own_namespace: bool) -> int:
    """RLIMIT_NPROC for a worker: its own bound, and what its user runs anyway where that is counted too."""
    apart = own_namespace and _linux_version() >= _NAMESPACES_COUNT_APART
    return limits.processes + (_INIT if apart else tasks_of_user(uid))


@cache
def _linux_version() -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", os.uname().release)[:2])
