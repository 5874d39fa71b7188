"""What came of asking a model with a variant before."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

System: TypeAlias = tuple[str, str]
"""A model's name and a variant's."""


class SystemRecord(Struct, frozen=True, kw_only=True):
    """How often a model with a variant was tried, how often it won, and what a try cost."""

    model: str
    variant: str
    tries: float = 0.0
    """Of earlier runs, runs; of one that is under way, answers."""
    wins: float = 0.0
    """Runs that advised to take its answer; answers that no other beats."""
    usd: float | None = None
    """For a try; None: it is not known."""

    @property
    def system(self) -> System:
        """Whom it is about."""
        return (self.model, self.variant)
