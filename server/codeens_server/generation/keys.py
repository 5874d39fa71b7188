"""Keys of model providers: where they are found, and how they are kept out of every text."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

LIKE_A_KEY = re.compile(r"\b(?:sk|pk|gsk|xai|key|api)[-_][\w*-]{6,}|(?<=Bearer )[^\s,;]+")
NAME_OF_A_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)
SHORTEST = 6
"""Shorter values are no keys, and occur in any text."""


class Provider(Struct, frozen=True, kw_only=True):
    """A provider as LiteLLM knows it."""

    prefix: str
    """What its models' names begin with, before the slash."""
    key: str
    """The environment variable that holds its key."""
    model: str
    """The model to ask when a key is all that is known."""


PROVIDERS = (
    Provider(prefix="openai", key="OPENAI_API_KEY", model="openai/gpt-5.4-mini"),
    Provider(prefix="anthropic", key="ANTHROPIC_API_KEY", model="anthropic/claude-sonnet-5-5"),
    Provider(prefix="gemini", key="GEMINI_API_KEY", model="gemini/gemini-flash-latest"),
    Provider(prefix="mistral", key="MISTRAL_API_KEY", model="mistral/codestral-latest"),
    Provider(prefix="openrouter", key="OPENROUTER_API_KEY", model="openrouter/openrouter/auto"),
    Provider(prefix="deepseek", key="DEEPSEEK_API_KEY", model="deepseek/deepseek-v4-flash"),
    Provider(prefix="groq", key="GROQ_API_KEY", model="groq/openai/gpt-oss-120b"),
    Provider(prefix="xai", key="XAI_API_KEY", model="xai/grok-4.3"),
)


def key_variable(model: str) -> str | None:
    """The environment variable for a model's provider; None when LiteLLM is to find the key by its own rules."""
    prefix = model.partition("/")[0]
    return next((provider.key for provider in PROVIDERS if provider.prefix == prefix), None)


def redact(text: str, environ: Mapping[str, str]) -> str:
    """The text without the values of secrets of the environment, and without what looks like a key."""
    secrets = {value for name, value in environ.items() if NAME_OF_A_SECRET.search(name) and len(value) >= SHORTEST}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "[key]")
    return LIKE_A_KEY.sub("[key]", text)
