"""Candidates that calls name by id, and those that they bring."""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict
from collections.abc import Sequence

from codeens import Candidate
from codeens_mcp_tools.errors import ToolError
from codeens_mcp_tools.tools.arguments import CANDIDATE_ID, GivenSource

AGENT = "agent"
"""The model's name of what the caller wrote."""
_MOST_CANDIDATES = 2000


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
        """Return one by its id.

        Raises:
            ToolError: there is none.
        """
        if candidate_id in self._candidates:
            return self._candidates[candidate_id]
        raise ToolError(
            f"no candidate has the id {candidate_id!r}. Ids are those that generate_variants gave since the server was "
            "started; give {id, source} for a candidate of your own."
        )

    def named(self, given: Sequence[GivenSource | str]) -> dict[str, str | Candidate]:
        """Return what a call brings, and what it names, by ids; a source without an id is `c1`, `c2`, …

        Raises:
            ToolError: an id is not known, or stands twice.
        """
        found: dict[str, str | Candidate] = {}
        for number, item in enumerate(given, 1):
            if isinstance(item, str) and not is_source(item):
                name, candidate = item, self.get(item)
            elif isinstance(item, str):
                name, candidate = f"c{number}", item
            else:
                name, candidate = item.id or f"c{number}", item.source
            if name in found:
                raise ToolError(f"Two candidates have the id {name!r}; give each its own.")
            found[name] = candidate
        return found


def parents_of(given: Sequence[GivenSource | str]) -> dict[str, str]:
    """Return which earlier candidates the caller says that its own were made from, by ids."""
    numbered = enumerate(given, 1)
    return {
        item.id or f"c{number}": item.parent
        for number, item in numbered
        if isinstance(item, GivenSource) and item.parent
    }


def is_source(text: str) -> bool:
    """Return whether a text is a candidate itself, and no candidate's id."""
    return re.fullmatch(CANDIDATE_ID, text) is None
