"""A running worker on this machine: its channel, its output, its end."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import islice

from codeens_sandbox_backends.driver.launcher import DirectWorker, ExitStatus, TellsStarvation, exit_status_of
from codeens_sandbox_backends.errors import SandboxBroken
from codeens_sandbox_backends.host.cgroups import Cgroup, make_cgroup
from codeens_sandbox_backends.host.clocks import HostClocks
from codeens_sandbox_backends.host.memory_watch import MemoryGuard, family_of
from codeens_sandbox_backends.host.output import Output
from codeens_sandbox_backends.host.pidfd import Consumed, Scheduling, Watched, turns_of, watch
from codeens_sandbox_backends.host.start import StartedProcess
from codeens_sandbox_backends.jobs import Limits

_KILL_GRACE_S = 5.0
"""How long killed processes may take to be gone: they can be stuck in the kernel, freeing memory."""
_OUTPUT_GRACE_S = 1.0
_FEW_PROCESSES = 6
"""More than what it is wrapped in, itself, and a program or two that it calls."""


def nothing() -> None:
    """For when there is nothing more to do."""


class LocalProcess(DirectWorker, TellsStarvation):
    """A worker. `kill` may be called from any thread; `wait` from one."""

    def __init__(
        self,
        started: StartedProcess,
        limits: Limits,
        *,
        watched: Watched,
        cgroup: Cgroup | None,
        wrapped: bool,
        memory_code: int | None = None,
        kill_rest: Callable[[], None] = nothing,
        clean_up: Callable[[], None] = nothing,
    ) -> None:
        """Watch a worker.

        `wrapped`: exit codes over 128 stand for signals. `memory_code`: the exit code of a kill that was for memory
        unless it was ours. `kill_rest` is called while the started process is not reaped yet, `clean_up` when
        everything is over.
        """
        self.channel: socket.socket = started.channel
        self._popen = started.popen
        self._watched = watched
        self._cgroup = cgroup
        self._wrapped = wrapped
        self._memory_code = memory_code
        self._killed = False
        self._kill_rest = kill_rest
        self._clean_up = clean_up
        self._consumed = Consumed()
        self._turns = Scheduling()
        self._lock = threading.Lock()
        self._ending: ExitStatus | None = None
        stdout, stderr = started.popen.stdout, started.popen.stderr
        if stdout is None or stderr is None:
            raise SandboxBroken("a worker was started without pipes for its output")
        self._output = Output(stdout, stderr, limits.output_bytes)
        self._memory = MemoryGuard(watched.root.pid, limits.memory_bytes, self.kill) if cgroup is None else None

    def clocks(self, pid: int) -> HostClocks:
        """Return the clocks of a fork of this worker; see `driver.launcher.DirectWorker`."""
        return HostClocks(pid)

    def kill(self) -> None:
        """End every process of this worker at once. Thread-safe; does nothing the second time."""
        with self._lock:
            if self._ending is not None:
                return
            self._look()
            self._killed = self._killed or not self._watched.outer.ended(0)
            self._watched.root.kill()
            self._kill_rest()
            if self._cgroup is not None:
                self._cgroup.kill()

    def wait(self, timeout: float) -> ExitStatus:
        """Close the channel, wait `timeout` seconds for the end, kill what is left, and tell how it ended.

        Raises:
            SandboxBroken: processes did not go away when they were killed.
        """
        if self._ending is not None:
            return self._ending
        self._look()
        self.channel.close()
        self._await_end(timeout)
        if self._memory is not None:
            self._memory.stop()
        self.kill()
        if not self._watched.root.ended(_KILL_GRACE_S) or not self._watched.outer.ended(_KILL_GRACE_S):
            self._watched.outer.kill()
            if not self._watched.outer.ended(_KILL_GRACE_S):
                raise SandboxBroken(f"process {self._watched.outer.pid} could not be killed")
        with self._lock:
            self._ending = self._take_down()
            return self._ending

    def turns(self) -> Scheduling:
        """Return how long it ran, and was kept from running as long as it makes few processes.

        Many of its own can keep it from running, and would put every deadline off.
        """
        if (
            self._ending is None
            and len(list(islice(family_of(self._watched.root.pid), _FEW_PROCESSES))) < _FEW_PROCESSES
        ):
            self._turns = max(self._turns, turns_of(self.pid))
        return self._turns

    @property
    def pid(self) -> int:
        """Of the worker's interpreter, as this process sees it."""
        return self._watched.worker.pid

    def _await_end(self, timeout: float) -> None:
        """Wait so long for its end; what it has been kept from running does not count."""
        granted = 0.0
        while not self._watched.outer.ended(timeout) and timeout > 0:
            starved = self.turns().starved_s
            timeout, granted = starved - granted, starved

    def _look(self) -> None:
        """Remember what the worker has used: it cannot be asked when it is gone."""
        consumed = self._watched.worker.consumed()
        if consumed.cpu_s is not None:
            self._consumed = consumed

    def _take_down(self) -> ExitStatus:
        code = self._popen.wait()
        output = self._output.finish(_OUTPUT_GRACE_S)
        bound_hit = self._cgroup is not None and self._cgroup.out_of_memory()
        bound_hit = bound_hit or (self._memory is not None and self._memory.exceeded)
        if self._cgroup is not None:
            self._cgroup.remove()
        self._watched.close()
        self._clean_up()
        for_memory = code == self._memory_code
        return exit_status_of(
            -signal.SIGKILL if for_memory else _returncode(code, wrapped=self._wrapped),
            out_of_memory=bound_hit or (for_memory and not self._killed),
            output=output,
            cpu_s=self._consumed.cpu_s,
            peak_rss_bytes=self._consumed.peak_rss_bytes,
        )


def _returncode(code: int, *, wrapped: bool) -> int:
    """Return what `subprocess` would have told without a wrapper, which ends with 128 and the number of a signal."""
    return 128 - code if wrapped and code - 128 in signal.valid_signals() else code


def prepared(
    started: StartedProcess,
    limits: Limits,
    *,
    root: int,
    wrapped: bool,
    memory_code: int | None = None,
    kill_rest: Callable[[], None] = nothing,
    clean_up: Callable[[], None] = nothing,
) -> LocalProcess:
    """Put the worker into a control group where there are any, and release it.

    `root` is the process whose end is the end of all others; the rest is as for `LocalProcess`.

    Raises:
        SandboxBroken: the worker ended meanwhile.
    """
    cgroup = make_cgroup(limits)
    try:
        if cgroup is not None and not cgroup.add(started.pid):
            cgroup.remove()
            cgroup = None
        watched = watch(started.popen.pid, root, started.pid)
    except OSError as error:
        why = started.discard()
        if cgroup is not None:
            cgroup.remove()
        clean_up()
        raise SandboxBroken(f"a sandboxed process ended while it was being prepared ({error}): {why}") from error
    process = LocalProcess(
        started,
        limits,
        watched=watched,
        cgroup=cgroup,
        wrapped=wrapped,
        memory_code=memory_code,
        kill_rest=kill_rest,
        clean_up=clean_up,
    )
    with suppress(OSError):  # when it is gone, its channel tells
        started.release()
    return process
