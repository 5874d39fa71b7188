"""Backends by name, ours and those of other distributions, through one entry-point group."""

from __future__ import annotations

import difflib
import sys
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from codeens_sandbox_backends.base import Backend
from codeens_sandbox_backends.errors import SandboxUnavailable, UnknownBackend

GROUP = "codeens.sandbox_backends"


def backend_names() -> list[str]:
    """Return the names of all registered backends, sorted, without loading any."""
    return sorted(_entries())


def get_backend(name: str) -> Backend:
    """Load and build the backend of that name, and no other.

    Args:
        name: Its entry point's name, such as "local".

    Returns:
        A new backend; it has tried nothing of this machine yet.

    Raises:
        UnknownBackend: nothing is registered under it; the message names the nearest name.
        SandboxUnavailable: it is registered and cannot be loaded.
    """
    entries = _entries()
    entry = entries.get(name)
    if entry is None:
        nearest = difflib.get_close_matches(name, entries, n=1)
        raise UnknownBackend(name, sorted(entries), nearest[0] if nearest else None)
    try:
        backend: Backend = entry.load()()
    except Exception as error:
        raise SandboxUnavailable(
            name, f"{entry.value} could not be loaded ({type(error).__name__}: {error})", "Reinstall its distribution"
        ) from error
    return backend


def _entries() -> dict[str, EntryPoint]:
    return _entries_on(tuple(sys.path))


@cache
def _entries_on(path: tuple[str, ...]) -> dict[str, EntryPoint]:
    """By name. The first one found wins, as with imports: a distribution cannot take over a name behind it.

    Read once, for each path of imports: all that is installed is looked at, which takes longer than many a job.
    """
    del path
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=GROUP):
        found.setdefault(entry.name, entry)
    return found
