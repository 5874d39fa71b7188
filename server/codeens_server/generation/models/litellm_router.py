"""LiteLLM's Router, loaded late and closed clean, and what its errors mean in one line without keys."""

from __future__ import annotations

import importlib
import logging
import os
import re
import socket
import ssl
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

import anyio
import anyio.to_thread

from codeens_sandbox_backends.extras import installing
from codeens_server.config.settings import ModelSettings
from codeens_server.domain.terms import Remedy
from codeens_server.generation.models.exchange import NOT_SET, Message
from codeens_server.redaction import redact

RETRIES = 2
COOLDOWN_S = 5.0
USUAL_ROOM = 4096
ROOM_TO_REASON = 16_384
"""Tokens of an answer; who reasons needs some thousand before the first one is seen."""
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

    async def complete(self, model: str, arguments: Mapping[str, Any]) -> Any:
        """Begin an answer, or bring a whole one; retries and fallbacks are over when this returns."""
        return await self._router.acompletion(model=model, **arguments)

    def joined(self, chunks: list[Any], messages: Sequence[Message]) -> Any:
        """Return the whole answer with its usage, estimated with a tokenizer where the server told none."""
        prompt = [{"role": message.role, "content": message.content} for message in messages]
        return self._module.stream_chunk_builder(chunks, messages=prompt)

    def price(self, model: str) -> tuple[float, float] | None:
        """Return dollars per token read and per token written, from LiteLLM's own table; None where it has none."""
        known = self._known(model)
        if not known.get("input_cost_per_token") or not known.get("output_cost_per_token"):
            return None
        return known["input_cost_per_token"], known["output_cost_per_token"]

    def room(self, model: str, *, reasons: bool) -> int:
        """Return how many tokens an answer may have where nobody says: more of a model that reasons before it answers.

        Args:
            model: its name for LiteLLM.
            reasons: whether it is known to, also where LiteLLM's table does not say so.
        """
        known = self._known(model)
        wanted = ROOM_TO_REASON if reasons or known.get("supports_reasoning") else USUAL_ROOM
        return min(wanted, known.get("max_output_tokens") or wanted)

    def _known(self, model: str) -> Mapping[str, Any]:
        try:
            return self._module.get_model_info(model)
        except Exception:  # noqa: BLE001  LiteLLM raises a bare Exception for a model that is not in its table
            return {}

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
    _quiet_pydantic()
    module: Any = importlib.import_module("litellm")
    _quiet_pydantic()  # LiteLLM lets its warnings through again
    module.suppress_debug_info = True
    module.drop_params = True
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return module


def _quiet_pydantic() -> None:
    """Keep it from saying a line of each of LiteLLM's own types, and of each answer that is not quite like them."""
    warnings.filterwarnings("ignore", category=UserWarning, module=r"pydantic\.")


def _deployment(model: ModelSettings, environ: Mapping[str, str]) -> dict[str, Any]:
    params: dict[str, Any] = {"model": model.model, "timeout": model.timeout_s}
    key = environ.get(model.api_key_env, "") if model.api_key_env else ""
    if model.api_base:
        params["api_base"] = model.api_base
    if key or model.api_base:
        params["api_key"] = key or "none"
    if model.headers:
        params["extra_headers"] = {name: _from_environment(text, environ) for name, text in model.headers.items()}
    return {"model_name": model.name, "litellm_params": params, "model_info": {"id": model.name}}


def _from_environment(text: str, environ: Mapping[str, str]) -> str:
    return environ.get(text[1:], "") if text.startswith("$") else text


def refusal_of(error: Exception) -> str | None:
    """Return what an endpoint said when it refused a request's form (400, 422); None for any other failure."""
    names = {base.__name__ for base in type(error).__mro__}
    is_form = bool(names & {"BadRequestError", "UnprocessableEntityError", "UnsupportedParamsError"})
    return None if not is_form or names & _NO_FORMS else redact(str(error), os.environ)


_NO_FORMS = {"ContextWindowExceededError", "ContentPolicyViolationError"}


def explain(error: Exception, model: ModelSettings, environ: Mapping[str, str]) -> str:
    """Return why a call failed, and what to do about it where a person can do something."""
    said = redact(_first_line(str(error)), environ)
    if any(sign in str(error) for sign in _LIST_CONTENT):
        return "the server's answer has no text: its content is a list of parts, which LiteLLM does not read"
    lost = _connection_fault(error)
    if lost:
        return f"the connection to {_address(model)} failed: {redact(lost, environ)}"
    if model.api_key_env and not environ.get(model.api_key_env) and _is_about_a_key(error, said):
        return f"{model.api_key_env} {NOT_SET}"
    missing = re.search(r"No module named '([\w.]+)'", str(error))
    if missing:
        package = _PACKAGES.get(missing[1].partition(".")[0], missing[1].partition(".")[0])
        return f"LiteLLM needs the package {package} for {model.model}: {installing(package)}"
    for base in type(error).__mro__:
        if base.__name__ in SENTENCES:
            return SENTENCES[base.__name__].format(
                said=said, seconds=model.timeout_s, key=model.api_key_env or "its API key", name=model.model
            )
    return f"{type(error).__name__}: {said}"


def remedy(error: Exception, why: str) -> Remedy:
    """Return what mends a failed call, `why` being what `explain` says of it."""
    bases = {base.__name__ for base in type(error).__mro__}
    if bases & _WANTS_A_KEY or why.endswith(NOT_SET):
        return "key"
    return "later" if bases & _PASSES else "models"


def _address(model: ModelSettings) -> str:
    """Return where a model is asked, without a name and password that its address may hold."""
    if not model.api_base:
        return model.model.partition("/")[0]
    parts = urlsplit(model.api_base)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


def _connection_fault(error: Exception) -> str:
    """Return why no connection came about, or why it broke, from what lies below LiteLLM's own error; else nothing."""
    below = list(_causes(error))
    for one in below:
        for kind, words in _CONNECTION_FAULTS:
            if isinstance(one, kind):
                return words
    text = str(error)
    if _NO_MORE_SAID not in text:
        return next((words for sign, words in _CONNECTION_SIGNS if sign in text), "")
    deepest = _first_line(str(below[-1]))
    return "it broke off" if _NO_MORE_SAID in deepest else deepest


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that it was raised from, each once."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__context__, one.__cause__]


_CONNECTION_FAULTS: tuple[tuple[type[BaseException], str], ...] = (
    (socket.gaierror, "there is no host of that name"),
    (ssl.SSLError, "its certificate, or its TLS, is not accepted"),
    (ConnectionRefusedError, "nothing listens there"),
)
_CONNECTION_SIGNS = (
    ("Name or service not known", "there is no host of that name"),
    ("nodename nor servname", "there is no host of that name"),
    ("CERTIFICATE_VERIFY_FAILED", "its certificate is not accepted"),
    ("Connection refused", "nothing listens there"),
    ("Cannot connect to host", "nothing listens there"),
)
_NO_MORE_SAID = "Connection error."
"""All that OpenAI's client says of any of them."""
_LIST_CONTENT = ('can only concatenate str (not "list") to str', "Invalid response object")
_PACKAGES = {"google": "google-auth", "vertexai": "google-cloud-aiplatform", "botocore": "boto3"}


def _is_about_a_key(error: Exception, said: str) -> bool:
    return "AuthenticationError" in {base.__name__ for base in type(error).__mro__} or "api_key" in said.lower()


_WANTS_A_KEY = frozenset({"AuthenticationError", "PermissionDeniedError"})
_PASSES = frozenset({"RateLimitError", "Timeout", "InternalServerError", "ServiceUnavailableError"})
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
