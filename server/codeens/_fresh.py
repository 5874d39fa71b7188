"""What is read from files, and need not be read again within a moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")
_SECONDS = 1.0
_MOST = 64


class Fresh:
    """Values that are at most a second old. May be used from several threads at once."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[float, Any]] = {}

    def get(self, key: Hashable, read: Callable[[], T]) -> T:
        """Return the value of a key, read where it is not fresh. What `read` raises is raised, and not kept."""
        now = time.monotonic()
        known = self._known.get(key)
        if known is not None and now - known[0] < _SECONDS:
            return known[1]
        value = read()
        if len(self._known) >= _MOST:
            self._known = {}
        self._known[key] = (now, value)
        return value

    def forget(self) -> None:
        """Read everything anew from now on: a file was written."""
        self._known = {}
