"""What goes to a model, and what comes back."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Message(Struct, frozen=True, kw_only=True):
    """One message of a chat."""

    role: Literal["system", "user"]
    content: str


class Sampling(Struct, frozen=True, kw_only=True):
    """How the answer is drawn."""

    temperature: float
    top_p: float | None = None
    max_tokens: int


class Reply(Struct, frozen=True, kw_only=True):
    """A model's answer."""

    text: str
    model: str
    """The name, as configured, of the model that answered: a fallback's, where one stepped in."""
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float | None = None
    """None: the price is not known."""
    finish_reason: str = "stop"
    """`length`: the answer was cut at the most tokens allowed."""
