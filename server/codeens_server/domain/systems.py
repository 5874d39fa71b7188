"""What came of asking models with variants before."""

from __future__ import annotations

import math
from typing import TypeAlias

from msgspec import Struct

System: TypeAlias = tuple[str, str]
"""A model's name and a variant's."""
_NORMAL_95 = 1.959964


class SystemRecord(Struct, frozen=True, kw_only=True):
    """How often a model with a variant was tried, how often it won, and what a try cost."""

    model: str
    variant: str
    tries: float = 0.0
    """Of earlier runs, runs; of one that is under way, answers."""
    wins: float = 0.0
    """Runs that advised to take its answer; answers that no other beats."""
    usd: float | None = None
    """What an answer cost in the mean; None: it is not known."""

    @property
    def system(self) -> System:
        """Whom it is about."""
        return (self.model, self.variant)


class Share(Struct, frozen=True, kw_only=True):
    """A share of cases, 0 to 1, with its 95 % interval (Wilson 1927), which holds also for few cases and none."""

    value: float
    low: float
    high: float
    cases: int

    @classmethod
    def of(cls, count: int, cases: int) -> Share:
        """Return `count` of `cases`."""
        if not cases:
            return cls(value=0.0, low=0.0, high=1.0, cases=0)
        value, square = count / cases, _NORMAL_95**2
        middle = (value + square / (2 * cases)) / (1 + square / cases)
        half = _NORMAL_95 * math.sqrt(value * (1 - value) / cases + square / (4 * cases**2)) / (1 + square / cases)
        return cls(value=value, low=max(0.0, middle - half), high=min(1.0, middle + half), cases=cases)


class PastRuns(Struct, frozen=True, kw_only=True):
    """How earlier runs went that asked the same models."""

    won: Share
    """Advised to take something new."""
    seconds: tuple[float, float]
    """The first and the last quartile of what they took, interruptions included."""
