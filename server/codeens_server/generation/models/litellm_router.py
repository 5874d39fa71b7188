"""LiteLLM's Router, loaded late and closed clean, and what its errors mean in one line without keys."""

from __future__ import annotations

import importlib
import logging
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import anyio
import anyio.to_thread

from codeens_server.config.settings import ModelSettings
from codeens_server.generation.models.exchange import Message, Sampling
from codeens_server.text import redact

RETRIES = 2
COOLDOWN_S = 5.0
CLOSING_S = 5.0
_TURN = anyio.Lock()
"""Held by who begins or ends."""
LONGEST = 200
NOISE = re.compile(r"^(?:litellm\.)?\w+(?:Error|Exception|Timeout)?: |^\w*Exception - |^Error code: \d+ - ")


class LiteLLM:
    """A Router over some models, and its clean end.

    LiteLLM has one set of clients for the whole process, so that only the last to end can close them.
    """

    _open: ClassVar[int] = 0

    def __init__(self, module: Any, router: Any) -> None:
        self._module = module
        self._router = router

    @classmethod
    async def start(cls, models: Sequence[ModelSettings], environ: Mapping[str, str]) -> LiteLLM:
        """Import LiteLLM in a thread, the first time, and set a Router up."""
        module = await anyio.to_thread.run_sync(_quiet_litellm, abandon_on_cancel=True)
        with_fallbacks = [model for model in models if model.fallbacks]
        async with _TURN:
            router = module.Router(
                model_list=[_deployment(model, environ) for model in models],
                num_retries=RETRIES,
                # A call that took all its time is not begun again: its time is over.
                retry_policy=module.RetryPolicy(TimeoutErrorRetries=0),
                fallbacks=[{model.name: list(model.fallbacks)} for model in with_fallbacks],
                cooldown_time=COOLDOWN_S,
                # A model that LiteLLM does not take fails when it is asked; the others are asked all the same.
                ignore_invalid_deployments=True,
                # Without a fallback nothing is won by not asking the only server there is.
                disable_cooldowns=not with_fallbacks,
            )
            cls._open += 1
        return cls(module, router)

    async def stream(self, model: str, messages: Sequence[Message], sampling: Sampling) -> Any:
        """Begin an answer; retries and fallbacks are over when this returns."""
        top_p = {} if sampling.top_p is None else {"top_p": sampling.top_p}
        return await self._router.acompletion(
            model=model,
            messages=[{"role": message.role, "content": message.content} for message in messages],
            temperature=sampling.temperature,
            max_tokens=sampling.max_tokens,
            stream=True,
            stream_options={"include_usage": True},
            **top_p,
        )

    def joined(self, chunks: list[Any], messages: Sequence[Message]) -> Any:
        """Return the whole answer with its usage, estimated with a tokenizer where the server told none."""
        prompt = [{"role": message.role, "content": message.content} for message in messages]
        return self._module.stream_chunk_builder(chunks, messages=prompt)

    def price(self, model: str) -> tuple[float, float] | None:
        """Return dollars per token read and per token written, from LiteLLM's own table; None where it has none."""
        try:
            known = self._module.get_model_info(model)
        except Exception:  # noqa: BLE001  LiteLLM raises a bare Exception for a model that is not in its table
            return None
        if not known.get("input_cost_per_token") or not known.get("output_cost_per_token"):
            return None
        return known["input_cost_per_token"], known["output_cost_per_token"]

    async def aclose(self) -> None:
        """End the Router, and with the last one what LiteLLM left running: its logging task, clients, connections."""
        with anyio.CancelScope(shield=True):
            async with _TURN:
                self._end_router()
                LiteLLM._open -= 1
                if not LiteLLM._open:
                    with anyio.move_on_after(CLOSING_S):
                        await self._close_clients()

    def _end_router(self) -> None:
        # `retire` since 1.110, which deprecates `discard`; both only unhook the Router's callbacks.
        end = getattr(self._router, "retire", None) or self._router.discard
        end()

    async def _close_clients(self) -> None:
        worker = importlib.import_module("litellm.litellm_core_utils.logging_worker")
        await worker.GLOBAL_LOGGING_WORKER.stop()
        await self._module.close_litellm_async_clients()
        self._module.in_memory_llm_clients_cache.flush_cache()


def _quiet_litellm() -> Any:
    """Import LiteLLM without network, without reading `.env` files, and without a word on the terminal."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ["LITELLM_MODE"] = "PRODUCTION"
    os.environ.setdefault("LITELLM_LOG", "CRITICAL")
    module: Any = importlib.import_module("litellm")
    module.suppress_debug_info = True
    module.drop_params = True
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return module


def _deployment(model: ModelSettings, environ: Mapping[str, str]) -> dict[str, Any]:
    params: dict[str, Any] = {"model": model.model, "timeout": model.timeout_s}
    key = environ.get(model.api_key_env, "") if model.api_key_env else ""
    if model.api_base:
        params["api_base"] = model.api_base
    if key or model.api_base:
        params["api_key"] = key or "none"
    return {"model_name": model.name, "litellm_params": params, "model_info": {"id": model.name}}


def explain(error: Exception, model: ModelSettings, environ: Mapping[str, str]) -> str:
    """Return why a call failed, and what to do about it where a person can do something."""
    said = redact(_first_line(str(error)), environ)
    for base in type(error).__mro__:
        if base.__name__ in SENTENCES:
            return SENTENCES[base.__name__].format(
                said=said, seconds=model.timeout_s, key=model.api_key_env or "its API key", name=model.model
            )
    return f"{type(error).__name__}: {said}"


SENTENCES = {
    "AuthenticationError": "the key was refused: set {key}",
    "PermissionDeniedError": "the key does not allow this model: {said}",
    "RateLimitError": "still over the rate limit after the last retry: {said}",
    "Timeout": "no answer within {seconds:g} s",
    "NotFoundError": "there is no model {name!r} there: {said}",
    "ContextWindowExceededError": "the prompt is longer than the model can read",
    "ContentPolicyViolationError": "refused by the provider's content policy",
    "BadRequestError": "the request was refused: {said}",
    "InternalServerError": "the server failed: {said}",
    "ServiceUnavailableError": "the server is not available: {said}",
    "APIConnectionError": "the connection failed: {said}",
    "APIError": "the server answered with an error: {said}",
}
"""LiteLLM's exceptions, and OpenAI's that they are made from, by the name of the class; the nearest base counts."""


def _first_line(text: str) -> str:
    line = next((line for line in text.split("\n") if line.strip()), "no reason was given").strip()
    while (shorter := NOISE.sub("", line)) != line:
        line = shorter
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
