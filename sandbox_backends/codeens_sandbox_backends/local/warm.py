"""Warm players: forks of one prepared process in one sandbox, one at a time.

A zygote runs under bubblewrap like any player (`bwrap.py`), with nothing writable and without /proc. What it forks has
its own channel and output, its own limits, and a filter (`warm_filter.py`) under which it can neither make a process,
nor reach another one, nor leave anything behind.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import struct
import threading
from collections.abc import Callable
from time import monotonic

from msgspec import structs

from codeens_sandbox_backends.base import Limits
from codeens_sandbox_backends.conduct.launch import Ending, PlayerProcess
from codeens_sandbox_backends.errors import SandboxBroken
from codeens_sandbox_backends.local.limits import Rlimit
from codeens_sandbox_backends.local.process import LIMIT_SIGNALS
from codeens_sandbox_backends.local.warm_channel import DrainingSocket, connected

ENDED = struct.Struct("=iidQ")
"""As in `player/zygote.py`."""
_KILL_GRACE_S = 5.0
_LENGTH = struct.Struct(">I")


class Zygote:
    """A process that forks players. One thread uses it at a time; `kill_child` may come from any."""

    def __init__(self, process: PlayerProcess, filter_program: bytes) -> None:
        """Take over a zygote that has just been started."""
        self.process = process
        self.dead = False
        self._control = process.channel
        self._control.settimeout(_KILL_GRACE_S)
        self._send(b"f", filter_program)

    def fork(self, rlimits: tuple[Rlimit, ...], cpu_s: float, descriptors: list[int]) -> None:
        """Start a player on the descriptors of its channel, stdout and stderr.

        Raises:
            SandboxBroken: the zygote is gone.
        """
        job = json.dumps({"rlimits": rlimits, "cpu_s": cpu_s}).encode()
        try:
            socket.send_fds(self._control, [b"j" + _LENGTH.pack(len(job)) + job], descriptors)
        except OSError as error:
            self.end()
            raise SandboxBroken(f"a warm player could not be started: {error}") from error

    def kill_child(self) -> None:
        """Have the living player killed, if there is one."""
        try:
            self._control.send(b"k")
        except OSError:  # it is gone, and its players with it
            return

    def ended(self, channel: DrainingSocket, deadline: float) -> tuple[int, bool, float, int] | None:
        """How the player ended: wait status, whether for its processor time, seconds of it, peak KiB.

        None when it has not ended before the deadline.

        Raises:
            SandboxBroken: the zygote is gone.
        """
        if not channel.pipes.wait(self._control.fileno(), select.POLLIN, deadline):
            return None
        try:
            record = self._control.recv(ENDED.size, socket.MSG_WAITALL)
        except OSError:
            record = b""
        if len(record) != ENDED.size:
            self.end()
            raise SandboxBroken("the process that warm players come from has ended")
        status, over, cpu_s, peak_kib = ENDED.unpack(record)
        return status, bool(over), cpu_s, peak_kib

    def end(self) -> None:
        """End it and whatever it has forked."""
        if not self.dead:
            self.dead = True
            self.process.kill()
            self.process.wait(0)

    def _send(self, kind: bytes, text: bytes) -> None:
        try:
            self._control.sendall(kind + _LENGTH.pack(len(text)) + text)
        except OSError as error:
            self.end()
            raise SandboxBroken(f"a warm player could not be prepared: {error}") from error


class WarmProcess:
    """A player that was forked from a zygote. `kill` may be called from any thread; `wait` from one."""

    def __init__(
        self, zygote: Zygote, rlimits: tuple[Rlimit, ...], limits: Limits, release: Callable[[Zygote], None]
    ) -> None:
        """Fork it. `release` is called once, when it has ended, with the zygote that is free again or dead.

        Raises:
            SandboxBroken: the zygote is gone.
        """
        self._zygote = zygote
        self._release = release
        self._lock = threading.Lock()
        self._ending: Ending | None = None
        channel, theirs, ends = connected(limits.output_bytes)
        self.channel: socket.socket = channel
        self._draining = channel
        try:
            zygote.fork(rlimits, limits.cpu_s, [theirs.fileno(), *ends])
        except SandboxBroken:
            channel.close()
            channel.pipes.finish()
            release(zygote)
            raise
        finally:
            theirs.close()
            for end in ends:
                os.close(end)

    @property
    def signal(self) -> int | None:
        """What ended it, when it has been waited for."""
        return self._ending.signal if self._ending else None

    def kill(self) -> None:
        """End the player at once. Thread-safe; does nothing the second time."""
        with self._lock:
            if self._ending is None:
                self._zygote.kill_child()

    def wait(self, timeout: float) -> Ending:
        """Close the channel, wait `timeout` seconds for the end, kill what is left, and tell how it ended.

        Raises:
            SandboxBroken: the zygote ended before it could tell.
        """
        if self._ending is not None:
            return self._ending
        self.channel.close()
        try:
            record = self._zygote.ended(self._draining, monotonic() + timeout)
            return self._finish(self._told(*(record or self._killed())))
        except SandboxBroken:
            self._finish(Ending(signal=signal.SIGKILL))
            raise

    def _killed(self) -> tuple[int, bool, float, int]:
        self.kill()
        record = self._zygote.ended(self._draining, monotonic() + _KILL_GRACE_S)
        if record is None:
            self._zygote.end()
            raise SandboxBroken("a warm player could not be killed")
        return record

    def _told(self, status: int, over: bool, cpu_s: float, peak_kib: int) -> Ending:
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        return Ending(
            exit_code=os.WEXITSTATUS(status) if number is None else None,
            signal=number,
            limit="cpu" if over else LIMIT_SIGNALS.get(number),
            cpu_s=cpu_s,
            peak_rss_bytes=peak_kib * 1024,
        )

    def _finish(self, ending: Ending) -> Ending:
        stdout, stderr = self._draining.pipes.finish()
        with self._lock:
            self._ending = structs.replace(
                ending, stdout=stdout, stderr=stderr, dropped_bytes=self._draining.pipes.dropped
            )
            self._release(self._zygote)
            return self._ending
