"""What a report says, whatever it is written as."""

from __future__ import annotations

from msgspec import Struct

from codeens_server.bench.statistics import Difference, Estimate


class SystemRow(Struct, frozen=True, kw_only=True):
    """One model with one variant."""

    name: str
    model: str
    variant: str
    samples: int
    tasks: int
    pass_at: dict[str, Estimate]
    """By `pass@k`, of the k for which every task has samples."""
    by_difficulty: dict[str, Estimate]
    """pass@1 of the tasks of each difficulty; empty where the data set has none."""
    endings: dict[str, int]
    """How often samples ended so, most frequent first, `passed` included."""
    unjudged: int
    """Records that say nothing of the model: calls that failed, programs that nobody ran. In no other number."""
    ask_s: float | None
    """Median seconds from question to reply, of replies that were not kept from earlier; None: all were."""
    run_s: float | None
    """Median seconds of the program in its tests."""
    cost_usd: float | None
    """Of all samples; None: a price is not known."""
    tokens: int


class FailureCause(Struct, frozen=True, kw_only=True):
    """Samples that failed for the same cause."""

    ending: str
    cause: str
    """What went wrong, with what belongs to a single case left out."""
    samples: int
    systems: tuple[str, ...]
    example: str
    """Task, system and number of one of them."""
    reason: str
    """The whole reason of that one."""


class EarlierComparison(Struct, frozen=True, kw_only=True):
    """A system now against itself in an earlier run, on the tasks of both."""

    name: str
    difference: Difference
    better: tuple[str, ...]
    """Tasks of which more samples pass than before."""
    worse: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What may be said of it."""
        found = self.difference
        points = f"{100 * found.value:+.1f} points ({100 * found.low:+.1f} to {100 * found.high:+.1f})"
        if found.winner is None:
            return f"{self.name}: {points}, which may be noise"
        return f"{self.name}: {points}, {'better' if found.value > 0 else 'worse'} beyond noise"


class Ranked(Struct, frozen=True, kw_only=True):
    """What a system, or a model in all its variants, scores: 0 to 100, means over tasks with intervals."""

    name: str
    score: Estimate
    parts: dict[str, float]
    """Points of each part; they add up to the score."""
    by_difficulty: dict[str, Estimate]
    by_task: dict[str, float]


class Scores(Struct, frozen=True, kw_only=True):
    """Scores of all, the best first."""

    weights: dict[str, float]
    """Points that each part can give, 100 together."""
    systems: tuple[Ranked, ...]
    models: tuple[Ranked, ...]
    notes: tuple[str, ...] = ()


class DataSource(Struct, frozen=True, kw_only=True):
    """A state of a data set that records are of."""

    dataset: str
    digest: str
    """SHA-256 (hex) of all its tasks as they were read, before any were chosen: who reads the same has the same."""
    tasks: int
    """Of which there are records."""
    command: str
    """What asks the same systems again. Records do not say which file was read, nor how its tasks were chosen."""


class BenchReport(Struct, frozen=True, kw_only=True):
    """All of it. Systems stand in the order of their pass@1."""

    datasets: tuple[str, ...]
    """`name (first letters of the digest)`."""
    records: int
    systems: tuple[SystemRow, ...]
    comparisons: tuple[Difference, ...]
    """Every pair of systems on the tasks that both have, corrected together."""
    grid: dict[str, dict[str, float]]
    """Share of samples that pass, by task and system."""
    failures: tuple[FailureCause, ...]
    changes: tuple[EarlierComparison, ...] = ()
    scores: Scores | None = None
    """None where they were not asked for."""
    notes: tuple[str, ...] = ()
    data: tuple[DataSource, ...] = ()
