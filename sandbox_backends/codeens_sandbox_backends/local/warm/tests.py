"""A process that runs tests for one check after the other: tests are the task's, and no candidate's code is in it."""

from __future__ import annotations

import socket
from collections.abc import Callable

from codeens_sandbox_backends.driver.launcher import ExitStatus, TellsStarvation, WarmWorker
from codeens_sandbox_backends.driver.session import await_handshake
from codeens_sandbox_backends.host.pidfd import Scheduling
from codeens_sandbox_backends.host.process import LocalProcess

_CHECKS_AT_MOST = 1000


class TestsProcess:
    """A worker of kind `check` in a sandbox of its own."""

    def __init__(self, process: LocalProcess) -> None:
        """Take over a process that has just been started.

        Raises:
            SandboxBroken: it did not come up.
        """
        await_handshake(process)
        self.process = process
        self.checks = 0
        self.dead = False

    def end(self) -> None:
        """End it; safe to call again."""
        if not self.dead:
            self.dead = True
            self.process.kill()
            self.process.wait(0)


class BorrowedTests(WarmWorker, TellsStarvation):
    """The same for one check. Its end gives the process back, unless it was killed or did not come to rest."""

    def __init__(self, tests: TestsProcess, release: Callable[[TestsProcess], None]) -> None:
        self._tests = tests
        self._release = release
        self._ending: ExitStatus | None = None
        self._killed = False
        self.channel: socket.socket = tests.process.channel
        self._before = tests.process.turns()
        tests.checks += 1

    def rest(self, seconds: float) -> bool:
        """Return False at once: this process does not end with a request."""
        del seconds
        return False

    def turns(self) -> Scheduling:
        """Return how long it ran, and could have run and no processor was free, in this check."""
        now = self._tests.process.turns()
        return Scheduling(now.starved_s - self._before.starved_s, now.ran_s - self._before.ran_s)

    def kill(self) -> None:
        """End the process itself. Thread-safe; does nothing after `wait`."""
        if self._ending is None:
            self._killed = True
            self._tests.process.kill()

    def wait(self, timeout: float) -> ExitStatus:
        """Give the process back when it waits for the next request, else end it and tell how it ended."""
        if self._ending is None:
            if not self._killed and self._tests.checks < _CHECKS_AT_MOST and self._at_rest():
                self._ending = ExitStatus(exit_code=0)
            else:
                self._tests.dead = True
                self._ending = self._tests.process.wait(timeout)
            self._release(self._tests)
        return self._ending

    def _at_rest(self) -> bool:
        """Return whether it is alive and has nothing more to say."""
        self.channel.settimeout(0)
        try:
            self.channel.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False
