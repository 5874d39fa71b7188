"""The contract between codeens and anything that can run code in isolation.

A backend opens sandboxes; a sandbox runs jobs (`jobs`, `races`); a job's result says what the code did.
What the *sandbox* did wrong is raised as `SandboxError` and is never part of a result.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct, field

from codeens_sandbox_backends.jobs import Job, Limits, R


class SandboxSpec(Struct, frozen=True, kw_only=True):
    """What a sandbox must offer: an interpreter and the folders that may be read."""

    python: str
    """Absolute path of the interpreter that runs the code."""
    readable: tuple[str, ...] = ()
    """Absolute paths, readable at the same place inside; everything else of the machine is absent."""
    placed: tuple[tuple[str, str], ...] = ()
    """Paths inside, and where on this machine lies what they show: files of another one. For bubblewrap only."""
    hidden: tuple[str, ...] = ()
    """Absolute paths under `readable` or `placed` that only suite jobs can read, because they hold the answers (the
    original, its history). Missing paths are ignored."""
    limits: Limits = field(default_factory=Limits)


class IsolationLevel(Struct, frozen=True, kw_only=True):
    """What a backend isolates. Stated with every result."""

    filesystem: bool
    network: bool
    processes: bool
    kernel: bool
    label: str
    """One phrase for people: "bubblewrap: own namespaces, no network, unprivileged user"."""


class NodeState(Struct, frozen=True, kw_only=True):
    """How a machine is doing that a sandbox of several is on, for people."""

    host: str
    cpus: int
    at_work: int = 0
    done: int = 0
    why: str = ""
    """Why it takes no work."""

    @property
    def refusal(self) -> str:
        """That and why it takes no work, in words; empty where it does."""
        return f"node {self.host} takes no work: {self.why}" if self.why else ""


class Sandbox(Protocol):
    """An open sandbox."""

    @property
    def isolation(self) -> IsolationLevel: ...

    async def run(self, job: Job[R]) -> R:
        """Run a job on fresh processes. Cancelling ends them before this returns.

        Args:
            job: Of a kind in `jobs` or `races`.

        Returns:
            What the code did, failures of the code included.

        Raises:
            SandboxBroken: the sandbox failed; the job can be run again in a new one.
            SandboxUnavailable: this machine, or the service, no longer isolates that way.
        """
        ...

    async def aclose(self) -> None:
        """End every process of this sandbox. Safe to call twice."""
        ...


class Readiness(Struct, frozen=True, kw_only=True):
    """Whether a backend can be used here, found out by trying."""

    name: str
    usable: bool
    isolation: IsolationLevel
    why: str = ""
    """Why it cannot be used; of one that can, why it isolates by its second choice."""
    fix: str = ""


class Backend(Protocol):
    """A kind of sandbox. Registered under the entry-point group `codeens.sandbox_backends`; built with no arguments."""

    name: str

    async def probe(self) -> Readiness:
        """Try what the isolation promises, in a real sandbox, within seconds.

        Returns:
            Whether the backend can be used here; if not, why, and how to mend it. It does not raise for that.
        """
        ...

    async def open(self, spec: SandboxSpec) -> Sandbox:
        """Open a sandbox.

        Args:
            spec: The interpreter, what of this machine can be read, and the limits of jobs that bring none.

        Returns:
            A sandbox that the caller closes.

        Raises:
            SandboxUnavailable: this machine cannot isolate that way.
            SandboxBroken: it could, and does not now.
        """
        ...
