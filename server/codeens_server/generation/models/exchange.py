"""What goes to a model, and what comes back: an answer, kept answers, the editor's own models, errors."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec
from msgspec import Struct

from codeens_server.config.settings import ModelSettings
from codeens_server.domain.terms import Remedy
from codeens_server.redaction import redact

EDITOR_MODEL = "editor"
"""What results call it. `editor/NAME` is one of several that an editor may have."""


class Message(Struct, frozen=True, kw_only=True):
    """One message of a chat."""

    role: Literal["system", "user"]
    content: str


class Sampling(Struct, frozen=True, kw_only=True):
    """How the answer is drawn."""

    temperature: float
    top_p: float | None = None
    max_tokens: int | None
    """None: as many as the model needs."""


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
    empty_because: str = ""
    """Why there is no text, in words for people; empty where there is one, or nobody knows."""


NOT_SET = "is not set"
"""What is said of a key that is missing."""


class ModelError(Exception):
    """A model gave no usable answer."""

    def __init__(self, model: str, why: str, remedy: Remedy = "models") -> None:
        self.why = redact(why, os.environ)
        self.remedy: Remedy = remedy
        super().__init__(f"{model}: {self.why}")
        self.model = model


class Torn:
    """Holds how long a call took, and what had come of an answer when it broke or was cancelled: that much is paid."""

    def __init__(self) -> None:
        self.reply: Reply | None = None
        """None: nothing came, or all of it."""
        self.latency_s: float | None = None
        """From the question to its end, without waiting for a turn; None: the model was not asked."""

    @property
    def cost_usd(self) -> float | None:
        """What came cost; None: its price is not known."""
        return self.reply.cost_usd if self.reply else 0.0

    @property
    def tokens(self) -> int:
        """Read and written until then."""
        return self.reply.tokens_in + self.reply.tokens_out if self.reply else 0


class EditorModel(Protocol):
    """Asks the editor's model."""

    async def __call__(self, name: str, messages: Sequence[Message], sampling: Sampling) -> Reply:
        """Return one answer, of the model called `name`.

        Raises:
            ModelError: the editor has none, its user does not allow it, or it failed.
        """
        ...


def is_editor_model(name: str) -> bool:
    """Return whether a model's name means one of the editor's."""
    return name == EDITOR_MODEL or name.startswith(f"{EDITOR_MODEL}/")


def editor_settings(name: str = EDITOR_MODEL) -> ModelSettings:
    """Return how one of the editor's models is asked: few at a time, and without a price of its own."""
    return ModelSettings(name=name, model=name, input_cost_per_token=0.0, output_cost_per_token=0.0, max_parallel=4)


class ResponseCache(Protocol):
    """Answers by the digest of their request."""

    async def get(self, key: str) -> Reply | None:
        """Return the answer kept for a request; None where there is none."""
        ...

    async def put(self, key: str, reply: Reply) -> None:
        """Keep an answer."""
        ...


def request_key(model: ModelSettings, messages: Sequence[Message], sampling: Sampling, sample: int) -> str:
    """Return the SHA-256 (hex) of all that an answer depends on; `sample` tells equal questions apart."""
    asked = [model.model, model.api_base, model.params, model.drop, model.reasoning_effort]
    request = [*asked, [[item.role, item.content] for item in messages], sampling, sample]
    return hashlib.sha256(msgspec.json.encode(request, order="deterministic")).hexdigest()
