"""What candidates say of each other where nobody knows what should come out.

Those that did the same on all inputs stand together; the share of a group's answers is its agreement. This is the
choice by executed outputs of MBR-Exec (Shi et al. 2022, arXiv:2204.11454) with whole outcome vectors. It is a vote, not
a proof.
"""

from __future__ import annotations

from collections.abc import Mapping

from codeens_sandbox_backends.base import Outcome, Returned
from codeens_sandbox_backends.values.compare import outcome_key


def behaviour_groups(outcomes: Mapping[str, tuple[Outcome, ...]]) -> list[list[str]]:
    """Ids that did the same on every input, in the order in which they were first seen."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, vector in outcomes.items():
        groups.setdefault(tuple(map(outcome_key, vector)), []).append(name)
    return list(groups.values())


def agree(entries: Mapping[str, tuple[Outcome, ...]], weights: Mapping[str, int]) -> dict[str, float]:
    """The share, 0 to 1, of all answers that did exactly what each one did.

    `weights` says how many answers stand behind an id (1 where it is silent). What returned on no input at all agrees
    with nobody: crashing alike is no sign of being right.
    """
    total = sum(weights.get(name, 1) for name in entries)
    shares: dict[str, float] = {}
    for group in behaviour_groups(entries):
        returned = any(isinstance(outcome, Returned) for outcome in entries[group[0]])
        share = sum(weights.get(name, 1) for name in group) / total if returned else 0.0
        shares |= dict.fromkeys(group, share)
    return shares
