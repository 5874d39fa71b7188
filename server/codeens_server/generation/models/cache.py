"""The same request to the same model is paid for once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol

import msgspec

from codeens_server.config.settings import ModelSettings
from codeens_server.generation.models.exchange import Message, Reply, Sampling


class ResponseCache(Protocol):
    """Answers by the digest of their request."""

    async def get(self, key: str) -> Reply | None:
        """The answer kept for a request."""
        ...

    async def put(self, key: str, reply: Reply) -> None:
        """Keep an answer."""
        ...


def request_key(model: ModelSettings, messages: Sequence[Message], sampling: Sampling, sample: int) -> str:
    """SHA-256 (hex) of all that an answer depends on; `sample` tells answers to the same question apart."""
    request = [model.model, model.api_base, [[item.role, item.content] for item in messages], sampling, sample]
    return hashlib.sha256(msgspec.json.encode(request, order="deterministic")).hexdigest()
