"""Candidates that came with a call, as the engine's own."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from codeens_mcp_tools.caches import CandidateCache
from codeens_mcp_tools.errors import ToolError
from codeens_mcp_tools.tools.arguments import GivenSource
from codeens_server.domain import ORIGINAL, Candidate, Replacement, Target
from codeens_server.generation.generate import METHODS
from codeens_server.generation.reply.assemble import digest
from codeens_server.generation.reply.extract import Unusable, extract
from codeens_server.workspace.context import context_of

AGENT = "agent"
"""The model's name of what the caller wrote."""
_LONGEST_SOURCE = 1 << 20


def check_ids(given: Sequence[GivenSource | str]) -> None:
    """See that no two candidates have the same id, and none the original's.

    Raises:
        ToolError: some have.
    """
    ids = [item if isinstance(item, str) else item.id for item in given]
    if twice := [name for name in ids if ids.count(name) > 1]:
        raise ToolError(f"Two candidates have the id {twice[0]!r}; give each its own.")
    if ORIGINAL in ids:
        raise ToolError(f"{ORIGINAL!r} is the id of the original, which is judged in any case; use another id.")
    for item in given:
        if isinstance(item, GivenSource) and len(item.source) > _LONGEST_SOURCE:
            raise ToolError(f"Candidate {item.id} has more than {_LONGEST_SOURCE} characters.")


def candidates_for(target: Target, given: Sequence[GivenSource | str], kept: CandidateCache) -> tuple[Candidate, ...]:
    """The candidates as replacements of a function.

    Raises:
        ToolError: an id is not known, or stands twice.
    """
    check_ids(given)
    return tuple(candidate_for(target, item, kept) for item in given)


def candidate_for(target: Target, given: GivenSource | str, kept: CandidateCache) -> Candidate:
    """One candidate. What holds no such function is taken as it is, so that its verdict says so.

    Raises:
        ToolError: its id is not known.
    """
    if isinstance(given, str):
        return replace(kept.get(given), round=0)
    replacement = _replacement(target, given.source)
    return Candidate(
        id=given.id,
        model=AGENT,
        variant=given.id,
        source=replacement.source,
        replacement=replacement,
        digest=digest(replacement),
        cost_usd=0.0,
    )


def _replacement(target: Target, source: str) -> Replacement:
    name = target.qualname.rpartition(".")[2]
    context = context_of(target)
    stub = "\n\n".join([context.imports, *context.helpers, target.source])
    try:
        return extract(source, name, stub=stub, is_method=target.kind in METHODS)
    except Unusable:
        return Replacement(function=source)
