"""A player that is kept warm: it has imported what players need, and each job gets a fork of it.

| from the judge                                  | answer                                              |
|-------------------------------------------------|-----------------------------------------------------|
| `f`, 4-byte length, the filter (`sock_filter`s) | none                                                |
| `j` with the descriptors of channel, stdout and | when the child has ended: an `ENDED` record         |
|   stderr, 4-byte length, JSON of a job          |                                                     |
| `k`                                             | none; the child, if there is one, is killed         |

One child lives at a time. It has no way to make another process, so its end is the end of the job. Nothing of a job
passes through here: requests and answers go over the channel, of which only the child keeps a descriptor.
"""

from __future__ import annotations

import ctypes
import gc
import json
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

_IMPORTED = (
    "bisect",
    "collections",
    "copy",
    "datetime",
    "decimal",
    "fractions",
    "functools",
    "hashlib",
    "heapq",
    "itertools",
    "math",
    "operator",
    "random",
    "re",
    "statistics",
    "string",
    "traceback",
    "typing",
)
"""What most programs import, beside what the player itself does: done once, before any fork."""
ENDED = struct.Struct("=iidQ")
"""Wait status, whether the processor time was used up, seconds of it, peak memory in KiB."""
_LENGTH = struct.Struct(">I")
_CHANNEL = 3
_DESCRIPTORS = 3
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _SECCOMP_MODE_FILTER = 22, 38, 2
_WHOLE_PROCESS = 2
_NOT_READY = 70


class _Filter(ctypes.Structure):
    """`struct sock_fprog` of linux/filter.h."""

    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))


class Zygote:
    """Waits for jobs on a control channel."""

    def __init__(self, control: int) -> None:
        self._control = control
        self._socket = socket.socket(fileno=control)
        self._prctl: Any = ctypes.CDLL(None, use_errno=True).prctl
        self._steps: Any = None
        self._program: Any = None

    def serve(self) -> None:
        """Fork a child for each job. Returns in the children only, with the channel at descriptor 3."""
        while True:
            kind, descriptors = self._next()
            if kind == b"f":
                self._take_filter(self._message())
            elif kind == b"j":
                job: Dict[str, Any] = json.loads(self._message())
                child = os.fork()
                if child == 0:
                    self._become(job, descriptors)
                    return
                for descriptor in descriptors:
                    os.close(descriptor)
                self._see_off(child, job["cpu_s"])

    def _next(self) -> Tuple[bytes, List[int]]:
        kind, descriptors, _, _ = socket.recv_fds(self._socket, 1, _DESCRIPTORS)
        if not kind:
            os._exit(0)
        return kind, descriptors

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

    def _take_filter(self, steps: bytes) -> None:
        self._steps = ctypes.create_string_buffer(steps, len(steps))
        self._program = _Filter(len(steps) // 8, ctypes.addressof(self._steps))

    def _become(self, job: Dict[str, Any], descriptors: List[int]) -> None:
        """Turn the child into a player: its own descriptors only, bounds, and the filter, or it ends at once."""
        try:
            _keep_only(descriptors)
            for name, soft, hard in job["rlimits"]:
                _bound(getattr(resource, name), soft, hard)
            self._socket.detach()
            self._confine()
        except BaseException as error:
            os.write(2, f"the player could not be confined: {error!r}".encode())
            os._exit(_NOT_READY)

    def _confine(self) -> None:
        zero = ctypes.c_ulong(0)
        if self._prctl(_PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), zero, zero, zero):
            raise OSError(ctypes.get_errno(), "no_new_privs")
        mode = ctypes.c_ulong(_SECCOMP_MODE_FILTER)
        if self._prctl(_PR_SET_SECCOMP, mode, ctypes.byref(self._program), zero, zero):
            raise OSError(ctypes.get_errno(), "seccomp")

    def _see_off(self, child: int, cpu_s: float) -> None:
        """Wait for the child's end, kill it when told to or when its processor time is used up, and report."""
        watch = os.pidfd_open(child)
        over = False
        poll = select.poll()
        poll.register(watch, select.POLLIN)
        poll.register(self._control, select.POLLIN)
        left = cpu_s
        while True:
            ready = [descriptor for descriptor, _ in poll.poll(max(1.0, left * 1000))]
            if watch in ready:
                break
            if self._control in ready and os.read(self._control, 1) == b"":
                os._exit(0)
            left = cpu_s - time.clock_gettime(~child << 3 | _WHOLE_PROCESS)
            over = over or left <= 0
            if over or ready:
                os.kill(child, signal.SIGKILL)
                left = cpu_s
        os.close(watch)
        _, status, used = os.wait4(child, 0)
        seconds = used.ru_utime + used.ru_stime
        os.write(self._control, ENDED.pack(status, over, seconds, used.ru_maxrss))


def _bound(number: int, soft: int, hard: int) -> None:
    most = resource.getrlimit(number)[1]
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    resource.setrlimit(number, (soft, hard))


def _keep_only(descriptors: List[int]) -> None:
    """The channel at 3, the output at 1 and 2, nothing to read at 0, and no other descriptor."""
    first_free = max(descriptors) + 1
    channel, stdout, stderr = descriptors
    spare = os.dup2(channel, first_free)  # 3 may be one of them
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    os.dup2(spare, _CHANNEL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.closerange(_CHANNEL + 1, first_free + 2)
    os.closerange(first_free + 2, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def main(control: int) -> int:
    """Serve jobs until the control channel closes; returns in each child, with the descriptor of its channel."""
    sys.dont_write_bytecode = True
    for name in _IMPORTED:
        import_module(name)
    import_module(".play", __package__)
    zygote = Zygote(control)
    gc.collect()
    gc.freeze()
    zygote.serve()
    return _CHANNEL
