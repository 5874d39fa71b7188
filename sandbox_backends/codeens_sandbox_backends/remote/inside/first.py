"""The first process of a worker's namespaces: puts up the walls, starts the worker, and tells how it ended."""

from __future__ import annotations

import base64
import json
import os
import signal
import threading
from typing import Any, NoReturn

from ...host.inside import kernel
from ...host.inside.first import await_end, die_first, kill_all, set_limits
from . import root

_FLAGS = kernel.NEW_MOUNTS | kernel.NEW_NETWORK | kernel.NEW_IPC | kernel.NEW_HOST_NAME
_INTERPRETER_FLAGS = ("-I", "-S", "-B")
_HOME = "/tmp"


class Ends:
    """The worker's ends of what connects it, and where its end is told."""

    def __init__(self, channel: int, stdout: int, stderr: int, report: int) -> None:
        self.standard = (channel, stdout, stderr)
        self.report = report


def be_first(order: dict[str, Any], uid: int, ends: Ends) -> NoReturn:
    """Be the first process of a new process namespace until the worker has ended."""
    try:
        kernel.die_with_parent(signal.SIGKILL)
        kernel.be_unreadable()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _close_all_but([*ends.standard, ends.report])
        stopping = _stop_all_when_told()
        kernel.unshare(_FLAGS)
        kernel.name_host("sandbox")
        root.build(order)
        worker = os.fork()
        if not worker:
            _be_worker(order, uid, ends)
        for descriptor in ends.standard:
            os.close(descriptor)
        if stopping.is_set():
            kill_all()
        report = await_end(worker)
    except BaseException as error:
        report = {"failed": f"{type(error).__name__}: {error}"}
    os.write(ends.report, json.dumps(report).encode("utf-8"))
    os._exit(0)


def _stop_all_when_told() -> threading.Event:
    """End all other processes at each SIGTERM. The event is set from the first on: what was not yet born then lives."""
    told = threading.Event()

    def stop(*_: Any) -> None:
        told.set()
        kill_all()

    signal.signal(signal.SIGTERM, stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    return told


def _be_worker(order: dict[str, Any], uid: int, ends: Ends) -> NoReturn:
    try:
        for place, descriptor in enumerate(ends.standard):
            os.dup2(descriptor, place)
        _close_all_but([0, 1, 2])
        os.setsid()
        os.chdir(_HOME)
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        die_first()
        if os.getuid() != uid:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
        set_limits(order["rlimits"])
        kernel.give_up_new_rights()
        kernel.load_filter(base64.b64decode(order["filter"]))
        command: list[str] = [order["python"], *_INTERPRETER_FLAGS, "-c", order["text"]]
        os.execve(order["python"], command, order["environment"])
    except BaseException as error:
        os.write(2, f"the worker could not be started: {error}\n".encode("utf-8", "replace"))
    os._exit(127)


def _close_all_but(kept: list[int]) -> None:
    start = 0
    for descriptor in sorted(kept):
        if start < descriptor:  # Python takes an empty range at 0 for all there are
            os.closerange(start, descriptor)
        start = descriptor + 1
    os.closerange(start, os.sysconf("SC_OPEN_MAX"))
