"""What a benchmark will cost and how long it will take, said before anything is paid for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from codeens_server.bench.solving import Trial
from codeens_server.config.settings import ModelSettings
from codeens_server.generation.models.client import Models
from codeens_server.generation.models.exchange import Sampling
from codeens_server.generation.prompts import messages_for

_USUAL_TOKENS = 500
"""Written for a function or a short script, with two sentences about it."""
_TOKENS_A_SECOND = 50.0
_FIRST_TOKEN_S = 1.0
_AT_ONCE = 8
"""Calls of a model whose limit nobody set."""


class Forecast(Struct, frozen=True, kw_only=True):
    """What is to come. Rounds after the first are not in it: nobody knows how many answers will be wrong."""

    items: int
    usd: float | None
    """With answers of usual length; None: the price of a model is not known."""
    most_usd: float | None
    """With answers of the greatest length allowed."""
    seconds: float
    """At 50 tokens a second, each model within its own limits."""


async def forecast(trials: Sequence[Trial], client: Models, concurrency: int | None) -> Forecast:
    """Return what asking for all of these will come to; no model is asked."""
    usual: list[float | None] = []
    most: list[float | None] = []
    for trial in trials:
        item = trial.ready.item
        messages = messages_for(trial.variant, item.mode, trial.ready.target, trial.ready.context)
        limit = trial.variant.max_tokens or trial.model.max_tokens
        sampling = Sampling(temperature=trial.variant.temperature, max_tokens=limit)
        most.append((await client.estimate(trial.model.name, messages, sampling)).usd)
        short = replace(sampling, max_tokens=min(limit or _USUAL_TOKENS, _USUAL_TOKENS))
        usual.append((await client.estimate(trial.model.name, messages, short)).usd)
    return Forecast(items=len(trials), usd=_sum(usual), most_usd=_sum(most), seconds=_seconds(trials, concurrency))


def _sum(costs: Sequence[float | None]) -> float | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None


def calls_at_once(model: ModelSettings, concurrency: int | None) -> int:
    """Return how many answers of a model are waited for at the same time."""
    allowed = model.max_parallel or concurrency or _AT_ONCE
    return min(allowed, concurrency or allowed)


def _seconds(trials: Sequence[Trial], concurrency: int | None) -> float:
    models = {trial.model.name: trial.model for trial in trials}
    calls = Counter(trial.model.name for trial in trials)
    one_s = _FIRST_TOKEN_S + _USUAL_TOKENS / _TOKENS_A_SECOND
    slowest = 0.0
    for name, count in calls.items():
        at_once = calls_at_once(models[name], concurrency)
        by_rate = 60.0 * count / rpm if (rpm := models[name].rpm) else 0.0
        slowest = max(slowest, one_s * -(-count // at_once), by_rate)
    return slowest
