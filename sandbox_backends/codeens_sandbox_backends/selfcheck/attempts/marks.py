"""Locks and flags, which stay with an open file. It imports little, so that a warm worker can run it."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress

_FLAGS = os.O_APPEND | os.O_NONBLOCK
_ALONE = fcntl.LOCK_EX | fcntl.LOCK_NB


def mark(paths: list[str]) -> list[str]:
    """Lock files, and change the flags of what the process was given, so that whoever has them too would see it."""
    for number in range(3):
        with suppress(OSError):
            fcntl.fcntl(number, fcntl.F_SETFL, fcntl.fcntl(number, fcntl.F_GETFL) | _FLAGS)
        with suppress(OSError):
            fcntl.flock(number, _ALONE)
    for path in paths:
        with suppress(OSError):
            fcntl.flock(os.open(path, os.O_RDONLY), _ALONE)
    return []


def marked() -> list[str]:
    """Find flags that an earlier job left on what this process was given."""
    found = [number for number in range(3) if fcntl.fcntl(number, fcntl.F_GETFL) & _FLAGS == _FLAGS]
    return ["descriptor %d has the flags of an earlier job" % number for number in found]
