"""Candidates that generate_variants made, for calls that name them by id."""

from __future__ import annotations

import secrets
from collections import OrderedDict

from codeens_mcp_tools.errors import ToolError
from codeens_server.domain import Candidate

_MOST = 2000


class CandidateCache:
    """The latest candidates, by an id that no other has."""

    def __init__(self) -> None:
        self._candidates: OrderedDict[str, Candidate] = OrderedDict()

    def new_batch(self) -> str:
        """What ids of one call begin with."""
        return f"g{secrets.token_hex(3)}"

    def add(self, candidate: Candidate) -> None:
        """Keep one; the oldest of many is forgotten."""
        self._candidates[candidate.id] = candidate
        while len(self._candidates) > _MOST:
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
