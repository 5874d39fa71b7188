"""Bounds the memory of a worker's processes together, where there are no control groups to do so."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

_PERIOD_S = 0.05
_SLACK_BYTES = 64 << 20
"""For interpreters, and for what one process, which has its own bound, may take before the others count."""
_PAGE = os.sysconf("SC_PAGE_SIZE")


class MemoryGuard:
    """Looks at a process and all below it, in a thread, until stopped; calls `end` once when they hold too much.

    Memory that grows faster than it is looked at is over the bound for a moment.
    """

    def __init__(self, pid: int, bound: int, end: Callable[[], None]) -> None:
        self.exceeded = False
        self._pid = pid
        self._bound = bound + _SLACK_BYTES
        self._end = end
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="codeens memory watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more; returns when the thread has ended."""
        self._over.set()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_PERIOD_S):
            family = list(family_of(self._pid))
            if sum(map(_resident, family)) > self._bound and sum(map(_share, family)) > self._bound:
                self.exceeded = True
                self._end()
                return


def family_of(pid: int) -> Iterator[int]:
    """Yield a process and all below it."""
    yield pid
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in _text(thread).split():
            yield from family_of(int(child))


def _resident(pid: int) -> int:
    """Return bytes in memory; shared ones count for each process. Cheap."""
    fields = _text(Path(f"/proc/{pid}/statm")).split()
    return int(fields[1]) * _PAGE if len(fields) > 1 else 0


def _share(pid: int) -> int:
    """Return bytes in memory; shared ones are divided by the number of processes."""
    for line in _text(Path(f"/proc/{pid}/smaps_rollup")).splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError:  # it ended meanwhile
        return ""
