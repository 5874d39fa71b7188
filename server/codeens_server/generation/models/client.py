"""Asks models over LiteLLM's Router: retries, `Retry-After`, fallbacks and cooldowns are its work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

import anyio

from codeens_server.config.settings import ModelSettings
from codeens_server.generation.budget import Estimate
from codeens_server.generation.models.editor_model import EditorModel, is_editor_model
from codeens_server.generation.models.errors import ModelError, explain
from codeens_server.generation.models.exchange import Message, Reply, Sampling
from codeens_server.generation.models.litellm_router import LiteLLM
from codeens_server.generation.models.rate_limit import Pace

CHARACTERS_PER_TOKEN = 3
"""Fewer than any tokenizer needs for code in the mean, so that an estimate is not too low."""
MOST_CHUNKS = 100_000


class Models:
    """The models of one run. LiteLLM is loaded by the first question; who leaves last closes every connection."""

    def __init__(
        self, models: Sequence[ModelSettings], environ: Mapping[str, str], editor: EditorModel | None = None
    ) -> None:
        """Name the models.

        Args:
            models: those to ask and those they fall back to.
            environ: where keys are read from by their variable's name.
            editor: asks the models of the editor; needed where `models` has one of these.
        """
        self._models = {model.name: model for model in models}
        self._editor = editor
        self._environ = environ
        self._limits = {model.name: anyio.CapacityLimiter(model.max_parallel) for model in models}
        self._paces = {model.name: Pace(rpm=model.rpm, tpm=model.tpm) for model in models}
        self._opening = anyio.Lock()
        self._door: LiteLLM | None = None

    async def __aenter__(self) -> Models:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._door is not None:
            await self._door.aclose()
            self._door = None

    async def estimate(self, name: str, messages: Sequence[Message], sampling: Sampling) -> Estimate:
        """What an answer could cost at the most, at the dearest of the model and its fallbacks."""
        tokens_in = sum(len(message.content) for message in messages) // CHARACTERS_PER_TOKEN + 1
        if is_editor_model(name):
            return Estimate(tokens=tokens_in + sampling.max_tokens, usd=0.0)
        door = await self._opened()
        asked = [self._models[name], *(self._models[other] for other in self._models[name].fallbacks)]
        costs = [_cost(door, model, tokens_in, sampling.max_tokens) for model in asked]
        known = [cost for cost in costs if cost is not None]
        usd = max(known) if len(known) == len(costs) else None
        return Estimate(tokens=tokens_in + sampling.max_tokens, usd=usd)

    async def ask(self, name: str, messages: Sequence[Message], sampling: Sampling) -> Reply:
        """One answer. One that was cut for its length, or is empty, is paid for and is one; a torn one is not.

        Raises:
            ModelError: there is none, after all retries and fallbacks.
        """
        model = self._models[name]
        tokens = (await self.estimate(name, messages, sampling)).tokens
        async with self._limits[name]:
            await self._paces[name].wait(tokens)
            try:
                with anyio.fail_after(model.timeout_s * (1 + len(model.fallbacks))):
                    return await self._answer(name, messages, sampling)
            except TimeoutError:
                raise ModelError(name, f"no answer within {model.timeout_s:g} s") from None
            except ModelError:
                raise
            except Exception as error:
                # LiteLLM and what it stands on raise dozens of types, some of them bare; all say that this call failed.
                raise ModelError(name, explain(error, model, self._environ)) from error

    async def _answer(self, name: str, messages: Sequence[Message], sampling: Sampling) -> Reply:
        if self._editor is not None and is_editor_model(name):
            return await self._editor(name, messages, sampling)
        door = await self._opened()
        stream = await door.stream(name, messages, sampling)
        chunks: list[Any] = []
        async for chunk in stream:
            chunks.append(chunk)
            if len(chunks) > MOST_CHUNKS:
                raise ModelError(name, "the answer has no end")
        whole: Any = door.joined(chunks, messages) if chunks else None
        if not whole or not whole.choices:
            raise ModelError(name, "the answer was empty")
        answered = self._models.get(getattr(stream, "_hidden_params", {}).get("model_id", name), self._models[name])
        return Reply(
            text=whole.choices[0].message.content or "",
            model=answered.name,
            tokens_in=whole.usage.prompt_tokens,
            tokens_out=whole.usage.completion_tokens,
            cost_usd=_cost(door, answered, whole.usage.prompt_tokens, whole.usage.completion_tokens),
            finish_reason=whole.choices[0].finish_reason or "",
        )

    async def _opened(self) -> LiteLLM:
        async with self._opening:
            if self._door is None:
                models = [model for model in self._models.values() if not is_editor_model(model.name)]
                self._door = await LiteLLM.start(models, self._environ)
            return self._door


def _cost(door: LiteLLM, model: ModelSettings, tokens_in: int, tokens_out: int) -> float | None:
    """By the prices in the settings, else LiteLLM's; None when neither is known."""
    if model.input_cost_per_token is not None and model.output_cost_per_token is not None:
        return tokens_in * model.input_cost_per_token + tokens_out * model.output_cost_per_token
    prices = None if model.api_base else door.price(model.model)
    return tokens_in * prices[0] + tokens_out * prices[1] if prices else None
