"""A worker that is kept warm: it has imported what workers need, and each job gets a fork of it.

| from the judge                                   | answer                                            |
|--------------------------------------------------|---------------------------------------------------|
| first of all: 4-byte length, JSON of what is     | the handshake (`serving.send_handshake`), once    |
|   needed before the first job: two filters      |   for all of them                                 |
| `l`, 4-byte length, JSON of a job's limits       | none; they are for the jobs from now on           |
| `m`, 4-byte length, JSON of modules' names       | the handshake, once they are imported             |
| `c`, `s` or `t` with the descriptor of a         | when the child has ended: an `ENDED` record; the  |
|   channel, or of channel, stdout and stderr      |   child serves the kind `calls`, `stdio`, `suite` |
| `k`                                              | none; the child, if there is one, is killed       |

One child lives at a time. It has no way to make another process, so its end is the end of the job. Nothing of a job
passes through here: requests and answers go over the channel, of which only the child keeps a descriptor.
"""

from __future__ import annotations

import gc
import json
import linecache
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
from importlib import import_module
from typing import Any, Dict, List, Tuple

from . import serving, stdio
from .calls import CallWorker
from .confining import SyscallFilter, do_without_new_rights, give_back_memory
from .frames import pack
from .serving import Channel, serve_next

_IMPORTED = (
    "bisect",
    "collections",
    "copy",
    "functools",
    "heapq",
    "itertools",
    "math",
    "operator",
    "re",
    "string",
    "traceback",
    "typing",
)
"""What most programs import, beside what the worker itself does: done once, before any fork.

Not what is rarely used, for each page that is here makes every fork dearer, and not `random`, which is seeded anew
after each fork where it is there.
"""
ENDED = struct.Struct("=iidQ")
"""Wait status, whether the processor time was used up, seconds of it, peak memory in KiB."""
_BIND_NOW = "LD_BIND_NOW"
"""Was for this process alone: what the loader looks up before a fork need not be looked up after each."""
_FIRST_COLLECTION = 10_000
"""Objects after which garbage is looked for: most workers have ended before."""
_LENGTH = struct.Struct(">I")
CALLS, SCRIPT, SUITE = b"c", b"s", b"t"
_KINDS = (CALLS, SCRIPT, SUITE)
CHANNEL = 3
_DESCRIPTOR = struct.Struct("=i")
_ROOM = socket.CMSG_SPACE(3 * _DESCRIPTOR.size)
_WHOLE_PROCESS = 2
_NOT_READY = 70


