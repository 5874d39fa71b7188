"""Ask models over LiteLLM's Router: retries, `Retry-After`, fallbacks and cooldowns are its work.

A provider's limits per minute are kept by waiting. The Router refuses a request that is over a limit (with a 429 of its
own) instead of letting it wait, which would turn the burst that an ensemble is into failures; so the waiting is done
here, before the Router is asked.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Protocol
from urllib.parse import urlsplit

import anyio
from msgspec.structs import replace

from codeens_server.config.settings import ModelSettings
from codeens_server.generation.budget import CostBound
from codeens_server.generation.models.exchange import (
    EditorModel,
    Message,
    ModelError,
    Reply,
    Sampling,
    Torn,
    is_editor_model,
)
from codeens_server.generation.models.in_process import InProcessModel, is_in_process
from codeens_server.generation.models.litellm_router import USUAL_ROOM, LiteLLM, explain, refusal_of, remedy
from codeens_server.generation.models.request_shape import RequestShape
from codeens_server.redaction import redact
from codeens_server.text import one_line

MINUTE_S = 60.0
CHARACTERS_PER_TOKEN = 3
"""Fewer than any tokenizer needs for code in the mean, so that an estimate is not too low."""
MOST_CHUNKS = 100_000
_LONGEST_REFUSAL = 200


class RateLimiter:
    """Requests and tokens begun within the last minute, against what may be."""

    def __init__(self, *, rpm: int | None, tpm: int | None) -> None:
        self._rpm = rpm
        self._tpm = tpm
        self._begun: deque[tuple[float, int]] = deque()
        self._turn = anyio.Lock()

    def tighten(self, *, rpm: int | None, tpm: int | None) -> None:
        """Hold to these limits too, from the next request on."""
        self._rpm = min((limit for limit in (self._rpm, rpm) if limit is not None), default=None)
        self._tpm = min((limit for limit in (self._tpm, tpm) if limit is not None), default=None)

    async def wait(self, tokens: int) -> None:
        """Wait until one more request of about so many tokens may begin; first come, first served."""
        if self._rpm is None and self._tpm is None:
            return
        async with self._turn:
            await anyio.sleep_until(self._free_at(tokens))
            self._begun.append((anyio.current_time(), tokens))

    def _free_at(self, tokens: int) -> float:
        """Return when a request of so many tokens may begin: when enough of what was begun is a minute old."""
        free_at = now = anyio.current_time()
        while self._begun and self._begun[0][0] <= now - MINUTE_S:
            self._begun.popleft()
        count, used = len(self._begun), sum(size for _, size in self._begun)
        for begun, size in self._begun:
            if self._fits(count + 1, used + tokens):
                break
            free_at = begun + MINUTE_S
            count, used = count - 1, used - size
        return free_at

    def _fits(self, requests: int, tokens: int) -> bool:
        return (self._rpm is None or requests <= self._rpm) and (self._tpm is None or tokens <= self._tpm)


class Limiter(Protocol):
    """Lets requests of one model begin."""

    async def wait(self, tokens: int) -> None:
        """Wait until one more request of about so many tokens may begin."""
        ...


class Models:
    """The models of one run. LiteLLM is loaded by the first question; who leaves last closes every connection."""

    def __init__(
        self,
        models: Sequence[ModelSettings],
        environ: Mapping[str, str],
        editor: EditorModel | None = None,
        *,
        limiter: Callable[[ModelSettings], Limiter] | None = None,
    ) -> None:
        """Name the models.

        Args:
            models: those to ask and those they fall back to.
            environ: where keys are read from by their variable's name.
            editor: asks the models of the editor; needed where `models` has one of these.
            limiter: makes what holds a model's limits per minute; None: they are held here.
        """
        self._models = {model.name: model for model in models}
        self._editor = editor
        self._environ = environ
        self._limits = {model.name: anyio.CapacityLimiter(model.max_parallel or math.inf) for model in models}
        self._shapes = {model.name: RequestShape(model) for model in models}
        self._limiters = {model.name: (limiter or _own_limiter)(model) for model in models}
        self._opening = anyio.Lock()
        self._router: LiteLLM | None = None
        self._in_process = {model.name: InProcessModel(model) for model in models if is_in_process(model)}

    async def __aenter__(self) -> Models:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._router is not None:
            await self._router.aclose()
            self._router = None

    async def estimate(self, name: str, messages: Sequence[Message], sampling: Sampling) -> CostBound:
        """Return what an answer could cost at the most, at the dearest of the model and its fallbacks."""
        tokens_in = sum(len(message.content) for message in messages) // CHARACTERS_PER_TOKEN + 1
        tokens_out = (await self._with_room(name, sampling)).max_tokens or 0
        if self._is_free(name):
            return CostBound(tokens=tokens_in + tokens_out, usd=0.0)
        router = await self._opened()
        asked = [self._models[name], *(self._models[other] for other in self._models[name].fallbacks)]
        costs = [_cost(router, model, tokens_in, tokens_out) for model in asked]
        known = [cost for cost in costs if cost is not None]
        usd = max(known) if len(known) == len(costs) else None
        return CostBound(tokens=tokens_in + tokens_out, usd=usd)

    async def _with_room(self, name: str, sampling: Sampling) -> Sampling:
        """Return it with as many tokens as the model needs, where it does not say how many there may be."""
        if sampling.max_tokens is not None:
            return sampling
        model = self._models[name]
        most = model.max_tokens
        if most is None and self._is_free(name):
            most = USUAL_ROOM
        if most is None:
            most = (await self._opened()).room(model.model, reasons=model.reasoning_effort is not None)
        return replace(sampling, max_tokens=most)

    def _is_free(self, name: str) -> bool:
        return is_editor_model(name) or name in self._in_process

    async def ask(self, name: str, messages: Sequence[Message], sampling: Sampling, torn: Torn | None = None) -> Reply:
        """Ask for one answer. One that was cut for its length, or is empty, is paid for and is one; a torn one is not.

        Args:
            name: the model, as configured.
            messages: what it is asked.
            sampling: how the answer is drawn.
            torn: gets how long it took; and what had come, and is paid for, when this raises or is cancelled.

        Raises:
            ModelError: there is none, after all retries and fallbacks.
        """
        model, torn = self._models[name], torn or Torn()
        sampling = await self._with_room(name, sampling)
        tokens = (await self.estimate(name, messages, sampling)).tokens
        async with self._limits[name]:
            await self._limiters[name].wait(tokens)
            began = anyio.current_time()
            try:
                with anyio.fail_after(model.timeout_s * (1 + len(model.fallbacks))):
                    return await self._answer(name, messages, sampling, torn)
            except TimeoutError:
                raise ModelError(name, f"no answer within {model.timeout_s:g} s", "later") from None
            except ModelError:
                raise
            except Exception as error:
                # LiteLLM and what it stands on raise dozens of types, some of them bare; all say that this call failed.
                why = explain(error, model, self._environ)
                raise ModelError(name, why, remedy(error, why)) from error
            finally:
                torn.latency_s = anyio.current_time() - began

    async def _answer(self, name: str, messages: Sequence[Message], sampling: Sampling, torn: Torn) -> Reply:
        if self._editor is not None and is_editor_model(name):
            return await self._editor(name, messages, sampling)
        shape = self._shapes[name]
        if (own := self._in_process.get(name)) is not None:
            return await own.ask(shape.arguments(messages, sampling))
        router = await self._opened()
        reply = await self._fitting(router, name, messages, sampling, torn)
        if reply.text or reply.empty_because or not shape.streams:
            return reply
        # A server that takes no notice of `stream` sends a document, in which LiteLLM sees no event.
        shape.streams = False
        whole = await self._fitting(router, name, messages, sampling, torn)
        shape.streams = not whole.text
        return _both(reply, whole)

    async def _fitting(
        self, router: LiteLLM, name: str, messages: Sequence[Message], sampling: Sampling, torn: Torn
    ) -> Reply:
        """Ask; and again without what the endpoint refuses by name, as long as there is something to leave out."""
        shape = self._shapes[name]
        while True:
            arguments = shape.arguments(messages, sampling)
            try:
                return await self._asked(router, name, messages, arguments, torn)
            except Exception as error:
                refusal = refusal_of(error)
                if refusal is None or not shape.adapt(refusal, arguments):
                    raise

    async def _asked(
        self, router: LiteLLM, name: str, messages: Sequence[Message], arguments: Mapping[str, Any], torn: Torn
    ) -> Reply:
        answer = await router.complete(name, arguments)
        answered = self._models.get(getattr(answer, "_hidden_params", {}).get("model_id", name), self._models[name])
        chunks: list[Any] = []
        if arguments["stream"]:
            try:
                await _receive(answer, chunks, name)
            except BaseException:
                # What cannot be read has no price that could be told; why the call failed matters more.
                with suppress(Exception):
                    torn.reply = self._read(router, answered, router.joined(chunks, messages)) if chunks else None
                raise
            answer = router.joined(chunks, messages) if chunks else None
        if not answer or not answer.choices:
            raise ModelError(name, "the answer has no choices")
        return self._read(router, answered, answer, "".join(map(_refusal_in, chunks)))

    def _read(self, router: LiteLLM, model: ModelSettings, answer: Any, refused: str = "") -> Reply:
        choice, usage = answer.choices[0], answer.usage
        return Reply(
            text=redact(_text_of(choice.message), self._environ),
            model=model.name,
            tokens_in=usage.prompt_tokens,
            tokens_out=usage.completion_tokens,
            cost_usd=_cost(router, model, usage.prompt_tokens, usage.completion_tokens),
            finish_reason=choice.finish_reason or "",
            empty_because=redact(_why_empty(choice, refused), self._environ),
        )

    async def _opened(self) -> LiteLLM:
        async with self._opening:
            if self._router is None:
                models = [
                    model
                    for model in self._models.values()
                    if not is_editor_model(model.name) and model.name not in self._in_process
                ]
                self._router = await LiteLLM.start(models, self._environ)
            return self._router


def _own_limiter(model: ModelSettings) -> Limiter:
    return RateLimiter(rpm=model.rpm, tpm=model.tpm)


async def _receive(answer: Any, chunks: list[Any], name: str) -> None:
    async for chunk in answer:
        chunks.append(chunk)
        if len(chunks) > MOST_CHUNKS:
            raise ModelError(name, "the answer has no end")


def _text_of(message: Any) -> str:
    """Return what a message says; reasoning alone is marked as such, as an answer may stand in it."""
    reasoning = getattr(message, "reasoning_content", None)
    return message.content or (f"<think>\n{reasoning}\n</think>" if reasoning else "")


def _refusal_in(chunk: Any) -> str:
    return "".join(getattr(choice.delta, "refusal", None) or "" for choice in chunk.choices)


def _why_empty(choice: Any, refused: str) -> str:
    fields: Mapping[str, Any] = getattr(choice.message, "provider_specific_fields", None) or {}
    refused = refused or fields.get("refusal") or ""
    if refused:
        return f"the model refused: {one_line(refused)[:_LONGEST_REFUSAL]}"
    if choice.finish_reason == "content_filter":
        return "the answer was taken out by the provider's content filter"
    if choice.message.tool_calls:
        return "the model called a tool in place of an answer"
    if choice.finish_reason == "length" and not choice.message.content:
        return "the model used all of its tokens before it said anything"
    return ""


def _both(first: Reply, second: Reply) -> Reply:
    """Return the second answer to a question that was asked twice, with what both cost."""
    known = first.cost_usd is not None and second.cost_usd is not None
    return replace(
        second,
        tokens_in=first.tokens_in + second.tokens_in,
        tokens_out=first.tokens_out + second.tokens_out,
        cost_usd=(first.cost_usd or 0.0) + (second.cost_usd or 0.0) if known else None,
    )


def _cost(router: LiteLLM, model: ModelSettings, tokens_in: int, tokens_out: int) -> float | None:
    """Return the cost by the prices in the settings, else LiteLLM's; None when neither is known."""
    if model.input_cost_per_token is not None and model.output_cost_per_token is not None:
        return tokens_in * model.input_cost_per_token + tokens_out * model.output_cost_per_token
    prices = router.price(model.model) if _has_list_price(model) else None
    return tokens_in * prices[0] + tokens_out * prices[1] if prices else None


_UNPRICED = {"openai", "text-completion-openai", "custom_openai", "hosted_vllm", "vllm", "litellm_proxy", "lm_studio"}
"""Prefixes that say how a server is spoken to and not whose it is."""


def _has_list_price(model: ModelSettings) -> bool:
    """Return whether the provider's list price holds: also at a regional address, not at a server of one's own."""
    if not model.api_base or model.model.partition("/")[0] not in _UNPRICED:
        return True
    host = urlsplit(model.api_base).hostname or ""
    return model.model.startswith("openai/") and (host == "openai.com" or host.endswith(".openai.com"))
