"""Which right answers are worth improving on: none of them is beaten in all that is proven."""

from __future__ import annotations

from typing import NamedTuple

from codeens_server.domain.measurement import Measurement
from codeens_server.domain.target import Candidate
from codeens_server.domain.terms import Goal
from codeens_server.ranking.score import READABILITY_NOISE, VERIFIED, claimed, memory_change
from codeens_server.run.state import RunState


class Value(NamedTuple):
    """What is proven of an answer against the original; above 0 is better."""

    speed: float
    """Log of the ratio that may be claimed."""
    memory: float
    """Log of the ratio, beyond noise."""
    readability: float
    """Points, beyond noise."""

    def beats(self, other: Value) -> bool:
        """Return whether it is nowhere worse, and somewhere better."""
        return self != other and all(own >= others for own, others in zip(self, other, strict=True))


_WEIGHTS: dict[Goal, Value] = {
    "balanced": Value(1.0, 1.0, 0.05),
    "correctness": Value(1.0, 1.0, 0.05),
    "speed": Value(1.0, 0.05, 0.002),
    "memory": Value(0.05, 1.0, 0.002),
    "readability": Value(0.05, 0.05, 1.0),
}
"""What the goal makes of each: 20 points of readability weigh as much as a factor of 2.7."""


def value_of(measured: Measurement, original: Measurement | None) -> Value:
    """Return what is proven of an answer."""
    points = 0.0
    if measured.readability and original and original.readability:
        points = measured.readability.score - original.readability.score
    return Value(
        speed=claimed(measured.speed) if measured.speed is None or measured.speed.confirmed else 0.0,
        memory=-memory_change(measured.memory),
        readability=points if abs(points) >= READABILITY_NOISE else 0.0,
    )


def merit(value: Value, goal: Goal) -> float:
    """Return what a value is worth for a goal; 0 is the original's."""
    return sum(weight * part for weight, part in zip(_WEIGHTS[goal], value, strict=True))


def valued(state: RunState, before: int) -> dict[str, Value]:
    """Return the values of answers that were proven right and measured, of the rounds before one."""
    found = {
        candidate.id: value_of(measured, state.original)
        for candidate in state.passing()
        if candidate.round < before
        and (measured := state.measurements.get(candidate.id)) is not None
        and state.verdicts[candidate.id].evidence in VERIFIED
    }
    equal = {key: value for key, value in found.items() if not state.verdicts[key].conditions}
    return equal or found


def front(state: RunState, before: int) -> list[Candidate]:
    """Return the answers of the rounds before one that none beats, as the goal likes them, the best first."""
    values = valued(state, before)
    best = [key for key, value in values.items() if not any(other.beats(value) for other in values.values())]
    return [state.candidates[key] for key in sorted(best, key=lambda key: (-merit(values[key], state.goal), key))]
