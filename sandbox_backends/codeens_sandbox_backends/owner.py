"""Which process something belongs to that outlives processes: a container, or a sandbox of a service."""

from __future__ import annotations

import os
import socket
import uuid
from pathlib import Path
from typing import Literal, TypeAlias

Whereabouts: TypeAlias = Literal["alive", "gone", "another boot", "out of sight"]
_START_TIME_AT = 19
"""Index of the start time in /proc/PID/stat, counted after the name."""
_UNKNOWN = uuid.uuid4().hex
"""What stands for this process where there is no /proc: nobody else can tell whether it lives."""


def owner() -> str:
    """This process, as no other one was or will be called: boot, process namespace, number, start time."""
    if not Path("/proc/self/stat").exists():
        return f"{socket.gethostname()} {_UNKNOWN}"
    return f"{_boot()} {_namespace()} {os.getpid()} {_start_time(os.getpid())}"


def whereabouts(label: str) -> Whereabouts:
    """Return what can be told from here of the process that `owner` gave this name."""
    match label.split():
        case [boot, namespace, pid, start] if pid.isdecimal() and Path("/proc/self/stat").exists():
            if boot != _boot():
                return "another boot"
            if namespace != _namespace():
                return "out of sight"
            return "alive" if _start_time(int(pid)) == start else "gone"
        case _:
            return "out of sight"


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _namespace() -> str:
    return str(Path("/proc/self/ns/pid").readlink())


def _start_time(pid: int) -> str | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()[_START_TIME_AT]
