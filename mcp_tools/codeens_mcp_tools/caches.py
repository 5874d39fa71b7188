"""What is remembered between calls: what was read from files a moment ago, and candidates that calls name by id."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from codeens_mcp_tools.errors import ToolError
from codeens_server.domain import Candidate

T = TypeVar("T")
_FRESH_S = 1.0
_MOST_VALUES = 64
_MOST_CANDIDATES = 2000


class TtlCache:
    """Values that are at most a second old. May be used from several threads at once."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[float, Any]] = {}

    def get(self, key: Hashable, read: Callable[[], T]) -> T:
        """The value of a key, read where it is not fresh. What `read` raises is raised, and not kept."""
        now = time.monotonic()
        known = self._known.get(key)
        if known is not None and now - known[0] < _FRESH_S:
            return known[1]
        value = read()
        if len(self._known) >= _MOST_VALUES:
            self._known = {}
        self._known[key] = (now, value)
        return value


class CandidateCache:
    """The latest candidates, by an id that no other has."""

    def __init__(self) -> None:
        self._candidates: OrderedDict[str, Candidate] = OrderedDict()

    def new_batch(self) -> str:
        """Return a new id prefix for one batch of candidates."""
        return f"g{secrets.token_hex(3)}"

    def add(self, candidate: Candidate) -> None:
        """Keep one; the oldest of many is forgotten."""
        self._candidates[candidate.id] = candidate
        while len(self._candidates) > _MOST_CANDIDATES:
            self._candidates.popitem(last=False)

    def get(self, candidate_id: str) -> Candidate:
        """One by its id.

        Raises:
            ToolError: there is none.
        """
        if candidate_id in self._candidates:
            return self._candidates[candidate_id]
        raise ToolError(
            f"no candidate has the id {candidate_id!r}. Ids are those that generate_variants gave since the server was "
            "started; give {id, source} for a candidate of your own."
        )

    def ids(self) -> list[str]:
        """All ids, the latest first."""
        return list(reversed(self._candidates))
