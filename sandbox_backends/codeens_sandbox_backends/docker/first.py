"""The first process of a container: takes an order, runs a worker, tells how that ended, and waits for the next.

Standard library only, Python 3.9 syntax: the workspace's interpreter runs it. Its connection to the judge is its
lifeline: when that ends, the worker does too. Foreign code is its child, may not trace it, and cannot signal it (the
kernel keeps signals without a handler from the first process of a namespace).

| judge sends                                                              | it answers                       |
|--------------------------------------------------------------------------|----------------------------------|
| a line of JSON: `kind`, `rlimits`, `filter`, `last`, and 3 descriptors:  | a line of JSON when every other  |
| the worker's channel, its standard output, its standard error            | process is gone: `ContainerReport` |
"""

from __future__ import annotations

import base64
import importlib
import json
import os
import select
import shutil
import signal
import site
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..host.inside import kernel
from ..host.inside.first import await_end, die_first, kill_all, set_limits

_DESCRIPTORS = 3
_SCRATCH = (Path("/tmp"), Path("/dev/shm"))  # inside, where each is a tmpfs of the container's own
_PIECE = 1 << 16
_OUT_OF_MEMORY_FILES = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")


def main(door: str) -> None:
    """Serve the judge behind the socket at `door`. Returns in the worker, and there only."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Python's handler would let foreign code interrupt this process
    importlib.import_module("codeens_worker.calls")  # while nobody waits yet
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    control.connect(door)
    bound = _in_scratch()
    while True:
        order, descriptors = _take_order(control)
        kernel.be_unreadable()
        killed_before = _killed_for_memory()
        waiting, watching = os.pipe()
        worker = os.fork()
        if not worker:
            os.close(watching)
            os.read(waiting, 1)
            os.close(waiting)
            control.close()
            _become_worker(order, *descriptors)
            return
        for descriptor in descriptors:
            os.close(descriptor)
        with _lifeline(control):
            os.close(waiting)
            os.close(watching)
            report = await_end(worker)
        report["out_of_memory"] = _killed_for_memory() > killed_before
        report["again"] = not order["last"] and _clear_scratch(bound)
        control.sendall(json.dumps(report).encode() + b"\n")
        if not report["again"]:
            os._exit(0)


def _take_order(control: socket.socket) -> tuple[dict[str, Any], list[int]]:
    text = b""
    descriptors: list[int] = []
    while not text.endswith(b"\n"):
        piece, received, _, _ = socket.recv_fds(control, _PIECE, _DESCRIPTORS)
        descriptors += received
        if not piece:
            os._exit(0)
        text += piece
    return json.loads(text), descriptors


def _become_worker(order: dict[str, Any], channel: int, stdout: int, stderr: int) -> None:
    for descriptor, place in ((stdout, 1), (stderr, 2)):
        os.dup2(descriptor, place)
        os.close(descriptor)
    os.chdir(os.environ["HOME"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    kernel.be_readable()
    die_first()
    set_limits(order["rlimits"])
    kernel.load_filter(base64.b64decode(order["filter"]))
    site.main()
    importlib.import_module("codeens_worker." + order["kind"]).main(channel)


@contextmanager
def _lifeline(control: socket.socket) -> Generator[None, None, None]:
    """When the judge closes its end meanwhile, or is gone, end everything else in this container."""
    over, ended = os.pipe()
    thread = threading.Thread(target=_end_all_with, args=(control, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        os.close(ended)
        thread.join()
        os.close(over)


def _end_all_with(control: socket.socket, over: int) -> None:
    ready, _, _ = select.select([control, over], [], [])
    if control in ready:
        kill_all()


def _killed_for_memory() -> int:
    """Return how many processes the kernel has ended in this container for memory."""
    for name in _OUT_OF_MEMORY_FILES:
        try:
            lines = Path(name).read_text(encoding="ascii").splitlines()
        except OSError:
            continue
        return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
    return 0


def _in_scratch() -> set[Path]:
    """Before the first worker: what is bound there, which belongs to root. Afterwards also what workers wrote."""
    return {path for folder in _SCRATCH for path in folder.iterdir()}


def _clear_scratch(bound: set[Path]) -> bool:
    """Remove what a worker wrote; whether nothing of it is left for the next one."""
    try:
        for path in _in_scratch() - bound:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        return _in_scratch() == bound
    except (OSError, RecursionError):
        return False
