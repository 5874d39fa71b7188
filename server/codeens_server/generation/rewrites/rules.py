"""All rewrite rules by name, in the order in which they are chained."""

from __future__ import annotations

from collections.abc import Sequence

from codeens_server.errors import ConfigError, unknown
from codeens_server.generation.rewrites.codemods.counting import ManualCountToCounter
from codeens_server.generation.rewrites.codemods.elementwise import ElementLoopToArrays
from codeens_server.generation.rewrites.codemods.frames import ConcatOnce, RowsToValues
from codeens_server.generation.rewrites.codemods.growing import GrowInPlace
from codeens_server.generation.rewrites.codemods.hoisting import HoistInvariant
from codeens_server.generation.rewrites.codemods.indexing import NestedLoopToIndex
from codeens_server.generation.rewrites.codemods.joining import ConcatenationToJoin
from codeens_server.generation.rewrites.codemods.membership import MembershipToSet
from codeens_server.generation.rewrites.codemods.memoising import Memoise
from codeens_server.generation.rewrites.codemods.modular import PowerModulo
from codeens_server.generation.rewrites.codemods.ordering import SortToInsort
from codeens_server.generation.rewrites.codemods.pairing import PairsToPositions
from codeens_server.generation.rewrites.codemods.positions import IndexToPositions
from codeens_server.generation.rewrites.codemods.quadratic import QuadraticBuiltins
from codeens_server.generation.rewrites.codemods.queues import QueueToDeque
from codeens_server.generation.rewrites.codemods.sorting import SortToSelection
from codeens_server.generation.rewrites.ruff_fixes import FAMILIES, RuffFamily
from codeens_server.generation.rewrites.rule import Rule

# What changes the order of growth comes first, small savings last: a loop that has become a comprehension
# is not recognised any more.
_IN_ORDER: tuple[Rule, ...] = (
    Memoise(),
    NestedLoopToIndex(),
    PairsToPositions(),
    IndexToPositions(),
    GrowInPlace(),
    SortToInsort(),
    RowsToValues(),
    ConcatOnce(),
    ElementLoopToArrays(),
    QuadraticBuiltins(),
    QueueToDeque(),
    ManualCountToCounter(),
    SortToSelection(),
    PowerModulo(),
    MembershipToSet(),
    HoistInvariant(),
    ConcatenationToJoin(),
    *(RuffFamily(family) for family in FAMILIES),
)

RULES: dict[str, Rule] = {rule.name: rule for rule in _IN_ORDER}


def rule_names() -> list[str]:
    """Return names that a variant may list, in the order in which rules are chained."""
    return list(RULES)


def chosen(names: Sequence[str]) -> list[Rule]:
    """Return the rules of these names, in the order in which they are chained.

    Raises:
        ConfigError: there is no such rule; the message has the nearest.
    """
    for name in names:
        if name not in RULES:
            raise ConfigError(unknown("rewrite rule", name, rule_names()))
    return [rule for rule in _IN_ORDER if rule.name in names]
