"""A team's own parts of the score, from other distributions.

A distribution registers a callable `(Target, RankedResult) -> float` under the entry-point group `codeens.scorers`; the
settings name the ones to apply. It runs in the server's process: it is code that was installed on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import TypeAlias, cast

from msgspec import Struct

from codeens_server.config.settings import Settings
from codeens_server.domain.document import RankedResult
from codeens_server.domain.target import Target
from codeens_server.errors import ConfigError, unknown

GROUP = "codeens.scorers"
DEFAULT_WEIGHT = 10.0

ScoringFunction: TypeAlias = Callable[[Target, RankedResult], float]
"""How good a row is, from 0 to 1. Called for rows that passed, and for an original that does."""


class Scorer(Struct, frozen=True, kw_only=True):
    """A scoring function, its part's name and its weight beside those of the built-in parts."""

    name: str
    weight: float
    function: ScoringFunction


def load_scorers(settings: Settings) -> list[Scorer]:
    """Return the scorers that the settings name.

    Raises:
        ConfigError: no installed distribution registers the name, or what it registers cannot be loaded.
    """
    wanted = (*settings.scorers, *settings.scorer_weights)
    if not wanted:
        return []
    known = {entry.name: entry for entry in entry_points(group=GROUP)}
    for name in wanted:
        if name not in known:
            raise ConfigError(unknown("scorer", name, list(known)))
    return [
        Scorer(name=name, weight=settings.scorer_weights.get(name, DEFAULT_WEIGHT), function=load_scorer(known[name]))
        for name in dict.fromkeys(settings.scorers)
    ]


def load_scorer(entry: EntryPoint) -> Callable[..., float]:
    """Return what a distribution registered as a scorer.

    Raises:
        ConfigError: it cannot be loaded, or is not callable.
    """
    try:
        function = cast("object", entry.load())
    except Exception as error:
        message = f"the scorer {entry.name!r} ({entry.value}) cannot be loaded: {type(error).__name__}: {error}"
        raise ConfigError(message) from error
    if not callable(function):
        message = f"the scorer {entry.name!r} ({entry.value}) is not callable; register a function."
        raise ConfigError(message)
    return cast("Callable[..., float]", function)


def apply_scorer(scorer: Scorer, target: Target, rows: Sequence[RankedResult]) -> tuple[list[float], str]:
    """Return the scorer's value for each row, or nothing and the reason: one failure takes it out for all rows alike.

    Args:
        scorer: foreign code, which may raise anything.
        target: the function.
        rows: those that passed, and a working original.

    Returns:
        Values from 0 to 1, one per row in their order, and an empty text; or no values, and why there are none.
    """
    values: list[float] = []
    for row in rows:
        try:
            value = float(scorer.function(target, row))
        except Exception as error:  # noqa: BLE001 - code of another distribution can raise anything
            return [], f"scorer {scorer.name!r} left out: it raised {type(error).__name__}: {error}"
        if not 0.0 <= value <= 1.0:
            return [], f"scorer {scorer.name!r} left out: it returned {value:g}, which is not between 0 and 1"
        values.append(value)
    return values, ""
