"""The first process of a worker's namespaces: puts up the walls, starts the worker, and tells how it ended."""

from __future__ import annotations

import base64
import json
import os
import resource
import signal
import threading
from pathlib import Path
from typing import Any, NoReturn

from . import kernel, root

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
            _stop_all()
        report = _await_end(worker)
    except BaseException as error:
        report = {"failed": f"{type(error).__name__}: {error}"}
    os.write(ends.report, json.dumps(report).encode("utf-8"))
    os._exit(0)


def _stop_all_when_told() -> threading.Event:
    """End all other processes at each SIGTERM. The event is set from the first on: what was not yet born then lives."""
    told = threading.Event()

    def stop(*_: Any) -> None:
        told.set()
        _stop_all()

    signal.signal(signal.SIGTERM, stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    return told


def _stop_all() -> None:
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        return


def _be_worker(order: dict[str, Any], uid: int, ends: Ends) -> NoReturn:
    try:
        for place, descriptor in enumerate(ends.standard):
            os.dup2(descriptor, place)
        _close_all_but([0, 1, 2])
        os.setsid()
        os.chdir(_HOME)
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")  # it goes first, not what reports
        if os.getuid() != uid:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
        for name, soft, hard in order["rlimits"]:
            _set_limit(getattr(resource, name), soft, hard)
        kernel.give_up_new_rights()
        kernel.load_filter(base64.b64decode(order["filter"]))
        command: list[str] = [order["python"], *_INTERPRETER_FLAGS, "-c", order["text"]]
        os.execve(order["python"], command, order["environment"])
    except BaseException as error:
        os.write(2, f"the worker could not be started: {error}\n".encode("utf-8", "replace"))
    os._exit(127)


def _set_limit(number: int, soft: int, hard: int) -> None:
    most = resource.getrlimit(number)[1]
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    resource.setrlimit(number, (soft, hard))


def _close_all_but(kept: list[int]) -> None:
    start = 0
    for descriptor in sorted(kept):
        if start < descriptor:  # Python takes an empty range at 0 for all there are
            os.closerange(start, descriptor)
        start = descriptor + 1
    os.closerange(start, os.sysconf("SC_OPEN_MAX"))


def _await_end(worker: int) -> dict[str, Any]:
    """Wait for the worker, end what it left behind, and say how it ended."""
    while True:
        pid, status, usage = os.wait4(-1, 0)
        if pid == worker:
            break
    _stop_all()
    try:
        while True:
            os.wait4(-1, 0)
    except ChildProcessError:  # no process is left: orphans are children of the first one
        return {
            "status": status,
            "cpu_s": usage.ru_utime + usage.ru_stime,
            "peak_rss_bytes": usage.ru_maxrss * 1024,
        }
