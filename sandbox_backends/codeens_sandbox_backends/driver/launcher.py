"""What a backend must be able to do for the driver: start a worker and end it."""

from __future__ import annotations

import signal
import socket
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Literal, NamedTuple, Protocol, TypeAlias

from msgspec import Struct

from codeens_sandbox_backends.host.pidfd import Scheduling
from codeens_sandbox_backends.jobs import Limits

WorkerKind: TypeAlias = Literal["calls", "suite", "check", "stdio", "race"]
"""A module of the worker package; its `main(fd)` serves the channel whose descriptor it is given."""


class ExitStatus(Struct, frozen=True, kw_only=True):
    """How a worker's process ended and what it left on its output."""

    exit_code: int | None = None
    signal: int | None = None
    limit: Literal["memory", "cpu", "disk"] | None = None
    """The limit that ended it, where the operating system says so."""
    stdout: bytes = b""
    stderr: bytes = b""
    dropped_bytes: int = 0
    """Output over `Limits.output_bytes`, read and thrown away."""
    cpu_s: float | None = None
    peak_rss_bytes: int | None = None


_LIMIT_SIGNALS: Mapping[int, Literal["cpu", "disk"]] = {signal.SIGXCPU.value: "cpu", signal.SIGXFSZ.value: "disk"}


def exit_status_of(
    returncode: int,
    *,
    out_of_memory: bool = False,
    over_cpu: bool = False,
    output: tuple[bytes, bytes, int] = (b"", b"", 0),
    cpu_s: float | None = None,
    peak_rss_bytes: int | None = None,
) -> ExitStatus:
    """Return what is known of a process that has ended.

    Args:
        returncode: As `subprocess` and `os.waitstatus_to_exitcode` tell it: negative for a signal.
        out_of_memory: Whether a memory bound was reached; it tells why a killed process was killed.
        over_cpu: Whether its processor time was used up.
        output: What was kept of stdout and of stderr, and how many bytes were dropped.
        cpu_s: Seconds of processor time.
        peak_rss_bytes: The most memory it had.
    """
    number = -returncode if returncode < 0 else None
    limit: Literal["memory", "cpu", "disk"] | None = "cpu" if over_cpu else None
    if limit is None and number is not None:
        over_memory = out_of_memory and number == signal.SIGKILL
        limit = "memory" if over_memory else _LIMIT_SIGNALS.get(number)
    return ExitStatus(
        exit_code=returncode if number is None else None,
        signal=number,
        limit=limit,
        stdout=output[0],
        stderr=output[1],
        dropped_bytes=output[2],
        cpu_s=cpu_s,
        peak_rss_bytes=peak_rss_bytes,
    )


class WorkerProcess(Protocol):
    """A running worker. Its output is drained in the background, so it can never block on it."""

    @property
    def channel(self) -> socket.socket:
        """The judge's end of a connected stream socket."""
        ...

    def kill(self) -> None:
        """End every process of this worker at once. Thread-safe; does nothing the second time."""
        ...

    def wait(self, timeout: float) -> ExitStatus:
        """Close the channel, wait `timeout` seconds for the end, kill what is left, and tell how it ended."""
        ...


class TellsStarvation(ABC):
    """Base of workers of which this machine tells how long they were kept from running."""

    @abstractmethod
    def turns(self) -> Scheduling:
        """Return how long it ran, and could have run and no processor was free; thread-safe, neither ever shrinks."""


class WarmWorker(ABC):
    """Base of workers that come from a process whose handshake is done: they have none of their own."""

    @abstractmethod
    def rest(self, seconds: float) -> bool:
        """Sleep until the worker has ended, for `seconds` at most.

        Returns:
            Whether it has ended; what it said can then be read.
        """


class Instant(NamedTuple):
    """What the clocks of a process say, each in seconds from a start of its own."""

    cpu_s: float
    """Processor time of the process."""
    delay_s: float
    """How long it has waited for a processor, being ready to run."""
    group_s: float | None = None
    """Processor time of all processes of its side; None where they cannot be told apart."""


class SideClocks(Protocol):
    """The clocks of one side of a race, read from outside."""

    def read(self, pid: int) -> Instant:
        """Read the clocks of a process of this side.

        Raises:
            OSError: it has ended.
        """
        ...

    def close(self) -> None:
        """Let go of them. All processes of the side have ended."""
        ...


class DirectWorker(ABC):
    """Base of workers on this machine: descriptors reach them, and the kernel tells here who sends on one."""

    @abstractmethod
    def clocks(self, pid: int) -> SideClocks:
        """Return the clocks of a side that has just been forked, and of all processes that it will make.

        Args:
            pid: Its number, as the kernel tells it here; above 0.
        """


class Launcher(Protocol):
    """Starts workers inside one sandbox."""

    def launch(self, kind: WorkerKind, limits: Limits) -> WorkerProcess:
        """Start a fresh interpreter in isolation that serves `kind`.

        The process runs `worker.<kind>.main(fd)` under `python -I`, with `limits` in force before any foreign code.

        Raises:
            SandboxUnavailable: this machine cannot isolate that way.
            SandboxBroken: it could be opened before and now it cannot.
        """
        ...
