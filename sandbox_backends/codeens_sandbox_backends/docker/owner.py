"""Who a container belongs to, and the removal of containers whose owner is gone.

The owner removes its containers itself, and they end with it by themselves; what is left is what a daemon kept that was
stopped at the wrong moment.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from codeens_sandbox_backends.docker.engine import Engine
from codeens_sandbox_backends.errors import SandboxBroken

SANDBOX_LABEL = "codeens.sandbox"
OWNER_LABEL = "codeens.owner"
_START_TIME_AT = 19
"""Index of the start time in /proc/PID/stat, counted after the name."""


def owner() -> str:
    """This process, as no other one was or will be called: boot, process namespace, number, start time."""
    return f"{_boot()} {_namespace()} {os.getpid()} {_start_time(os.getpid())}"


def remove_orphans(engine: Engine) -> None:
    """Remove containers of codeens processes that are gone; containers of others, and of living ones, stay."""
    for container in engine.listed(OWNER_LABEL):
        if _is_orphan(container.labels[OWNER_LABEL], running=container.running):
            with suppress(SandboxBroken):  # tried again by the next one
                engine.remove(container.id)


def _is_orphan(label: str, *, running: bool) -> bool:
    """Whether its owner is known to be gone. Of what is out of sight from here only what has ended is an orphan."""
    match label.split():
        case [boot, namespace, pid, start] if pid.isdecimal():
            if (boot, namespace) == (_boot(), _namespace()):
                return _start_time(int(pid)) != start
            return boot != _boot() and not running
        case _:
            return False


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
