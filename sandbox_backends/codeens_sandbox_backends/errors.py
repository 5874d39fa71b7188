"""What can go wrong with a sandbox. None of it says anything about the candidate.

SandboxError
├── SandboxUnavailable   this backend cannot isolate here: the message says how to mend it
├── SandboxBroken        it was open and stopped answering: safe to retry in a new one
└── UnknownBackend       no backend of that name is registered
"""

from __future__ import annotations


class SandboxError(Exception):
    """The sandbox failed; never to be counted against the code that ran in it."""


class SandboxUnavailable(SandboxError):
    """The backend cannot isolate on this machine."""

    def __init__(self, backend: str, why: str, fix: str) -> None:
        super().__init__(f"sandbox {backend!r} cannot be used here: {why}. {fix}")
        self.backend = backend
        self.why = why
        self.fix = fix


class SandboxBroken(SandboxError):
    """The sandbox was open and then failed for a reason of its own."""


class UnknownBackend(SandboxError):
    """No installed distribution registers a backend of that name."""

    def __init__(self, name: str, known: list[str], nearest: str | None) -> None:
        hint = f" Did you mean {nearest!r}?" if nearest else ""
        super().__init__(f"no sandbox is called {name!r}.{hint} Known: {', '.join(known)}.")
        self.name = name
        self.known = known
        self.nearest = nearest
