"""From what was measured of a row, and the weights of a goal, to points. docs/ranking.md explains the formulas."""

from __future__ import annotations

from collections.abc import Mapping
from math import copysign, log

from msgspec import Struct

from codeens_server.config.settings import Settings, Weights
from codeens_server.domain.document import RankedResult, Score
from codeens_server.domain.measurement import Interval, Memory
from codeens_server.domain.terms import EvidenceGrade, Goal
from codeens_server.domain.verdict import Verdict
from codeens_server.errors import ConfigError

GRADES: dict[EvidenceGrade, float] = {"tests": 1.0, "differential": 0.9, "agreement": 0.5, "none": 0.0}
VERIFIED: frozenset[EvidenceGrade] = frozenset({"tests", "differential"})
SAME = 0.5
"""The value of a part that is as good as the original's, and of one that was not measured."""
ENOUGH_CHECKS = 2.0
"""So many checks give half of what any number of them could."""
HALF_GAIN_FACTOR = 4.0
"""Four times faster, or a quarter of the memory, earns half of what can be earned above the original."""
HALF_GAIN_POINTS = 20.0
"""The same for points of readability."""
HALF_EDIT_LINES = 20.0
EDIT_SHARE = 0.1
MEMORY_GRAIN_BYTES = 16_384
"""Added to both sides: small peaks are the interpreter's, not the algorithm's."""
MEMORY_NOISE = log(1.05)
READABILITY_NOISE = 1.0
BUILT_IN: dict[Goal, Weights] = {
    "balanced": Weights(correctness=40, quality=25, speed=20, efficiency=15),
    "correctness": Weights(correctness=70, quality=15, speed=10, efficiency=5),
    "speed": Weights(correctness=30, quality=10, speed=50, efficiency=10),
    "memory": Weights(correctness=30, quality=10, speed=10, efficiency=50),
    "readability": Weights(correctness=30, quality=50, speed=10, efficiency=10),
}


class Standing(Struct, frozen=True, kw_only=True):
    """A score, and what it would be at either end of the speed's interval."""

    score: Score
    low: float
    high: float


def standing(
    row: RankedResult,
    original: RankedResult,
    *,
    correct: float,
    extra: Mapping[str, float],
    points: Mapping[str, float],
    trust: float,
) -> Standing:
    """Score a row that passed.

    Args:
        row: the candidate, or the original itself.
        original: what it is compared with.
        correct: value of the part correctness, 0 to 1.
        extra: values of scorers, 0 to 1, by name.
        points: how many of the 100 points each part is worth.
        trust: share of the points that is given, 0 to 1.
    """
    values = {
        "correctness": correct,
        "quality": quality(row, original),
        "speed": ratio_value(claimed(row.speed)),
        "efficiency": ratio_value(-memory_change(row.memory)),
        **extra,
    }
    parts = {name: trust * points[name] * value for name, value in values.items()}
    total = sum(parts.values())
    rest = total - parts["speed"]
    ends = (row.speed.low, row.speed.high) if row.speed else (1.0, 1.0)
    low, high = (rest + trust * points["speed"] * ratio_value(log(end)) for end in ends)
    return Standing(score=Score(total=total, parts=parts), low=low, high=high)


def correctness(verdict: Verdict) -> float:
    """Return 0 to 1: the grade of the evidence, and for checks by how many there are."""
    amount = verdict.passed / (verdict.passed + ENOUGH_CHECKS) if verdict.evidence in VERIFIED else 1.0
    return GRADES[verdict.evidence] * amount


def claimed(speed: Interval | None) -> float:
    """Return the log of the speed-up that may be claimed: the interval's end nearest to 1, and 0 where it holds 1."""
    if speed is None:
        return 0.0
    return log(speed.low) if speed.faster else log(speed.high) if speed.slower else 0.0


def memory_change(memory: Memory | None) -> float:
    """Return the log of candidate / original, both a little enlarged, and 0 within what noise can do."""
    change = memory_seen(memory)
    return copysign(max(0.0, abs(change) - MEMORY_NOISE), change)


def memory_seen(memory: Memory | None) -> float:
    """Return the log of candidate / original, both a little enlarged; 0 where it is not known."""
    if memory is None or memory.ratio is None or memory.ratio <= 0:
        return 0.0
    original = memory.peak_bytes / memory.ratio
    return log((memory.peak_bytes + MEMORY_GRAIN_BYTES) / (original + MEMORY_GRAIN_BYTES))


def readability_change(row: RankedResult, original: RankedResult) -> float:
    """Return points of readability above the original; 0 where one of the two is unknown."""
    if row.readability is None or original.readability is None:
        return 0.0
    return row.readability.score - original.readability.score


def quality(row: RankedResult, original: RankedResult) -> float:
    """Return 0 to 1: readability against the original's, less a little for a large edit."""
    lines = row.diff.added + row.diff.removed
    reading = _bent(readability_change(row, original), HALF_GAIN_POINTS)
    return SAME + (0.5 - EDIT_SHARE) * reading - EDIT_SHARE * lines / (lines + HALF_EDIT_LINES)


def ratio_value(log_ratio: float) -> float:
    """Return 0 to 1, and 0.5 at no change; it grows with every further gain, but ever less."""
    return SAME + 0.5 * _bent(log_ratio, log(HALF_GAIN_FACTOR))


def _bent(gain: float, half: float) -> float:
    """Return -1 to 1, and one half where the gain is `half`."""
    return gain / (abs(gain) + half)


def weights_for(goal: Goal, settings: Settings) -> Weights:
    """Return the settings' weights of a goal, else the built-in ones."""
    return settings.weights.get(goal) or BUILT_IN[goal]


def shares(weights: Weights, extra: Mapping[str, float]) -> dict[str, float]:
    """Return how many of the 100 points each part is worth.

    Args:
        weights: of the four parts, in any unit.
        extra: weights of parts beside these, in the same unit.

    Raises:
        ConfigError: a weight is negative or not finite, or none is above 0.
    """
    given = {
        "correctness": weights.correctness,
        "quality": weights.quality,
        "speed": weights.speed,
        "efficiency": weights.efficiency,
        **extra,
    }
    total = sum(given.values())
    if not 0 < total < float("inf") or any(weight < 0 for weight in given.values()):
        shown = ", ".join(f"{name} {weight:g}" for name, weight in given.items())
        raise ConfigError(f"weights must not be negative and one must be above 0, but they are: {shown}.")
    return {name: 100.0 * weight / total for name, weight in given.items()}
