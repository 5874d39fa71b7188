"""Asks all models for all variants at once, and turns every answer into a candidate as it arrives."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

import anyio
import anyio.to_thread
from msgspec import Struct
from msgspec.structs import replace

from codeens_server.config.settings import ModelSettings
from codeens_server.domain.systems import System
from codeens_server.domain.target import Candidate, Context, Target
from codeens_server.domain.terms import Mode, Remedy
from codeens_server.generation.budget import Budget, BudgetExceeded
from codeens_server.generation.models.client import Models
from codeens_server.generation.models.exchange import (
    Message,
    ModelError,
    Reply,
    ResponseCache,
    Sampling,
    Torn,
    request_key,
)
from codeens_server.generation.prompts import Feedback, Parent, as_text, messages_for
from codeens_server.generation.reply.assemble import digest
from codeens_server.generation.reply.extract import Taken, Unusable, extract
from codeens_server.generation.reply.own_versions import kept_apart
from codeens_server.generation.reply.parts import remark_of
from codeens_variants.manifest import Variant

METHODS = ("method", "classmethod", "staticmethod", "property")


class Ask(Struct, frozen=True, kw_only=True):
    """What to ask for in one round."""

    target: Target
    context: Context
    mode: Mode
    models: tuple[ModelSettings, ...]
    variants: tuple[Variant, ...]
    systems: tuple[System, ...] = ()
    """Names of a model and a variant each, which alone are asked; empty: every model with every variant."""
    samples: int = 1
    first_sample: int = 0
    """The number of the first; samples of different numbers are kept apart from each other."""
    round: int = 0
    feedback: tuple[Feedback, ...] = ()
    """When given, only the models and variants of these earlier answers are asked, each with what it did wrong."""
    parents: tuple[Parent, ...] = ()
    """When given, only the models and variants that these name are asked, each for something better."""
    fresh: bool = False
    """Ask again even where an answer is kept."""
    known: frozenset[str] = frozenset()
    """Ids of calls whose candidates are there already; these are not made."""


class Call(Struct, frozen=True, kw_only=True):
    """One request to one model."""

    id: str
    model: ModelSettings
    variant: Variant
    sample: int
    earlier: Feedback | Parent | None = None


class FailedCall(Struct, frozen=True, kw_only=True):
    """A call that brought no candidate."""

    id: str
    model: str
    variant: str
    why: str
    remedy: Remedy = "models"
    cost_usd: float | None = 0.0
    """What an unusable reply cost, or as much of one as came; None: its price is not known. 0.0: no reply came, or it
    was kept before."""
    tokens: int = 0
    """Read and written for it; 0 where it was kept before."""
    can_retry: bool = True
    """Whether asking again may bring a candidate: no reply came, or an empty one."""
    latency_s: float | None = None
    """As of `Candidate`."""
    reply: Reply | None = None
    """What came, where all of it did."""
    cached: bool = False


class Replies(NamedTuple):
    """Where replies come from: kept from an earlier run, or bought within a budget."""

    client: Models
    cache: ResponseCache
    budget: Budget
    fresh: bool
    """Whether kept ones are passed over."""

    async def reply(
        self,
        model: ModelSettings,
        messages: Sequence[Message],
        sampling: Sampling,
        sample: int,
        torn: Torn,
        *,
        room_for: int = 1,
    ) -> tuple[Reply, bool]:
        """Return a reply, and whether it was kept from an earlier run: then it is free.

        Args:
            model: whom to ask.
            messages: what.
            sampling: how the reply is drawn.
            sample: tells equal questions apart.
            torn: gets what had come when this raises or is cancelled.
            room_for: how many such calls what is left of the budget must hold.

        Raises:
            ModelError: there is none.
            BudgetExceeded: it does not fit into what is left.
        """
        key = request_key(model, messages, sampling, sample)
        kept = None if self.fresh else await self.cache.get(key)
        if kept is not None:
            return replace(kept, cost_usd=0.0), True
        estimate = await self.client.estimate(model.name, messages, sampling)
        if room_for > 1 and not self.budget.has_room(estimate, room_for):
            raise BudgetExceeded
        async with self.budget.held(estimate) as held:
            try:
                reply = await self.client.ask(model.name, messages, sampling, torn)
            except BaseException:
                held.settle(torn.reply)
                raise
            held.settle(reply)
        if reply.text:
            await self.cache.put(key, reply)
        return reply, False


Answer: TypeAlias = Candidate | FailedCall
Deliver: TypeAlias = Callable[[Answer], Awaitable[None]]
"""Takes an answer in. It is not cancelled while it does."""


def calls_of(ask: Ask) -> list[Call]:
    """Return all requests of a round, in a stable order and under stable ids."""
    if ask.parents:
        return list(_from_parents(ask))
    return list(_again(ask) if ask.feedback else _anew(ask))


def request_of(ask: Ask, call: Call) -> tuple[tuple[Message, ...], Sampling]:
    """Return what a call asks, and how."""
    messages = messages_for(call.variant, ask.mode, ask.target, ask.context, call.earlier)
    sampling = Sampling(
        temperature=call.variant.temperature,
        top_p=call.variant.top_p,
        max_tokens=call.variant.max_tokens or call.model.max_tokens,
    )
    return messages, sampling


async def generate(
    ask: Ask,
    *,
    client: Models,
    cache: ResponseCache,
    budget: Budget,
    deliver: Deliver,
) -> None:
    """Make all requests of a round; candidates and failures are delivered as they come, several at once.

    When the budget is used up the requests not yet begun are left out without a word: `budget.exhausted` says so.
    """
    maker = _Maker(ask, Replies(client, cache, budget, ask.fresh))
    async with anyio.create_task_group() as group:
        for call in calls_of(ask):
            if call.id not in ask.known:
                group.start_soon(_deliver, maker, call, deliver)


async def _deliver(maker: _Maker, call: Call, deliver: Deliver) -> None:
    torn = Torn()
    try:
        await maker.answer(call, deliver, torn)
    except ModelError as error:
        await deliver(_failed(call, error.why, torn, error.remedy))
    except BudgetExceeded:
        return
    except anyio.get_cancelled_exc_class():
        if torn.reply:
            with anyio.CancelScope(shield=True):
                await deliver(_failed(call, "stopped while it answered", torn, "later"))
        raise


def _failed(call: Call, why: str, torn: Torn, remedy: Remedy) -> FailedCall:
    return FailedCall(
        id=call.id,
        model=call.model.name,
        variant=call.variant.name,
        why=why,
        remedy=remedy,
        cost_usd=torn.cost_usd,
        tokens=torn.tokens,
        latency_s=torn.latency_s,
    )


class _Maker:
    """Makes candidates for one round."""

    def __init__(self, ask: Ask, source: Replies) -> None:
        self._ask = ask
        self._source = source
        self._stub = "\n\n".join([ask.context.imports, *ask.context.helpers, ask.target.source])
        self._reading = anyio.CapacityLimiter(1)

    async def answer(self, call: Call, deliver: Deliver, torn: Torn) -> None:
        """Deliver what a call brought: candidates, or a reply that holds none and cost what it cost.

        From the moment that a reply was paid for until it is delivered this is not cancelled.
        """
        messages, sampling = request_of(self._ask, call)
        reply, _ = await self._source.reply(call.model, messages, sampling, call.sample, torn)
        with anyio.CancelScope(shield=True):
            for answer in await self._read(call, as_text(messages), reply, torn.latency_s):
                await deliver(answer)

    async def _read(self, call: Call, prompt: str, reply: Reply, latency_s: float | None) -> Sequence[Answer]:
        """Return what a reply brought; it was kept before where there is no latency."""
        try:
            return await anyio.to_thread.run_sync(self._extract, call, prompt, reply, latency_s, limiter=self._reading)
        except Unusable as error:
            cut = f" ({_cut_note(reply)}: raise max_tokens)" if _was_cut(reply) else ""
            failed = FailedCall(
                id=call.id,
                model=reply.model,
                variant=call.variant.name,
                why=reply.empty_because or f"{error}{cut}",
                cost_usd=reply.cost_usd,
                tokens=0 if latency_s is None else reply.tokens_in + reply.tokens_out,
                can_retry=not reply.text,
                latency_s=latency_s,
                reply=reply,
                cached=latency_s is None,
            )
            return [failed]

    def _extract(self, call: Call, prompt: str, reply: Reply, latency_s: float | None) -> list[Candidate]:
        """Return the candidates of a reply; the first bears what it cost."""
        target = self._ask.target
        name = target.qualname.rpartition(".")[2]
        is_method, was_cut = target.kind in METHODS, _was_cut(reply)
        found = extract(reply.text, name, stub=self._stub, is_method=is_method, was_cut=was_cut)
        found = tuple(_apart(taken, self._stub) for taken in found)
        cut = (_cut_note(reply),) if was_cut else ()
        first = Candidate(
            id=call.id,
            model=reply.model,
            variant=call.variant.name,
            source=found[0].replacement.source,
            replacement=found[0].replacement,
            sample=call.sample,
            round=self._ask.round,
            parent=call.earlier.candidate.id if call.earlier else "",
            digest=digest(found[0].replacement),
            rationale=remark_of(reply.text),
            receipt=(*cut, *found[0].receipt),
            prompt=prompt,
            response=reply.text,
            cost_usd=reply.cost_usd,
            tokens_in=reply.tokens_in,
            tokens_out=reply.tokens_out,
            latency_s=latency_s,
            cached=latency_s is None,
        )
        free = replace(first, cost_usd=0.0, tokens_in=0, tokens_out=0, latency_s=None)
        others = [
            replace(
                free,
                id=f"{call.id}.{number}",
                source=taken.replacement.source,
                replacement=taken.replacement,
                digest=digest(taken.replacement),
            )
            for number, taken in enumerate(found[1:], start=2)
        ]
        return [first, *others]


def _apart(taken: Taken, stub: str) -> Taken:
    replacement, said = kept_apart(taken.replacement, stub)
    return Taken(replacement, (*taken.receipt, *said))


def _was_cut(reply: Reply) -> bool:
    return reply.finish_reason == "length"


def _cut_note(reply: Reply) -> str:
    return f"the answer was cut at {reply.tokens_out} tokens"


def _anew(ask: Ask) -> Iterator[Call]:
    slugs = _slugs(ask.models)
    for sample in range(ask.first_sample, ask.first_sample + ask.samples):
        for variant in ask.variants:
            for model in ask.models:
                if ask.systems and (model.name, variant.name) not in ask.systems:
                    continue
                name = f"{slugs[model.name]}-{variant.name}-{sample}"
                yield Call(id=_of_round(name, ask.round), model=model, variant=variant, sample=sample)


def _again(ask: Ask) -> Iterator[Call]:
    slugs = _slugs(ask.models)
    models = {model.name: model for model in ask.models}
    variants = {variant.name: variant for variant in ask.variants}
    asked: set[str] = set()
    for feedback in ask.feedback:
        earlier = feedback.candidate
        if earlier.model in models and earlier.variant in variants:
            name = _of_round(f"{slugs[earlier.model]}-{earlier.variant}-{earlier.sample}", ask.round)
            if name in asked:  # of one reply: the first stands for all
                continue
            asked.add(name)
            yield Call(
                id=name,
                model=models[earlier.model],
                variant=variants[earlier.variant],
                sample=earlier.sample,
                earlier=feedback,
            )


def _from_parents(ask: Ask) -> Iterator[Call]:
    slugs = _slugs(ask.models)
    models = {model.name: model for model in ask.models}
    variants = {variant.name: variant for variant in ask.variants}
    for parent in ask.parents:
        name = f"{slugs[parent.model]}-{parent.variant}-{parent.sample}"
        yield Call(
            id=_of_round(name, ask.round),
            model=models[parent.model],
            variant=variants[parent.variant],
            sample=parent.sample,
            earlier=parent,
        )


def _of_round(name: str, number: int) -> str:
    return f"{name}-r{number}" if number else name


def _slugs(models: Sequence[ModelSettings]) -> dict[str, str]:
    """Return names of models as parts of ids and of file names; no two are the same."""
    slugs: dict[str, str] = {}
    for model in models:
        slug = re.sub(r"[^a-z0-9.]+", "-", model.name.lower()).strip("-.")[-40:] or "model"
        taken = set(slugs.values())
        slugs[model.name] = slug if slug not in taken else f"{slug}-{len(taken)}"
    return slugs
