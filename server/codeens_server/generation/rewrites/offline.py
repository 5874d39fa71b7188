"""Candidates that no model made: rewrite rules, each alone and all together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from codeens_server.domain.target import Candidate, Replacement, Target
from codeens_server.domain.terms import OFFLINE
from codeens_server.generation.reply.assemble import digest
from codeens_server.generation.rewrites.facts import facts_of
from codeens_server.generation.rewrites.rule import Draft, Rule
from codeens_server.generation.rewrites.rules import chosen
from codeens_variants.manifest import Variant


class Rewrite(NamedTuple):
    """One rewritten function on its way to becoming a candidate."""

    name: str
    draft: Draft
    rationale: str


def offline_candidates(target: Target, source: str, variants: Sequence[Variant]) -> list[Candidate]:
    """Rewrite the target by the rules that the variants name; `source` is the text of the target's whole file.

    Every rule is tried alone; those of a variant which change something are then chained into one more candidate.
    A candidate that several variants (or rules) lead to is made once and credits the others in `same_as`.
    It starts ruff as a child process and parses for tens of milliseconds per rule: call it in a worker thread.

    Raises:
        ConfigError: a variant names a rule that does not exist.
        TargetError: the source does not parse.
        ChangedError: the source is not the one that the target was found in.
        RunError: ruff is not installed beside codeens.
    """
    if target.body_missing:
        return []
    plans = [(variant.name, chosen(variant.rewrites)) for variant in variants]
    start = Draft(target=target, source=source, facts=facts_of(source, target), function=target.source)
    alone: dict[str, Rewrite | None] = {}
    found: dict[str, Candidate] = {}
    unchanged = digest(Replacement(function=target.source))
    for variant, rules in plans:
        for rewrite in _rewrites(variant, rules, start, alone):
            key = digest(rewrite.draft.replacement())
            if key in found:
                found[key] = _credited(found[key], variant)
            elif key != unchanged:
                found[key] = _candidate(rewrite, variant, key)
    return list(found.values())


def _rewrites(variant: str, rules: list[Rule], start: Draft, alone: dict[str, Rewrite | None]) -> list[Rewrite]:
    """Return what a variant's rules make of the target. Rules tried before are taken from `alone`."""
    for rule in rules:
        if rule.name not in alone:
            draft = rule.apply(start)
            alone[rule.name] = Rewrite(rule.name, draft, rule.rationale) if draft else None
    single = [found for rule in rules if (found := alone[rule.name])]
    if len(single) < 2:
        return single
    return [*single, _chained(variant, [rule for rule in rules if alone[rule.name]], start)]


def _chained(variant: str, rules: list[Rule], start: Draft) -> Rewrite:
    """Apply all the rules, one on the result of the other; those that find nothing any more are not named."""
    draft, used = start, list[str]()
    for rule in rules:
        following = rule.apply(draft)
        if following is not None:
            draft = following
            used.append(rule.name)
    return Rewrite(f"all-{variant}", draft, f"all of: {', '.join(used)}.")


def _candidate(rewrite: Rewrite, variant: str, key: str) -> Candidate:
    replacement = rewrite.draft.replacement()
    return Candidate(
        id=f"{OFFLINE}-{rewrite.name.replace(':', '-')}",
        model=OFFLINE,
        variant=variant,
        source=replacement.source,
        replacement=replacement,
        digest=key,
        rationale=rewrite.rationale,
        cost_usd=0.0,
    )


def _credited(candidate: Candidate, variant: str) -> Candidate:
    """Return the candidate with one more variant that leads to it."""
    label = f"{OFFLINE} · {variant}"
    if variant == candidate.variant or label in candidate.same_as:
        return candidate
    return replace(candidate, same_as=(*candidate.same_as, label))
