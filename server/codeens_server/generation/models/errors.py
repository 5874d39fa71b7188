"""What can go wrong with a model, in one line without keys."""

from __future__ import annotations

import re
from collections.abc import Mapping

from codeens_server.config.settings import ModelSettings
from codeens_server.text import redact

LONGEST = 200
NOISE = re.compile(r"^(?:litellm\.)?\w+(?:Error|Exception|Timeout)?: |^\w*Exception - |^Error code: \d+ - ")


class ModelError(Exception):
    """A model gave no usable answer."""

    def __init__(self, model: str, why: str) -> None:
        super().__init__(f"{model}: {why}")
        self.model = model
        self.why = why


def explain(error: Exception, model: ModelSettings, environ: Mapping[str, str]) -> str:
    """Why a call failed, and what to do about it where a person can do something."""
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
