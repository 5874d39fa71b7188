"""Where the answers of a run come from: offline rewrites once, models in every round."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import TypeAlias

import anyio
import anyio.to_thread
from anyio.streams.memory import MemoryObjectSendStream

from codeens_server.domain import Candidate, Context, Mode
from codeens_server.generation.budget import Budget
from codeens_server.generation.generate import Answer as Reply_
from codeens_server.generation.generate import Ask, calls_of, generate
from codeens_server.generation.models.client import Models
from codeens_server.generation.models.exchange import Reply
from codeens_server.generation.prompts import Feedback
from codeens_server.generation.rewrites.offline import offline_candidates
from codeens_server.run.events import CandidateGenerated, GenerationFailed
from codeens_server.run.plan import Plan
from codeens_server.store.cache import StoredCache
from codeens_server.workspace.context import context_of
from codeens_server.workspace.text import snapshot

Answer: TypeAlias = CandidateGenerated | GenerationFailed


class Sources:
    """All sources of one run, ready to answer."""

    def __init__(
        self,
        plan: Plan,
        mode: Mode,
        context: Context,
        rewrites: Sequence[Candidate],
        client: Models,
        cache: StoredCache[Reply],
        budget: Budget,
    ) -> None:
        self._plan = plan
        self._mode: Mode = mode
        self._context = context
        self._rewrites = rewrites
        self._client = client
        self._cache = cache
        self._budget = budget

    def count(self, number: int, feedback: Sequence[Feedback]) -> int:
        """How many answers a round can bring."""
        return len(calls_of(self._ask(number, feedback))) + (len(self._rewrites) if number == 0 else 0)

    async def generate(self, number: int, feedback: Sequence[Feedback], send: MemoryObjectSendStream[Answer]) -> None:
        """Send the answers of a round as they come; `send` is closed at the end."""
        async with send:
            if number == 0:
                for candidate in self._rewrites:
                    await send.send(CandidateGenerated(candidate=candidate))
            ask = self._ask(number, feedback)

            async def deliver(answer: Reply_) -> None:
                if isinstance(answer, Candidate):
                    await send.send(CandidateGenerated(candidate=answer))
                else:
                    why, cost = answer.why, answer.cost_usd
                    failed = GenerationFailed(model=answer.model, variant=answer.variant, why=why, cost_usd=cost)
                    await send.send(failed)

            await generate(ask, client=self._client, cache=self._cache, budget=self._budget, deliver=deliver)

    def _ask(self, number: int, feedback: Sequence[Feedback]) -> Ask:
        plan = self._plan
        return Ask(
            target=plan.target,
            context=self._context,
            mode=self._mode,
            models=plan.models,
            variants=plan.variants,
            samples=plan.request.samples,
            round=number,
            feedback=tuple(feedback),
            fresh=plan.request.fresh,
            known=frozenset(candidate.id for candidate in plan.stored.candidates) if plan.stored else frozenset(),
        )


@asynccontextmanager
async def open_sources(
    plan: Plan, mode: Mode, rewrites: Sequence[Candidate], budget: Budget, cache: StoredCache[Reply]
) -> AsyncGenerator[Sources]:
    """Sources for a run; models' connections are closed when the block is left.

    Offline rewrites keep a function's behaviour, so that only a working one is worth rewriting.
    """
    context = await anyio.to_thread.run_sync(context_of, plan.target)
    async with Models(plan.reachable_models, plan.environ, plan.editor_model) as client:
        yield Sources(
            plan, mode, context, rewrites if mode == "improve" or plan.given is not None else (), client, cache, budget
        )


async def rewrites_of(plan: Plan) -> list[Candidate]:
    """What offline rules make of the target, where the settings want them; else the candidates that were given."""
    if plan.given is not None:
        return list(plan.given)
    wanted, request = plan.settings.rewrites, plan.request
    if (
        wanted == "never"
        or request.mode in {"implement", "repair"}
        or (wanted == "auto" and plan.models and request.goal == "correctness")
    ):
        return []
    return await anyio.to_thread.run_sync(_rewritten, plan)


def _rewritten(plan: Plan) -> list[Candidate]:
    return offline_candidates(plan.target, snapshot(plan.target).text, plan.variants)
