"""The editor's own model, asked by `codeens/generate`."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from codeens_server.generation.models.exchange import EDITOR_MODEL, Message, ModelError, Reply, Sampling
from codeens_server.generation.models.litellm_router import USUAL_ROOM
from codeens_server.lsp.transport.client import Client, NoAnswer
from codeens_server.lsp.transport.errors import ErrorReply, converted
from codeens_server.lsp.transport.names import GENERATE

_ANSWERED_WITHIN_S = 300.0


class GenerateParams(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the server asks the client."""

    model: str | None
    """Which of the editor's models; null: the one that its user prefers."""
    messages: tuple[Message, ...]
    temperature: float
    top_p: float | None
    max_tokens: int


class GenerateResult(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the client answers."""

    text: str
    tokens_in: int = 0
    tokens_out: int = 0
    finish_reason: str = "stop"
    """`length`: the answer was cut."""


class ClientModel:
    """Asks the client's models."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def __call__(self, name: str, messages: Sequence[Message], sampling: Sampling) -> Reply:
        """Ask for one answer; when the wait is cancelled the client is told so (`$/cancelRequest`).

        Raises:
            ModelError: it gave none.
        """
        params = GenerateParams(
            model=name.removeprefix(EDITOR_MODEL).removeprefix("/") or None,
            messages=tuple(messages),
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            max_tokens=sampling.max_tokens or USUAL_ROOM,
        )
        try:
            answer = await self._client.ask(GENERATE, msgspec.to_builtins(params), _ANSWERED_WITHIN_S)
            result = converted(answer, GenerateResult)
        except (NoAnswer, ErrorReply) as error:
            raise ModelError(name, f"the editor gave no answer: {error}") from error
        return Reply(
            text=result.text,
            model=name,
            tokens_in=result.tokens_in,
            tokens_out=result.tokens_out,
            cost_usd=0.0,
            finish_reason=result.finish_reason,
        )
