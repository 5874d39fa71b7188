"""The providers that models come from."""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from msgspec import Struct


class Provider(Struct, frozen=True, kw_only=True):
    """A provider whose key may be found in the environment."""

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


@cache
def litellm_prefixes() -> frozenset[str]:
    """All prefixes that LiteLLM knows, read out of its source: importing it takes seconds. Empty when they moved."""
    found = find_spec("litellm")
    folder = Path(found.origin).parent if found and found.origin else Path()
    try:
        source = (folder / "types" / "utils.py").read_text(encoding="utf-8")
    except OSError:
        return frozenset()
    listing = source.partition("class LlmProviders(")[2].partition("\nclass ")[0]
    return frozenset(re.findall(r'^    [A-Z0-9_]+ = "([^"]+)"', listing, re.MULTILINE))
