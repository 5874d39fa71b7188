"""A running worker and its process group: macOS has no process namespaces and no descriptors of processes."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

from codeens_sandbox_backends.driver.launcher import ExitStatus, exit_status_of
from codeens_sandbox_backends.errors import SandboxBroken
from codeens_sandbox_backends.host.output import Output
from codeens_sandbox_backends.host.start import StartedProcess
from codeens_sandbox_backends.jobs import Limits

_KILL_GRACE_S = 5.0
_OUTPUT_GRACE_S = 1.0
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes in a unit of `ru_maxrss`: getrusage(2) differs between systems."""


class GroupProcess:
    """A worker that leads a process group. `kill` may be called from any thread; `wait` from one."""

    def __init__(self, started: StartedProcess, limits: Limits, *, clean_up: Callable[[], None]) -> None:
        """`clean_up` is called when everything is over."""
        self.channel: socket.socket = started.channel
        stdout, stderr = started.popen.stdout, started.popen.stderr
        if stdout is None or stderr is None:
            raise SandboxBroken("a worker was started without pipes for its output")
        self._popen = started.popen
        self._clean_up = clean_up
        self._output = Output(stdout, stderr, limits.output_bytes)
        self._ending: ExitStatus | None = None
        self._cpu_s: float | None = None
        self._peak_rss_bytes: int | None = None
        self._over = threading.Event()
        threading.Thread(target=self._await_end, name="codeens end", daemon=True).start()

    def kill(self) -> None:
        """End every process of the group at once. Thread-safe; does nothing the second time."""
        with suppress(ProcessLookupError, PermissionError):  # macOS says so of groups that hold only zombies
            os.killpg(self._popen.pid, signal.SIGKILL)

    def wait(self, timeout: float) -> ExitStatus:
        """Close the channel, wait `timeout` seconds for the end, kill what is left, and tell how it ended.

        Raises:
            SandboxBroken: the worker did not go away when it was killed.
        """
        if self._ending is None:
            self.channel.close()
            self._over.wait(timeout)
            self.kill()
            if not self._over.wait(_KILL_GRACE_S):
                raise SandboxBroken(f"process {self._popen.pid} could not be killed")
            self._ending = self._take_down()
        return self._ending

    def _await_end(self) -> None:
        _, status, used = os.wait4(self._popen.pid, 0)
        self._popen.returncode = os.waitstatus_to_exitcode(status)
        self._cpu_s = used.ru_utime + used.ru_stime
        self._peak_rss_bytes = used.ru_maxrss * _RSS_UNIT
        self._over.set()

    def _take_down(self) -> ExitStatus:
        output = self._output.finish(_OUTPUT_GRACE_S)
        self._clean_up()
        return exit_status_of(
            self._popen.returncode, output=output, cpu_s=self._cpu_s, peak_rss_bytes=self._peak_rss_bytes
        )
