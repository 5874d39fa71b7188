"""Candidates that the caller brings, as the engine's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from msgspec.structs import replace

from codeens_server.domain.target import Candidate, Replacement, Target
from codeens_server.domain.terms import ORIGINAL
from codeens_server.errors import InputError
from codeens_server.generation.generate import METHODS
from codeens_server.generation.reply.assemble import digest
from codeens_server.generation.reply.extract import Unusable, extract
from codeens_server.generation.reply.own_versions import kept_apart
from codeens_server.generation.reply.parts import FENCED, parts
from codeens_server.generation.reply.patches import applied, changes_of
from codeens_server.generation.reply.whole_files import changed_module, left_out
from codeens_server.workspace.context import context_of
from codeens_server.workspace.text import snapshot

GIVEN = "given"
"""The model's name of what the caller brings."""
LONGEST_SOURCE = 1 << 20
"""Characters."""

Candidates: TypeAlias = Mapping[str, str | Candidate] | Sequence[str | Candidate]
"""Sources, or made candidates, by the ids that results shall use; else sources are `1`, `2`, ... in their order."""


def named(candidates: Candidates) -> dict[str, str | Candidate]:
    """Return candidates by their ids; a source that is one fence is what the fence holds.

    Raises:
        InputError: two have the same id, one has the original's, or one is too long.
    """
    pairs = list(_pairs(candidates))
    ids = [name for name, _ in pairs]
    if twice := [name for name in ids if ids.count(name) > 1]:
        message = f"two candidates have the id {twice[0]!r}; give each its own."
        raise InputError(message, code="candidate_twice")
    if ORIGINAL in ids:
        message = f"{ORIGINAL!r} is the id of the original, which is judged in any case; use another id."
        raise InputError(message, code="candidate_id_taken")
    for name, item in pairs:
        if isinstance(item, str) and len(item) > LONGEST_SOURCE:
            message = f"candidate {name} has more than {LONGEST_SOURCE} characters."
            raise InputError(message, code="candidate_too_long")
    return {name: _bare(item) if isinstance(item, str) else item for name, item in pairs}


def _bare(source: str) -> str:
    if not source.lstrip().startswith(("```", "~~~")):
        return source
    fenced = [part.text for part in parts(source)[:-1] if part.rank <= FENCED]
    return fenced[0] if len(fenced) == 1 else source


def given_candidates(
    target: Target, candidates: Candidates, model: str = GIVEN, parents: Mapping[str, str] | None = None
) -> tuple[Candidate, ...]:
    """Return candidates as replacements of a function.

    What holds no such function is taken as it is, so that its verdict says so.

    Args:
        model: what results call those who wrote the sources.
        parents: ids of earlier candidates that some of these were made from, by their own.

    Raises:
        InputError: see `named`.
    """
    of = parents or {}
    made = (
        _written(target, name, item, model) if isinstance(item, str) else replace(item, id=name, round=0)
        for name, item in named(candidates).items()
    )
    return tuple(replace(candidate, parent=of.get(candidate.id, candidate.parent)) for candidate in made)


def _pairs(candidates: Candidates) -> Iterable[tuple[str, str | Candidate]]:
    if isinstance(candidates, Mapping):
        yield from candidates.items()
        return
    for number, item in enumerate(candidates, start=1):
        yield (str(number) if isinstance(item, str) else item.id), item


def _written(target: Target, name: str, source: str, model: str) -> Candidate:
    replacement, receipt = _replacement(target, source)
    return Candidate(
        id=name,
        model=model,
        variant=name,
        source=replacement.source,
        replacement=replacement,
        receipt=receipt,
        digest=digest(replacement),
        cost_usd=0.0,
    )


def _replacement(target: Target, source: str) -> tuple[Replacement, tuple[str, ...]]:
    """Return what a source puts in the target's place, and what of it was left out or renamed."""
    name, module = target.qualname.rpartition(".")[2], snapshot(target).text
    context = context_of(target)
    stub = "\n\n".join([context.imports, *context.helpers, target.source])
    changes = changes_of(source)
    patched = applied(changes, module) if changes and applied(changes, stub) is None else None
    change = changed_module(module, patched, target.qualname) if patched is not None else None
    try:
        taken, *_ = extract(change.text if change else source, name, stub=stub, is_method=target.kind in METHODS)
    except Unusable:
        return Replacement(function=source), ()
    replacement, renamed = kept_apart(taken.replacement, module)
    left = left_out(change, taken.replacement) if change else ()
    return replacement, (*taken.receipt, *renamed, *left)
