"""The trained selector: numbers in a JSON file, read and used without scikit-learn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from codeens_server.config.settings import Settings
from codeens_server.errors import InputError
from codeens_server.ranking.selector.features import NAMES, Submission, row_of

PRIOR = 20.0
"""Answers of the mean rate that are added to those of each model and variant."""


class Rates(Struct, frozen=True, kw_only=True):
    """How often answers were right in training, as logits; `mean` stands for whom nobody has met."""

    mean: float
    models: dict[str, float]
    variants: dict[str, float]

    def of(self, answer: Submission) -> tuple[float, float]:
        """Return the features of an answer's author."""
        return self.models.get(answer.model, self.mean), self.variants.get(answer.variant, self.mean)


class Selector(Struct, frozen=True, kw_only=True):
    """A logistic regression over `features.NAMES`."""

    names: tuple[str, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float
    rates: Rates
    tasks: int
    answers: int

    def probabilities(self, pool: Sequence[Submission]) -> list[float]:
        """Return of each answer how likely it is right, 0 to 1.

        Args:
            pool: all answers to one task that are known; who agrees with whom counts.
        """
        return [self.probability(at, pool) for at in range(len(pool))]

    def probability(self, at: int, pool: Sequence[Submission]) -> float:
        """Return how likely one answer of a pool is right."""
        row = row_of(at, pool, self.rates.of(pool[at]))
        return _sigmoid(self.bias + sum(map(self._part, range(len(row)), row)))

    def _part(self, at: int, value: float) -> float:
        return self.weights[at] * (value - self.means[at]) / self.scales[at]


def load_selector(path: Path) -> Selector:
    """Return a selector from its file.

    Raises:
        InputError: it cannot be read, is none, or was made for other features.
    """
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Selector)
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}."
        raise InputError(message) from None
    except msgspec.MsgspecError as error:
        message = f"{path} is no selector: {error}."
        raise InputError(message) from None
    if found.names != NAMES:
        message = f"{path} was trained for other features; train it again."
        raise InputError(message)
    return found


def chosen_selector(settings: Settings) -> Selector | None:
    """Return the selector that the settings name; None where they name none. Blocks.

    Raises:
        InputError: see `load_selector`.
    """
    return load_selector(Path(settings.selector)) if settings.selector else None


def logit(right: float, total: float, mean: float) -> float:
    """Return the log odds of a rate, drawn to the mean where there are few."""
    rate = (right + PRIOR * mean) / (total + PRIOR)
    return math.log(rate / (1.0 - rate))


def rates_of(counts: Mapping[str, tuple[int, int]], mean: float) -> dict[str, float]:
    """Return log odds by name, of how many were right of how many."""
    return {name: logit(right, total, mean) for name, (right, total) in counts.items()}


def _sigmoid(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, value))))
