"""Warm workers: forks of one prepared process in one sandbox, one at a time.

A zygote runs under bubblewrap like any worker (`bwrap.py`), with nothing writable and without /proc. What it forks has
its own channel and output, its own limits, and a filter (`warm_filter.py`) under which it can neither make a process,
nor reach another one, nor leave anything behind. When a worker has ended the next one is forked, before it is wanted.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import threading
from collections.abc import Callable
from time import monotonic
from typing import NamedTuple

import msgspec
from msgspec import structs

from codeens_sandbox_backends.driver.launcher import ExitStatus, TellsStarvation, WarmWorker, WorkerKind, exit_status_of
from codeens_sandbox_backends.driver.session import await_handshake
from codeens_sandbox_backends.errors import SandboxBroken
from codeens_sandbox_backends.host.limits import Rlimit
from codeens_sandbox_backends.host.pidfd import Scheduling, children_of, turns_of
from codeens_sandbox_backends.host.process import LocalProcess
from codeens_sandbox_backends.local.warm.channel import DrainingSocket, connected

ENDED = struct.Struct("=iidQ")
"""As in `worker/zygote.py`."""
_KIND_BYTES: dict[WorkerKind, bytes] = {"calls": b"c", "stdio": b"s", "suite": b"t"}
"""Likewise."""
_NOT_READY = 70
"""Likewise."""
_KILL_GRACE_S = 5.0
_LENGTH = struct.Struct(">I")


class ForkRequest(NamedTuple):
    """What a worker is forked for."""

    kind: WorkerKind
    """`calls`, `stdio` or `suite`."""
    rlimits: tuple[Rlimit, ...]
    cpu_s: float
    keep: int | None
    """Bytes that are kept of each output; None: it is dropped where it is printed."""
    modules: tuple[str, ...] = ()
    """What the worker of a suite has imported, where that can be imported."""


class ZygoteProcess:
    """A process that forks workers. One thread uses it at a time; `kill_child` may come from any."""

    def __init__(
        self,
        process: LocalProcess,
        own_filter: bytes,
        job_filter: bytes,
        *,
        start_s: float = 30.0,
    ) -> None:
        """Take over a zygote that has just been started, which then puts itself, and its workers, under filters.

        Within `start_s` it has imported what it needs; modules for a worker take no longer than that either.

        Raises:
            SandboxBroken: it did not come up.
        """
        self.process = process
        self.dead = False
        self._control = process.channel
        self._ahead: tuple[ForkRequest, DrainingSocket] | None = None
        """A worker that waits for a job."""
        self._limits: tuple[tuple[Rlimit, ...], float] = ((), 0.0)
        self._modules: tuple[str, ...] = ()
        self._import_s = start_s
        self._send(_packed({"own_filter": own_filter.hex(), "job_filter": job_filter.hex()}))
        self._await_imports()

    def worker(self, request: ForkRequest) -> DrainingSocket:
        """Return the channel of a new worker.

        Raises:
            SandboxBroken: the zygote is gone.
        """
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            waiting, channel = ahead
            if waiting == request and not self.rest(channel, 0.0):
                return channel
            self._discard(channel)
        return self._fork(request)

    def fork_ahead(self, request: ForkRequest) -> None:
        """Have a worker of this kind ready for the next job, if the zygote is there."""
        if not self.dead:
            with contextlib.suppress(SandboxBroken):
                self._ahead = request, self._fork(request)
        if self.dead:  # another thread ended it meanwhile, and saw no worker to drop
            self._drop_ahead()

    def _await_imports(self) -> None:
        try:
            await_handshake(self.process, self._import_s)
        except SandboxBroken:
            self.end()
            raise
        self._control.settimeout(_KILL_GRACE_S)

    def _fork(self, request: ForkRequest) -> DrainingSocket:
        if request.modules != self._modules:
            self._send(b"m" + _packed(request.modules))
            self._await_imports()
            self._modules = request.modules
        limits = (request.rlimits, request.cpu_s)
        if limits != self._limits:
            self._send(b"l" + _packed({"rlimits": request.rlimits, "cpu_s": request.cpu_s}))
            self._limits = limits
        channel, theirs, ends = connected(request.keep)
        try:
            socket.send_fds(self._control, [_KIND_BYTES[request.kind]], [theirs.fileno(), *ends])
        except OSError as error:
            _drop(channel)
            self.end()
            raise SandboxBroken(f"a warm worker could not be started: {error}") from error
        finally:
            theirs.close()
            for end in ends:
                os.close(end)
        return channel

    def _discard(self, channel: DrainingSocket) -> None:
        self.kill_child()
        try:
            gone = self.ended(channel, monotonic() + _KILL_GRACE_S)
        finally:
            _drop(channel)
        if gone is None:
            self.end()
            raise SandboxBroken("a warm worker could not be killed")

    def kill_child(self) -> None:
        """Have the living worker killed, if there is one."""
        try:
            self._control.send(b"k")
        except OSError:  # it is gone, and its workers with it
            return

    def child_turns(self) -> Scheduling:
        """Return the turns of the living worker."""
        return max(map(turns_of, children_of(self.process.pid)), default=Scheduling())

    def rest(self, channel: DrainingSocket, deadline: float) -> bool:
        """Wait until the worker has ended; False when it has not before the deadline."""
        return channel.pipes.wait(self._control.fileno(), select.POLLIN, deadline)

    def ended(self, channel: DrainingSocket, deadline: float) -> tuple[int, bool, float, int] | None:
        """Return wait status, whether the processor time was used up, its seconds, and peak KiB.

        None when it has not ended before the deadline.

        Raises:
            SandboxBroken: the zygote is gone.
        """
        if not self.rest(channel, deadline):
            return None
        try:
            record = self._control.recv(ENDED.size, socket.MSG_WAITALL)
        except OSError:
            record = b""
        if len(record) != ENDED.size:
            self.end()
            raise SandboxBroken("the process that warm workers come from has ended")
        status, over, cpu_s, peak_kib = ENDED.unpack(record)
        return status, bool(over), cpu_s, peak_kib

    def end(self) -> None:
        """End it and whatever it has forked."""
        if not self.dead:
            self.dead = True
            self.process.kill()
            self.process.wait(0)
            self._drop_ahead()

    def _drop_ahead(self) -> None:
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            _drop(ahead[1])

    def _send(self, message: bytes) -> None:
        try:
            self._control.sendall(message)
        except OSError as error:
            self.end()
            raise SandboxBroken(f"a warm worker could not be prepared: {error}") from error


def _drop(channel: DrainingSocket) -> None:
    channel.close()
    channel.pipes.finish()


def _packed(message: object) -> bytes:
    text = msgspec.json.encode(message)
    return _LENGTH.pack(len(text)) + text


class WarmProcess(WarmWorker, TellsStarvation):
    """A worker that was forked from a zygote. `kill` may be called from any thread; `wait` from one."""

    def __init__(self, zygote: ZygoteProcess, request: ForkRequest, release: Callable[[ZygoteProcess], None]) -> None:
        """Take one from the zygote. `release` is called once, when it has ended, and the zygote is free again or dead.

        Raises:
            SandboxBroken: the zygote is gone.
        """
        self._zygote = zygote
        self._request = request
        self._release = release
        self._lock = threading.Lock()
        self._ending: ExitStatus | None = None
        self._turns = Scheduling()
        try:
            self._draining = zygote.worker(request)
        except SandboxBroken:
            release(zygote)
            raise
        self.channel: socket.socket = self._draining

    @property
    def signal(self) -> int | None:
        """What ended it, when it has been waited for."""
        return self._ending.signal if self._ending else None

    def kill(self) -> None:
        """End the worker at once. Thread-safe; does nothing the second time."""
        with self._lock:
            if self._ending is None:
                self._zygote.kill_child()

    def rest(self, seconds: float) -> bool:
        """Sleep until the worker has ended, at most so long; whether it has. What it says can be read afterwards."""
        return self._zygote.rest(self._draining, monotonic() + seconds)

    def turns(self) -> Scheduling:
        """Return how long it ran, and could have run and no processor was free."""
        if self._ending is None:
            self._turns = max(self._turns, self._zygote.child_turns())
        return self._turns

    def wait(self, timeout: float) -> ExitStatus:
        """Close the channel, wait `timeout` seconds for the end, kill what is left, and tell how it ended.

        Raises:
            SandboxBroken: the zygote ended before it could tell.
        """
        if self._ending is not None:
            return self._ending
        self.channel.close()
        try:
            record = self._ended(timeout)
            status, over_cpu, cpu_s, peak_kib = record or self._killed()
            returncode = os.waitstatus_to_exitcode(status)
            ending = self._finish(
                exit_status_of(returncode, over_cpu=over_cpu, cpu_s=cpu_s, peak_rss_bytes=peak_kib * 1024)
            )
        except SandboxBroken:
            self._finish(exit_status_of(-signal.SIGKILL))
            raise
        if ending.exit_code == _NOT_READY:  # code that ends like this is run again elsewhere, and told apart there
            raise SandboxBroken(f"a warm worker did not start: {ending.stderr.decode('utf-8', 'replace')}")
        return ending

    def _ended(self, timeout: float) -> tuple[int, bool, float, int] | None:
        """Wait so long for its end; what it has been kept from running does not count."""
        granted = 0.0
        while (record := self._zygote.ended(self._draining, monotonic() + timeout)) is None and timeout > 0:
            starved = self.turns().starved_s
            timeout, granted = starved - granted, starved
        return record

    def _killed(self) -> tuple[int, bool, float, int]:
        self.kill()
        record = self._zygote.ended(self._draining, monotonic() + _KILL_GRACE_S)
        if record is None:
            self._zygote.end()
            raise SandboxBroken("a warm worker could not be killed")
        return record

    def _finish(self, ending: ExitStatus) -> ExitStatus:
        stdout, stderr = self._draining.pipes.finish()
        with self._lock:
            self._ending = structs.replace(
                ending, stdout=stdout, stderr=stderr, dropped_bytes=self._draining.pipes.dropped
            )
            self._zygote.fork_ahead(self._request)
            self._release(self._zygote)
            return self._ending
