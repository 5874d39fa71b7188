"""How much each part of the score counts for each goal."""

from __future__ import annotations

from collections.abc import Mapping

from codeens_server.config.settings import Settings, Weights
from codeens_server.domain import Goal
from codeens_server.errors import ConfigError

BUILT_IN: dict[Goal, Weights] = {
    "balanced": Weights(correctness=40, quality=25, speed=20, efficiency=15),
    "correctness": Weights(correctness=70, quality=15, speed=10, efficiency=5),
    "speed": Weights(correctness=30, quality=10, speed=50, efficiency=10),
    "memory": Weights(correctness=30, quality=10, speed=10, efficiency=50),
    "readability": Weights(correctness=30, quality=50, speed=10, efficiency=10),
}


def weights_for(goal: Goal, settings: Settings) -> Weights:
    """The settings' weights of a goal, else the built-in ones."""
    return settings.weights.get(goal) or BUILT_IN[goal]


def shares(weights: Weights, extra: Mapping[str, float]) -> dict[str, float]:
    """Points of each part, 100 together; `extra` are parts beside the four of `weights`.

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
