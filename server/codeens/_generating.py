"""Asks for other implementations without running them, or gives the prompts to ask for them with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from msgspec import Struct

from codeens_server.domain.target import Candidate, Target
from codeens_server.domain.terms import Goal, Mode, ModeRequest
from codeens_server.errors import NothingGenerated
from codeens_server.generation.budget import Budget
from codeens_server.generation.generate import Answer, Ask, FailedCall, calls_of, generate
from codeens_server.generation.models.client import Models
from codeens_server.generation.models.exchange import Message, Reply
from codeens_server.generation.prompts import messages_for
from codeens_server.workspace.context import context_of
from codeens_server.workspace.text import snapshot
from codeens_variants.manifest import Variant

if TYPE_CHECKING:
    from codeens_server.store.cache import StoredCache


class Prompt(Struct, frozen=True, kw_only=True):
    """What a model would be asked."""

    variant: str
    description: str
    mode: Mode
    goal: Goal
    temperature: float
    messages: tuple[Message, ...]


class Generated(Struct, frozen=True, kw_only=True):
    """Candidates that were not run, and what they cost."""

    function: str
    mode: Mode
    candidates: tuple[Candidate, ...]
    failures: tuple[str, ...] = ()
    """Answers that could not be used, and calls that failed."""
    cost_usd: float = 0.0
    cost_known: bool = True

    @property
    def same_as(self) -> dict[str, str]:
        """Ids of candidates → id of the earlier one that has the same code."""
        first: dict[str, str] = {}
        for candidate in self.candidates:
            first.setdefault(candidate.digest, candidate.id)
        return {item.id: first[item.digest] for item in self.candidates if first[item.digest] != item.id}


def mode_of(target: Target, asked: ModeRequest | None) -> Mode:
    """Return what is to be done with a function of which nothing was run."""
    if target.body_missing:
        return "implement"
    return "improve" if asked is None or asked == "auto" else asked


def prompts_for(target: Target, mode: Mode, variants: Sequence[Variant]) -> tuple[Prompt, ...]:
    """Return what models would be asked, one prompt for each variant. Blocks: reads the function's file."""
    context = context_of(target)
    return tuple(
        Prompt(
            variant=variant.name,
            description=variant.description,
            mode=mode,
            goal=variant.goal,
            temperature=variant.temperature,
            messages=messages_for(variant, mode, target, context),
        )
        for variant in variants
    )


async def ask_models(
    ask: Ask,
    *,
    client: Models,
    cache: StoredCache[Reply],
    budget: Budget,
    say: Callable[[str, int, int], None],
) -> Generated:
    """Ask all models for all variants.

    Args:
        ask: what to ask for.
        say: gets what is going on, how many answers came, and of how many.

    Raises:
        NothingGenerated: there is no usable answer.
    """
    answers: list[Answer] = []
    total = len(calls_of(ask))

    async def take(answer: Answer) -> None:
        answers.append(answer)
        say("asking models", len(answers), total)

    await generate(ask, client=client, cache=cache, budget=budget, deliver=take)
    failed = [answer for answer in answers if isinstance(answer, FailedCall)]
    reasons = [f"{call.model} · {call.variant}: {call.why}" for call in failed]
    reasons += ["the budget is used up"] if budget.exhausted else []
    return _generated(ask.target, ask.mode, answers, reasons)


async def rewrite(target: Target, mode: Mode, variants: Sequence[Variant]) -> Generated:
    """Make candidates without a model.

    Raises:
        NothingGenerated: offline rewrites find nothing to change.
    """

    def made() -> list[Candidate]:
        from codeens_server.generation.rewrites.offline import offline_candidates

        return offline_candidates(target, snapshot(target).text, variants)

    why = "offline rewrites find nothing to change in it, and no model can be reached"
    return _generated(target, mode, await anyio.to_thread.run_sync(made), [], why)


def _generated(
    target: Target, mode: Mode, answers: Sequence[Answer], failures: Sequence[str], why: str = ""
) -> Generated:
    candidates = tuple(answer for answer in answers if isinstance(answer, Candidate))
    if not candidates:
        message = f"no candidate was made for {target.qualname}: {why or '; '.join(dict.fromkeys(failures))}."
        raise NothingGenerated(message)
    costs = [answer.cost_usd for answer in answers]
    return Generated(
        function=target.qualname,
        mode=mode,
        candidates=candidates,
        failures=tuple(dict.fromkeys(failures)),
        cost_usd=sum(cost or 0.0 for cost in costs),
        cost_known=None not in costs,
    )
