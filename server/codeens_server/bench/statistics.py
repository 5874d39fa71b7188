"""What numbers of a benchmark are worth: intervals by bootstrap over tasks, and comparisons on the same tasks.

Tasks are what is drawn, not samples: the samples of a task are alike, and a benchmark speaks of tasks that were not in
it. Of two systems only the differences on the same tasks are looked at.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from codeens_server.bench.score import pass_at_k

DRAWS = 2000
LEVEL = 0.95
MOST_P = 0.05

Counts: TypeAlias = Mapping[str, tuple[int, int]]
"""By task: how many samples there are, and how many of them are right."""


class Estimate(Struct, frozen=True, kw_only=True):
    """A mean over tasks with its interval."""

    value: float
    low: float
    high: float
    tasks: int


class Difference(Struct, frozen=True, kw_only=True):
    """One system against another on the tasks that both have."""

    a: str
    b: str
    value: float
    """Mean of pass@1 of `a` minus that of `b`, -1 to 1."""
    low: float
    high: float
    """95 % of paired bootstrap."""
    tasks: int
    only_a: int
    only_b: int
    """Tasks that most samples of this one alone pass."""
    mcnemar_p: float
    """Exact, two-sided."""
    bootstrap_p: float
    """Two-sided: twice the share of draws on the other side of no difference."""
    p: float
    """The larger of both, corrected by Holm for all comparisons that were made."""

    @property
    def winner(self) -> str | None:
        """Who is better; None: it cannot be told."""
        if self.p >= MOST_P or not self.low * self.high > 0:
            return None
        return self.a if self.value > 0 else self.b

    @property
    def sentence(self) -> str:
        """What may be said."""
        points = f"{100 * self.value:+.1f} points ({100 * self.low:+.1f} to {100 * self.high:+.1f}, p {self.p:.3g})"
        if self.winner is None:
            return f"{self.a} and {self.b} cannot be told apart: {points}"
        loser = self.b if self.winner == self.a else self.a
        return f"{self.winner} beats {loser}: {self.a} minus {self.b} is {points}"


def pass_at(k: int, counts: Counts, *, seed: int = 0) -> Estimate | None:
    """Return pass@k of tasks with a 95 % interval; None: a task has fewer than `k` samples, or there is none."""
    if not counts or min(total for total, _ in counts.values()) < k:
        return None
    return mean_of([pass_at_k(total, right, k) for total, right in counts.values()], seed=seed)


def mean_of(values: Sequence[float], *, seed: int = 0) -> Estimate:
    """Return a mean over tasks with a 95 % interval: percentiles of the bootstrap.

    Where all tasks say the same the bootstrap has no width; there the bound is the one for a share of n that were all
    alike (rule of three, Clopper-Pearson).
    """
    count = len(values)
    value = math.fsum(values) / count
    low, high = _interval(_drawn(values, seed))
    if len(set(values)) == 1 and value in (0.0, 1.0):
        room = 1.0 - ((1.0 - LEVEL) / 2) ** (1.0 / count)
        low, high = (0.0, room) if value == 0.0 else (1.0 - room, 1.0)
    return Estimate(value=value, low=low, high=high, tasks=count)


def compare_all(systems: Mapping[str, Counts], *, seed: int = 0) -> list[Difference]:
    """Return every pair of systems that have tasks in common, with their p-values corrected together (Holm)."""
    found = [
        difference
        for a, b in combinations(systems, 2)
        if (difference := _compared(a, systems[a], b, systems[b], seed)) is not None
    ]
    corrected = holm([difference.p for difference in found])
    return [replace(difference, p=p) for difference, p in zip(found, corrected, strict=True)]


def _compared(a: str, of_a: Counts, b: str, of_b: Counts, seed: int) -> Difference | None:
    """Return a comparison before any correction.

    McNemar's test wants one answer a task: where there are several, whether most are right stands for them.
    """
    common = [task for task in of_a if task in of_b]
    if not common:
        return None
    gains = [_rate(of_a[task]) - _rate(of_b[task]) for task in common]
    draws = _drawn(gains, seed)
    low, high = _interval(draws)
    only_a = sum(_mostly(of_a[task]) and not _mostly(of_b[task]) for task in common)
    only_b = sum(_mostly(of_b[task]) and not _mostly(of_a[task]) for task in common)
    bootstrap_p, exact_p = _two_sided(draws), mcnemar(only_a, only_b)
    return Difference(
        a=a,
        b=b,
        value=math.fsum(gains) / len(gains),
        low=low,
        high=high,
        tasks=len(common),
        only_a=only_a,
        only_b=only_b,
        mcnemar_p=exact_p,
        bootstrap_p=bootstrap_p,
        p=max(bootstrap_p, exact_p),
    )


def mcnemar(only_a: int, only_b: int) -> float:
    """Return the exact two-sided p of McNemar's test: that of a fair coin for the tasks on which two systems differ."""
    total = only_a + only_b
    if not total:
        return 1.0
    tail = sum(math.comb(total, number) for number in range(min(only_a, only_b) + 1))
    return min(1.0, 2.0 * tail / 2**total)


def holm(ps: Sequence[float]) -> list[float]:
    """Return p-values corrected for how many there are (Holm 1979), in their order."""
    order = sorted(range(len(ps)), key=lambda index: ps[index])
    corrected, largest = [0.0] * len(ps), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[index]))
        corrected[index] = largest
    return corrected


def coverage(systems: Mapping[str, Counts], *, seed: int = 0) -> Estimate | None:
    """Return how often one of one sample of each system is right, over the tasks that all have; None: there is none.

    It is what an ensemble could reach that always picked the right one, for as many answers as there are systems.
    """
    several = list(systems.values())
    common = [task for task in several[0] if all(task in counts for counts in several)] if several else []
    if not common:
        return None
    missed = [math.prod(1.0 - _rate(counts[task]) for counts in several) for task in common]
    return mean_of([1.0 - share for share in missed], seed=seed)


def _rate(counted: tuple[int, int]) -> float:
    total, right = counted
    return right / total


def _mostly(counted: tuple[int, int]) -> bool:
    total, right = counted
    return 2 * right > total


def _drawn(values: Sequence[float], seed: int) -> list[float]:
    """Return means of tasks drawn with replacement, sorted; the same for the same seed."""
    draw = random.Random(seed).choices  # noqa: S311  statistics, not secrets
    count = len(values)
    return sorted(sum(draw(values, k=count)) / count for _ in range(DRAWS))


def _interval(draws: Sequence[float]) -> tuple[float, float]:
    beyond = round(len(draws) * (1.0 - LEVEL) / 2)
    return draws[beyond], draws[-1 - beyond]


def _two_sided(draws: Sequence[float]) -> float:
    """Return how often a draw falls on the other side of zero, twice, never less than the draws can tell."""
    above = sum(value >= 0 for value in draws)
    below = sum(value <= 0 for value in draws)
    return min(1.0, 2.0 * (1 + min(above, below)) / (1 + len(draws)))
