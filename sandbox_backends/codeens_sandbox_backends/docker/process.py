"""A worker in a container: its order, its channel, its output, its end."""

from __future__ import annotations

import base64
import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from time import monotonic

import msgspec
from msgspec import Struct

from codeens_sandbox_backends.docker.container import Container
from codeens_sandbox_backends.driver.launcher import ExitStatus, WorkerKind, exit_status_of
from codeens_sandbox_backends.errors import SandboxBroken
from codeens_sandbox_backends.host.limits import rlimits
from codeens_sandbox_backends.host.output import Output
from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.reading import decoded

_KILL_GRACE_S = 5.0
_OUTPUT_GRACE_S = 1.0
_REPORT_AT_MOST = 4096
_KILLED = exit_status_of(-signal.SIGKILL)


class ContainerReport(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the first process of a container says when every other one is gone."""

    status: int
    """As wait(2) tells it."""
    cpu_s: float
    peak_rss_bytes: int
    out_of_memory: bool
    again: bool
    """Whether it waits for another order."""


class DockerProcess:
    """A worker. `kill` may be called from any thread; `wait` from one."""

    def __init__(
        self,
        container: Container,
        kind: WorkerKind,
        limits: Limits,
        syscall_filter: bytes,
        give_back: Callable[[Container], None],
    ) -> None:
        """Give the container its order. Raises `OSError` when it is gone; the container is then for the caller.

        `give_back` is called with the container when the worker has ended; it is dead if it takes no other order.
        """
        self._container = container
        self._give_back = give_back
        self._control = container.control
        self._lock = threading.Lock()
        self._killed = False
        self._ending: ExitStatus | None = None
        order = {
            "kind": kind,
            "rlimits": rlimits(limits, processes=None),
            "last": container.orders_left <= 1,
            "filter": base64.b64encode(syscall_filter).decode("ascii"),
        }
        with ExitStack() as theirs, ExitStack() as ours:
            self.channel, channel = socket.socketpair()
            ours.callback(self.channel.close)
            theirs.callback(channel.close)
            stdout, stderr = (_pipe(ours, theirs) for _ in range(2))
            line = msgspec.json.encode(order) + b"\n"
            sent = socket.send_fds(self._control, [line], [channel.fileno(), stdout[1], stderr[1]])
            self._control.sendall(line[sent:])
            ours.pop_all()
        container.orders_left -= 1
        self._output = Output(
            os.fdopen(stdout[0], "rb", buffering=0), os.fdopen(stderr[0], "rb", buffering=0), limits.output_bytes
        )

    def kill(self) -> None:
        """End every process of this worker at once. Thread-safe; does nothing the second time."""
        with self._lock:
            if self._ending is None and not self._killed:
                self._killed = True
                with suppress(OSError):  # it is gone already
                    self._control.shutdown(socket.SHUT_WR)

    def wait(self, timeout: float) -> ExitStatus:
        """Close the channel, wait `timeout` seconds for the end, kill what is left, and tell how it ended.

        Raises:
            SandboxBroken: the container was ended by somebody else, or could not be ended.
        """
        if self._ending is not None:
            return self._ending
        self.channel.close()
        said = self._said(timeout)
        if said is None:
            self.kill()
            said = self._said(_KILL_GRACE_S)
        killed = self._killed
        with self._lock:
            self._ending = _KILLED  # should what follows fail, it is not tried again
        output = self._output.finish(_OUTPUT_GRACE_S)
        report, reusable = None, False
        try:
            report = _report(said) if said else None
            reusable = report is not None and report.again and not killed
        finally:
            if reusable:
                self._control.settimeout(None)
            else:
                self._container.end()
            self._give_back(self._container)
        if report is None:
            self._container.remove()
            out_of_memory = self._was_out_of_memory(ours=killed)
            self._ending = exit_status_of(-signal.SIGKILL, out_of_memory=out_of_memory, output=output)
        else:
            self._ending = exit_status_of(
                os.waitstatus_to_exitcode(report.status),
                out_of_memory=report.out_of_memory,
                output=output,
                cpu_s=report.cpu_s,
                peak_rss_bytes=report.peak_rss_bytes,
            )
        return self._ending

    def _said(self, timeout: float) -> bytes | None:
        """Return the first process's last words, empty when it ended without any; None while it lives on."""
        deadline = monotonic() + timeout
        text = b""
        while not text.endswith(b"\n") and len(text) < _REPORT_AT_MOST:
            self._control.settimeout(max(0.001, deadline - monotonic()))
            try:
                piece = self._control.recv(_REPORT_AT_MOST)
            except TimeoutError:
                return None
            except OSError:
                return b""
            if not piece:
                return b""
            text += piece
        return text

    def _was_out_of_memory(self, *, ours: bool) -> bool:
        """Return whether the kernel ended the first process for memory; raises when somebody ended the container."""
        if ours or self._container.was_out_of_memory():
            return not ours
        raise SandboxBroken("a container was ended from outside: the daemon was stopped, or somebody removed it")


def _pipe(ours: ExitStack, theirs: ExitStack) -> tuple[int, int]:
    reading, writing = os.pipe()
    ours.callback(os.close, reading)
    theirs.callback(os.close, writing)
    return reading, writing


def _report(said: bytes) -> ContainerReport:
    try:
        return decoded(said, ContainerReport)
    except msgspec.MsgspecError as error:
        raise SandboxBroken(f"a container's first process said what it should not: {error}") from error
