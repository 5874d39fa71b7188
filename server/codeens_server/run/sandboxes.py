"""The sandboxes of a run: what is kept of them beside its events."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from codeens_sandbox_backends.executor import Executor


class SandboxUse(Struct, frozen=True, kw_only=True):
    """A sandbox that a run opened in one of its interpreters; one that took a broken one's place counts with it."""

    python: str
    """Path of the interpreter."""
    label: str
    """The backend and what it isolates."""
    opened: datetime
    closed: datetime | None
    """None: it is open, or its process was killed."""
    jobs: int
    """Jobs that were begun."""
    busy_s: float
    """Seconds of its jobs, added up also where several ran at once."""

    @classmethod
    def of(cls, executor: Executor, closed: datetime | None = None) -> SandboxUse:
        """Return how a sandbox stands."""
        return cls(
            python=executor.python,
            label=executor.label,
            opened=executor.opened,
            closed=closed,
            jobs=executor.jobs,
            busy_s=round(executor.busy_s, 3),
        )
