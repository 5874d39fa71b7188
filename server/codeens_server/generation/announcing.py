"""Says what a round of questions will be, before the first is asked: models, calls, the highest cost, the cap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Protocol

from codeens_server.domain.systems import PastRuns, SystemRecord
from codeens_server.generation.budget import Budget, CostBound
from codeens_server.generation.generate import Ask, calls_of, request_of
from codeens_server.generation.models.exchange import Message, ResponseCache, Sampling, request_key
from codeens_server.text import money, plural


class Prices(Protocol):
    """Knows what calls could cost."""

    async def estimate(self, name: str, messages: Sequence[Message], sampling: Sampling) -> CostBound:
        """Return what an answer of a model could cost at the most."""
        ...


async def announcement(
    ask: Ask,
    client: Prices,
    cache: ResponseCache,
    budget: Budget,
    records: Iterable[SystemRecord] = (),
    past: PastRuns | None = None,
) -> str:
    """Return one sentence about the calls that are not answered from the cache; empty: there is none.

    Args:
        ask: the round.
        client: knows the prices.
        cache: the answers that are kept.
        budget: the caps.
        records: what answers cost before.
        past: how earlier runs went.
    """
    usual = {record.system: record.usd for record in records}
    expected: list[float | None] = []
    counts: Counter[str] = Counter()
    unpriced: dict[str, None] = {}
    highest = 0.0
    for call in calls_of(ask):
        messages, sampling = request_of(ask, call)
        key = request_key(call.model, messages, sampling, call.sample)
        if call.id in ask.known or (not ask.fresh and await cache.get(key) is not None):
            continue
        counts[call.model.name] += 1
        expected.append(usual.get((call.model.name, call.variant.name)))
        estimate = await client.estimate(call.model.name, messages, sampling)
        highest += estimate.usd or 0.0
        if estimate.usd is None:
            unpriced[call.model.name] = None
    if not counts:
        return ""
    models = ", ".join(f"{count} of {name}" for name, count in counts.items())
    cost = f"at {'least' if unpriced else 'most'} {money(highest)}"
    known = [usd for usd in expected if usd is not None]
    if highest and len(known) == len(expected):
        cost = f"about {money(sum(known))}, {cost}"
    if len(unpriced) == len(counts):
        cost = "at a price that is not known"
    cap = f", cap {money(budget.cap_usd)}" if budget.cap_usd is not None else ", no cap"
    said = f"asking {models}: {plural(counts.total(), 'call')}, {cost}{cap}"
    if unpriced and budget.cap_usd is not None:
        said += f"; the price of {', '.join(unpriced)} is not known, so that the cap does not hold for it"
    return f"{said}; {_like(past)}" if past else said


def _like(past: PastRuns) -> str:
    chance = past.won
    first, last = past.seconds
    return (
        f"like {chance.cases} earlier runs: {first:.0f} to {last:.0f} s, "
        f"{chance.value:.0%} [{chance.low:.0%}, {chance.high:.0%}] chance of a proven win"
    )
