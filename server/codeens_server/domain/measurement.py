"""What is measured of a candidate: runtime, growth, memory, readability, size of the change."""

from __future__ import annotations

from msgspec import Struct, field


class PartSpeed(Struct, frozen=True, kw_only=True):
    """How fast a candidate is on inputs of one kind, with a 95 % interval."""

    of: str
    """In words: "recorded calls"."""
    inputs: int
    ratio: float
    low: float
    high: float


class Interval(Struct, frozen=True, kw_only=True):
    """Original's time divided by the candidate's, with its 95 % interval; above 1 is faster."""

    ratio: float
    low: float
    high: float
    original_s: float = 0.0
    """Mean seconds of one pass of the original over the inputs."""
    candidate_s: float = 0.0
    inputs: int = 0
    rounds: int = 0
    confirmed: bool = True
    """What it saves was also seen where nothing can be hidden: from the birth of a process to its last answer."""
    note: str = ""
    """For instance that the candidate remembers results between calls and the ratio is of first calls."""

    parts: tuple[PartSpeed, ...] = ()
    """By where inputs come from; none of a kind that takes too little of a pass, nor where all are of one kind."""

    @property
    def faster(self) -> bool:
        """Whether a speed-up may be claimed."""
        return self.low > 1.0 and self.confirmed

    @property
    def parts_disagree(self) -> bool:
        """Whether it is faster on some inputs than on others beyond doubt."""
        return bool(self.parts) and max(part.low for part in self.parts) > min(part.high for part in self.parts)

    @property
    def slower(self) -> bool:
        return self.high < 1.0

    @property
    def untimed(self) -> bool:
        """Whether nothing had to be timed, because both are the same code to the interpreter."""
        return self.low == self.high == 1.0


class Exponent(Struct, frozen=True, kw_only=True):
    """The ends of an interval of at least 95 %: what is measured grows as a power of the size between these."""

    low: float
    high: float


class Growth(Struct, frozen=True, kw_only=True):
    """How time and memory grow with the size of the largest argument, fitted over the larger of the sizes."""

    sizes: tuple[int, ...]
    ratios: tuple[float, ...]
    """The original's time divided by the candidate's, for each size."""
    original: Exponent
    candidate: Exponent
    original_memory: Exponent | None = None
    candidate_memory: Exponent | None = None
    slower_below: int | None = None
    """The candidate is slower on all sizes below this one, and not from here on."""
    faster_below: int | None = None
    """The candidate is faster on all sizes below this one, and not from here on."""


class Memory(Struct, frozen=True, kw_only=True):
    """Peak of traced allocations over the inputs; `ratio` is candidate / original, below 1 is less."""

    peak_bytes: int
    ratio: float | None = None
    seen_bytes: int | None = None
    """The most memory that the process had in that pass, seen from outside; None where nothing tells."""


class Readability(Struct, frozen=True, kw_only=True):
    """Metrics of the source alone. `score` is 0 to 100, higher reads easier; its formula is in docs/ranking.md."""

    cyclomatic: int
    cognitive: int
    lines: int
    findings: int
    """ruff findings."""
    score: float


class DiffSize(Struct, frozen=True, kw_only=True):
    added: int = 0
    removed: int = 0


class EnvironmentSpeed(Struct, frozen=True, kw_only=True):
    """How fast a candidate is in one interpreter; `note` says why it is not known."""

    python: str
    speed: Interval | None = None
    note: str = ""


class Measurement(Struct, frozen=True, kw_only=True):
    """What was measured of one candidate; None is not measured, and `notes` says why."""

    mismatch: bool = False
    """It answered otherwise when it was timed than it must: it is not right, whatever the judge saw."""

    speed: Interval | None = None
    growth: Growth | None = None
    memory: Memory | None = None
    readability: Readability | None = None
    diff: DiffSize = field(default_factory=DiffSize)
    notes: tuple[str, ...] = ()
    environments: tuple[EnvironmentSpeed, ...] = ()
    """For each interpreter asked for; `speed` is then that of the one in which the candidate gains least."""