class Zygote:
    """Waits for jobs on a control channel."""

    def __init__(self, control: int) -> None:
        self._control = control
        self._receive = socket.socket(fileno=control).recvmsg
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)
        filters: Dict[str, str] = json.loads(self._message())
        self._filter = SyscallFilter(bytes.fromhex(filters["job_filter"]))
        self._most_descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self._cpu_s = 0.0
        self._bounds: List[Tuple[int, Tuple[int, int]]] = []
        do_without_new_rights()
        SyscallFilter(bytes.fromhex(filters["own_filter"])).install()

    def serve(self) -> bytes:
        """Fork a child for each job. Returns in the children only, with the channel at descriptor 3: its kind."""
        while True:
            kind, descriptors = self._next()
            if kind == b"l":
                self._take_limits(json.loads(self._message()))
            elif kind == b"m":
                self.import_modules(json.loads(self._message()))
                self.get_ready()
            elif kind in _KINDS:
                child = os.fork()
                if child == 0:
                    self._become(kind, descriptors)
                    return kind
                for descriptor in descriptors:
                    os.close(descriptor)
                self._await_end(child)
                self.clean_up()

    def clean_up(self) -> None:
        """Remove what a job may have left. The filter lets it leave nothing."""

    def import_modules(self, names: List[str]) -> None:
        """Import what jobs are known to need; what fails here fails again in the jobs."""

    def get_ready(self) -> None:
        """Say that all is imported, and let forks share the memory of it."""
        serving.send_handshake(serving.Channel(self._control))
        gc.collect()
        give_back_memory()
        gc.freeze()

    def _next(self) -> Tuple[bytes, List[int]]:
        kind, passed, _, _ = self._receive(1, _ROOM)
        if not kind:
            os._exit(0)
        return kind, [number for _, _, data in passed for (number,) in _DESCRIPTOR.iter_unpack(data)]

    def _message(self) -> bytes:
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
        return self._exactly(length)

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = os.read(self._control, size - len(data))
            if not piece:
                os._exit(0)
            data += piece
        return data

    def _take_limits(self, limits: Dict[str, Any]) -> None:
        self._cpu_s = limits["cpu_s"]
        self._bounds = []
        for name, soft, hard in limits["rlimits"]:
            number: int = getattr(resource, name)
            own = resource.getrlimit(number)
            bound = (soft, hard) if own[1] == resource.RLIM_INFINITY else (min(soft, own[1]), min(hard, own[1]))
            if bound != own:
                self._bounds.append((number, bound))

    def _become(self, kind: bytes, descriptors: List[int]) -> None:
        """Turn the child into a worker: its own descriptors only, bounds, and the filter, or it ends at once."""
        try:
            self._keep_only(descriptors, kind)
            for number, bound in self._bounds:
                resource.setrlimit(number, bound)
            self._filter.install()
        except BaseException as error:
            os.write(2, f"the worker could not be confined: {error!r}".encode())
            os._exit(_NOT_READY)

    def _keep_only(self, descriptors: List[int], kind: bytes) -> None:
        """The channel at 3, its own output or nothing at 1 and 2, an input without anything at 0, and nothing else.

        What is nothing is opened anew for each worker: whoever shares an open file shares its flags and locks. Received
        descriptors are above that of the control channel, which is not below 3.
        """
        nothing = os.open(os.devnull, os.O_RDWR)
        if len(descriptors) == 1:
            serving.drop_output()
        output = descriptors[1:] or [nothing] * 2
        os.dup2(output[0], 1)
        os.dup2(output[1], 2)
        os.dup2(os.memfd_create("input") if kind == SCRIPT else nothing, 0)
        os.dup2(descriptors[0], CHANNEL)
        os.closerange(CHANNEL + 1, self._most_descriptors)

    def _await_end(self, child: int) -> None:
        """Wait for the child's end, kill it when told to or when its processor time is used up, and report."""
        watch = os.pidfd_open(child)
        self._poll.register(watch, select.POLLIN)
        over = False
        left = self._cpu_s
        while True:
            ready = [descriptor for descriptor, _ in self._poll.poll(max(1.0, left * 1000))]
            if watch in ready:
                break
            if self._control in ready and os.read(self._control, 1) == b"":
                os._exit(0)
            left = self._cpu_s - time.clock_gettime(~child << 3 | _WHOLE_PROCESS)
            over = over or left <= 0
            if over or ready:
                os.kill(child, signal.SIGKILL)
                left = self._cpu_s
        self._poll.unregister(watch)
        os.close(watch)
        _, status, used = os.wait4(child, 0)
        seconds = used.ru_utime + used.ru_stime
        os.write(self._control, ENDED.pack(status, over, seconds, used.ru_maxrss))


def main(control: int) -> None:
    """Serve jobs until the control channel closes; in each child, serve the judge on its channel.

    Returns in a child that has run a script to its end.
    """
    sys.dont_write_bytecode = True
    os.environ.pop(_BIND_NOW, None)
    for name in _IMPORTED:
        import_module(name)
    zygote = Zygote(control)
    worker = CallWorker(serving.Channel(CHANNEL))
    rehearse()
    zygote.get_ready()
    gc.set_threshold(_FIRST_COLLECTION)
    if zygote.serve() == SCRIPT:
        stdio.serve(worker.channel)
    else:
        serving.serve(worker.channel, worker.operations)


_NAME = "codeens_rehearsal"
_SOURCE = """\
from typing import List, Tuple

def rehearse(number, text, items: List[Tuple[int, str]]) -> float:
    found = {word: len(word) for word in text.split()}
    for index, item in enumerate(items):
        if index > 1:
            raise ValueError(item)
        items[index] = (item, [found, {1, 2.5}, sorted(found), None, True])
    return number * 1.5
"""
_DEFINITION = {"line": 3, "end_line": 9}
_CALLS: List[Dict[str, Any]] = [
    {"args": [1, "to be or not", ["list"]], "kwargs": {}},
    {"args": [2.5, "", ["list", 1, ["tuple", 2, "x"]]], "kwargs": {}},
    {"args": [-1], "kwargs": {"text": "be", "items": ["list", 1, 2, 3, ["dict", ["k", ["set", 1]]]]}},
]
_OFTEN = 10
"""The interpreter (3.11) adapts code to its use after eight runs of it."""


def rehearse() -> None:
    """Have workers serve that job, and remove what it leaves behind."""
    modules = [{"name": _NAME, "source": _SOURCE, "path": None}]
    program = {"module": _NAME, "qualname": "rehearse", "modules": modules, "sys_path": [], "definition": _DEFINITION}
    before = set(linecache.cache)
    for _ in range(_OFTEN):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            worker = CallWorker(Channel(theirs.fileno()))
            for request in (
                {"op": "load", "nonce": "", "program": program, "watch": ""},
                {"op": "calls", "inputs": _CALLS, "first": 0, "last": False},
            ):
                ours.sendall(pack(json.dumps(request).encode()))
                serve_next(worker.channel, worker.operations)
        del sys.modules[_NAME], sys.meta_path[0]
    for name in set(linecache.cache) - before:
        del linecache.cache[name]
