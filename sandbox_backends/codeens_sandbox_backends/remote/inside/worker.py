"""The worker as the relay holds it: its first process, and the relay's end of what connects it."""

from __future__ import annotations

import os
import signal
import socket
import threading
from pathlib import Path
from typing import Any

from ...host.inside import kernel
from ...host.memory_watch import MemoryGuard
from .first import Ends, be_first

_FIRST_UID = 60000
_UIDS = 5000
_SPARE_PROCESSES = 2
"""In a user namespace the first process, and the relay, count as the worker's user."""


class ConfinedWorker:
    """A worker that was started. `stop` and `kill` may be called from any thread."""

    def __init__(self, order: dict[str, Any]) -> None:
        uid, flags = _user()
        self.channel, theirs = socket.socketpair()
        self.stdout, stdout = os.pipe()
        self.stderr, stderr = os.pipe()
        self.report, report = os.pipe()
        if flags & kernel.NEW_USERS:
            order["rlimits"] = _with_spare_processes(order["rlimits"])
        self.pid = _born(order, uid, flags, Ends(theirs.fileno(), stdout, stderr, report))
        theirs.close()
        for descriptor in (stdout, stderr, report):
            os.close(descriptor)
        self._lock = threading.Lock()
        self._gone = False
        self._memory = MemoryGuard(self.pid, order["memory_bytes"], self.stop)

    def stop(self) -> None:
        """Have the first process end all others, and tell what they used."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End every process of the worker, the first one too."""
        self._signal(signal.SIGKILL)

    def await_end(self) -> bool:
        """Wait until every process is gone: the first one goes last. Whether they were ended for their memory."""
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        self._memory.stop()
        with self._lock:
            self._gone = True
            os.waitpid(self.pid, 0)
        return self._memory.exceeded

    def _signal(self, number: int) -> None:
        with self._lock:
            if not self._gone:
                os.kill(self.pid, number)


def _born(order: dict[str, Any], uid: int, flags: int, ends: Ends) -> int:
    """Start the first process of new namespaces, and return its number.

    A process that has left its namespace of processes cannot start threads: another one does, and goes. What is born
    waits for that, so that it is this one's child.
    """
    kernel.adopt_orphans()
    told, telling = os.pipe()
    opened, held = os.pipe()
    porter = os.fork()
    if not porter:
        try:
            own = (os.geteuid(), os.getegid())
            kernel.unshare(flags)
            if flags & kernel.NEW_USERS:
                _map_user(uid, own)
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # until the first process can take it
            first = os.fork()
            if not first:
                os.close(held)
                os.close(telling)
                os.read(opened, 1)
                be_first(order, uid, ends)
            os.write(telling, b"%d" % first)
        except OSError as error:
            os.write(telling, str(error).encode("utf-8", "replace"))
        os._exit(0)
    os.close(telling)
    with os.fdopen(told, "rb") as file:
        said = file.read()
    os.waitpid(porter, 0)
    for descriptor in (held, opened):
        os.close(descriptor)
    if not said.isdigit():
        raise OSError(said.decode("utf-8", "replace"))
    return int(said)


def why_no_walls() -> str:
    """Return what keeps this system from giving workers namespaces, empty if nothing; tried in a child."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            own = (os.geteuid(), os.getegid())
            uid, flags = _user()
            kernel.unshare(flags | kernel.NEW_MOUNTS | kernel.NEW_NETWORK | kernel.NEW_IPC | kernel.NEW_HOST_NAME)
            if flags & kernel.NEW_USERS:
                _map_user(uid, own)
            kernel.mount("none", "/", "", kernel.WITH_ALL_BELOW | kernel.PRIVATE)
        except BaseException as error:
            os.write(writing, str(error).encode("utf-8", "replace")[:500])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        said = file.read()
    os.waitpid(child, 0)
    return said.decode("utf-8", "replace")


def _user() -> tuple[int, int]:
    """Who the worker is to be, and the namespaces that must be new when its first process is born.

    Another one for each worker, where this process may become others; else one that there is in its namespace only.
    """
    uid = _FIRST_UID + os.getpid() % _UIDS
    if os.geteuid() == 0 and _is_mapped("/proc/self/uid_map", uid) and _is_mapped("/proc/self/gid_map", uid):
        return uid, kernel.NEW_PROCESSES
    return uid, kernel.NEW_PROCESSES | kernel.NEW_USERS


def _is_mapped(file: str, number: int) -> bool:
    lines = Path(file).read_text(encoding="ascii").splitlines()
    ranges = [[int(word) for word in line.split()] for line in lines]
    return any(inside <= number < inside + count for inside, _, count in ranges)


def _map_user(uid: int, own: tuple[int, int]) -> None:
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {own[0]} 1"), ("gid_map", f"{uid} {own[1]} 1")):
        Path("/proc/self", name).write_text(text, encoding="ascii")


def _with_spare_processes(rlimits: list[Any]) -> list[Any]:
    spare = {"RLIMIT_NPROC": _SPARE_PROCESSES}
    return [[name, soft + spare.get(name, 0), hard + spare.get(name, 0)] for name, soft, hard in rlimits]
