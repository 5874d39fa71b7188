"""The judge's end of a warm worker's channel. Whoever waits on it empties the worker's output meanwhile."""

from __future__ import annotations

import contextlib
import os
import select
import socket
from math import ceil
from time import monotonic
from typing import Any

_CHUNK = 1 << 16


class Pipes:
    """Stdout and stderr of one worker: emptied while something else is waited for, the beginning is kept."""

    def __init__(self, keep: int | None) -> None:
        """`keep` bytes of each; None: there are no pipes, and the worker prints to nowhere."""
        self._keep = keep or 0
        self._count = 0 if keep is None else 2
        self._kept: dict[int, bytearray] = {}
        self._ends: list[int] = []
        self._open: set[int] = set()
        self.dropped = 0

    def make(self) -> tuple[int, ...]:
        """Make the pipes, and return the worker's ends; the caller closes these when the worker has them."""
        ends: list[int] = []
        for _ in range(self._count):
            ours, theirs = os.pipe()
            os.set_blocking(ours, False)
            self._kept[ours] = bytearray()
            self._open.add(ours)
            self._ends.append(ours)
            ends.append(theirs)
        return tuple(ends)

    def wait(self, descriptor: int, events: int, deadline: float) -> bool:
        """Empty the pipes until the descriptor is ready; False when it is not before the deadline."""
        poll = select.poll()
        poll.register(descriptor, events)
        for pipe in self._open:
            poll.register(pipe, select.POLLIN)
        while True:
            ready = [found for found, _ in poll.poll(_milliseconds(deadline - monotonic()))]
            for pipe in self._open.intersection(ready):
                if not self._read(pipe):
                    self._open.discard(pipe)
                    poll.unregister(pipe)
            if descriptor in ready:
                return True
            if monotonic() >= deadline:
                return False

    def finish(self) -> tuple[bytes, bytes]:
        """Return what was kept and what is still in the pipes. The worker has ended."""
        for pipe in self._ends:
            while pipe in self._open and self._read(pipe):
                pass
            os.close(pipe)
        stdout, stderr = [bytes(self._kept[pipe]) for pipe in self._ends] or (b"", b"")
        return stdout, stderr

    def _read(self, pipe: int) -> bool:
        """Take one piece; False when there is none."""
        try:
            piece = os.read(pipe, _CHUNK)
        except BlockingIOError:
            return False
        kept = self._kept[pipe]
        room = self._keep - len(kept)
        kept += piece[:room]
        self.dropped += max(0, len(piece) - room)
        return bool(piece)


def _milliseconds(seconds: float) -> int | None:
    """For `poll`, which waits without end for None."""
    return None if seconds == float("inf") else max(0, ceil(seconds * 1000))


class DrainingSocket(socket.socket):
    """A socket whose waits empty a worker's pipes, so that the worker never blocks on its output."""

    pipes: Pipes
    _limit_s = 0.0

    def settimeout(self, value: float | None, /) -> None:
        """Like a socket's. The socket itself never blocks."""
        self._limit_s = float("inf") if value is None else value

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """Like a socket's; raises `TimeoutError`."""
        deadline = monotonic() + self._limit_s
        while True:
            try:
                return super().recv(bufsize, flags)
            except BlockingIOError:
                self._wait(select.POLLIN, deadline)

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Like a socket's; raises `TimeoutError`."""
        rest = memoryview(data)
        deadline = monotonic() + self._limit_s
        while rest:
            try:
                rest = rest[super().send(rest, flags) :]
            except BlockingIOError:
                self._wait(select.POLLOUT, deadline)

    def _wait(self, events: int, deadline: float) -> None:
        if not self.pipes.wait(self.fileno(), events, deadline):
            raise TimeoutError


def connected(keep: int | None) -> tuple[DrainingSocket, socket.socket, tuple[int, ...]]:
    """Return a channel, the worker's end of it, and the worker's ends of its output, of which `keep` bytes are kept."""
    ours, theirs = socket.socketpair()
    channel = DrainingSocket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=ours.detach())
    channel.setblocking(False)
    channel.settimeout(None)
    channel.pipes = Pipes(keep)
    with contextlib.ExitStack() as undo:
        undo.callback(channel.close)
        undo.callback(theirs.close)
        ends = channel.pipes.make()
        undo.pop_all()
    return channel, theirs, ends
