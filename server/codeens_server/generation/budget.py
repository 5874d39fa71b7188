"""The cap on what a run may spend. A call is begun only if what it could cost at the most still fits."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
from msgspec import Struct

from codeens_server.generation.models.exchange import Reply


class BudgetExceeded(Exception):
    """No further call may be begun."""


class CostBound(Struct, frozen=True, kw_only=True):
    """What a call could cost at the most."""

    tokens: int
    usd: float | None
    """None: the price is not known, so that only tokens can be held to a cap."""


class Budget:
    """Counts what was spent and what calls under way could still spend. The time limit is the run's deadline."""

    def __init__(
        self,
        *,
        usd: float | None = None,
        tokens: int | None = None,
        calls: int | None = None,
        spent_usd: float = 0.0,
        spent_tokens: int = 0,
        spent_calls: int = 0,
    ) -> None:
        """Begin with what was spent before.

        Args:
            usd: the cap in dollars; None is no cap.
            tokens: the cap in tokens, read and written.
            calls: the cap in answers that are paid for.
            spent_usd: what the run has spent before, when it is resumed.
            spent_tokens: the same in tokens.
            spent_calls: the same in answers.
        """
        self.spent_usd = spent_usd
        self.spent_tokens = spent_tokens
        self.cost_known = True
        """Whether every answer that was paid for had a price."""
        self.exhausted = False
        """True from the moment that a call was refused."""
        self._usd = usd
        self._tokens = tokens
        self._calls = calls
        self._spent_calls = spent_calls
        self._held_calls = 0
        self._held_usd = 0.0
        self._held_tokens = 0
        self._settled = anyio.Condition()

    @property
    def cap_usd(self) -> float | None:
        """The cap in dollars; None: there is none."""
        return self._usd

    @property
    def remark(self) -> str:
        """A sentence for people when the cap in dollars could not be held; else empty."""
        if self.cost_known or self._usd is None:
            return ""
        return (
            f"the price of a model is not known, so that the cap of ${self._usd:g} does not hold for it: set "
            "input_cost_per_token and output_cost_per_token for the model, or cap the tokens."
        )

    def has_room(self, estimate: CostBound, times: int) -> bool:
        """Return whether such a call could be made so many times; it refuses nothing."""
        return self._fits(times * (estimate.usd or 0.0), times * estimate.tokens, times)

    @asynccontextmanager
    async def held(self, estimate: CostBound) -> AsyncGenerator[Held]:
        """Hold an estimate for the time of a call; what was really spent is told with `Held.settle`.

        Where it does not fit beside the calls under way, this waits for them to settle.

        Raises:
            BudgetExceeded: it does not fit into what is left.
        """
        usd = estimate.usd or 0.0
        async with self._settled:
            while not self._fits(usd, estimate.tokens):
                if not self._held_calls:
                    self.exhausted = True
                    raise BudgetExceeded
                await self._settled.wait()
            self._held_calls += 1
            self._held_usd += usd
            self._held_tokens += estimate.tokens
        held = Held()
        try:
            yield held
        finally:
            with anyio.CancelScope(shield=True):
                async with self._settled:
                    self._held_calls -= 1
                    self._held_usd -= usd
                    self._held_tokens -= estimate.tokens
                    self._spend(held.reply)
                    self._settled.notify_all()

    def _fits(self, usd: float, tokens: int, calls: int = 1) -> bool:
        wanted = (
            (self.spent_usd + self._held_usd + usd, self._usd),
            (self.spent_tokens + self._held_tokens + tokens, self._tokens),
            (self._spent_calls + self._held_calls + calls, self._calls),
        )
        return not self.exhausted and all(cap is None or amount <= cap for amount, cap in wanted)

    def _spend(self, reply: Reply | None) -> None:
        if reply is None:
            return
        self._spent_calls += 1
        self.spent_tokens += reply.tokens_in + reply.tokens_out
        self.spent_usd += reply.cost_usd or 0.0
        self.cost_known = self.cost_known and reply.cost_usd is not None


class Held:
    """A call under way."""

    def __init__(self) -> None:
        self.reply: Reply | None = None

    def settle(self, reply: Reply | None) -> None:
        """Say what came back. Without it the call counts as free: nothing came."""
        self.reply = reply
