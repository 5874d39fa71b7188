"""Looks for what a model lacks before anything is done for it: its key, its package, its server."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import cast
from urllib.parse import urlsplit

import anyio
from msgspec import Struct

from codeens_sandbox_backends.extras import installing
from codeens_server.config.settings import ModelSettings
from codeens_server.generation.models.exchange import NOT_SET, is_editor_model

SECONDS = 3.0
"""For a server to take a connection."""
_PROXIES = ("https_proxy", "http_proxy", "all_proxy")


class Needs(Struct, frozen=True, kw_only=True):
    """What LiteLLM wants for the models of a prefix."""

    variables: tuple[tuple[str, ...], ...] = ()
    """Groups of environment variables: one group, whole, is needed."""
    package: str = ""
    """What to install."""
    module: str = ""
    """By what it is imported."""
    advice: str = ""


NEEDS: dict[str, Needs] = {
    "azure": Needs(variables=(("AZURE_API_KEY",), ("AZURE_AD_TOKEN",)), advice="and api_base names the resource"),
    "azure_ai": Needs(variables=(("AZURE_AI_API_KEY",), ("AZURE_API_KEY",))),
    "bedrock": Needs(
        variables=(
            ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
            ("AWS_PROFILE",),
            ("AWS_BEARER_TOKEN_BEDROCK",),
            ("AWS_ROLE_ARN",),
            ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",),
        ),
        package="boto3",
        module="boto3",
        advice="and AWS_REGION_NAME names the region",
    ),
    "vertex_ai": Needs(
        package="google-auth", module="google.auth", advice="then gcloud auth application-default login"
    ),
    "transformers": Needs(
        package="transformers", module="transformers", advice="and torch as pytorch.org has it for this machine"
    ),
    "gemini": Needs(variables=(("GEMINI_API_KEY",), ("GOOGLE_API_KEY",))),
    "together_ai": Needs(variables=(("TOGETHERAI_API_KEY",), ("TOGETHER_API_KEY",))),
    "fireworks_ai": Needs(variables=(("FIREWORKS_API_KEY",), ("FIREWORKS_AI_API_KEY",))),
    "cohere_chat": Needs(variables=(("COHERE_API_KEY",), ("CO_API_KEY",))),
    "perplexity": Needs(variables=(("PERPLEXITYAI_API_KEY",), ("PERPLEXITY_API_KEY",))),
    "huggingface": Needs(variables=(("HF_TOKEN",), ("HUGGINGFACE_API_KEY",))),
    "databricks": Needs(variables=(("DATABRICKS_API_KEY",),)),
    "nvidia_nim": Needs(variables=(("NVIDIA_NIM_API_KEY",),)),
    "cerebras": Needs(variables=(("CEREBRAS_API_KEY",),)),
    "sambanova": Needs(variables=(("SAMBANOVA_API_KEY",),)),
    "openai": Needs(variables=(("OPENAI_API_KEY",),)),
    "anthropic": Needs(variables=(("ANTHROPIC_API_KEY",),)),
    "mistral": Needs(variables=(("MISTRAL_API_KEY",),)),
    "openrouter": Needs(variables=(("OPENROUTER_API_KEY",),)),
    "deepseek": Needs(variables=(("DEEPSEEK_API_KEY",),)),
    "groq": Needs(variables=(("GROQ_API_KEY",),)),
    "xai": Needs(variables=(("XAI_API_KEY",),)),
}
"""By the prefix of LiteLLM's names; what is not here is found out when the model is asked."""


async def unreachable(models: Sequence[ModelSettings], environ: Mapping[str, str]) -> dict[str, str]:
    """Return why models cannot be asked, by name, as far as it shows without asking; servers are tried at once.

    Args:
        models: those to ask.
        environ: where keys are read from.
    """
    found = {model.name: why for model in models if (why := missing(model, environ))}

    async def look(model: ModelSettings) -> None:
        if why := await _server_fault(model.api_base or ""):
            found[model.name] = f"{model.api_base} of model {model.name} cannot be reached: {why}"

    async with anyio.create_task_group() as group:
        for model in models:
            if model.api_base and model.name not in found and _is_asked_directly(model.api_base, environ):
                group.start_soon(look, model)
    return found


def missing(model: ModelSettings, environ: Mapping[str, str]) -> str:
    """Return what a model lacks of keys and packages; empty: nothing that shows."""
    if is_editor_model(model.name):
        return ""
    needs = NEEDS.get(model.model.partition("/")[0], Needs())
    if needs.module and not _is_there(needs.module):
        more = f", {needs.advice}" if needs.advice else ""
        return f"{model.name} needs the package {needs.package}: {installing(needs.package)}{more}"
    groups = _groups(model, needs)
    if not groups or any(all(environ.get(name) for name in group) for group in groups):
        return ""
    if model.model.startswith("bedrock/") and environ.get("HOME") and _has_aws_files(environ):
        return ""
    ways = " or ".join(dict.fromkeys(" and ".join(group) for group in groups))
    more = f" ({needs.advice})" if needs.advice else ""
    return f"{model.name} needs {ways}, which {NOT_SET}{more}"


def _groups(model: ModelSettings, needs: Needs) -> list[tuple[str, ...]]:
    """Return groups of variables of which one must be set; none: a server of one's own may want no key."""
    if model.api_base and not model.model.startswith(("azure/", "azure_ai/")):
        return []
    if model.api_key_env is None or (model.api_key_env,) in needs.variables:
        return list(needs.variables)
    return [(model.api_key_env,)]


def _has_aws_files(environ: Mapping[str, str]) -> bool:
    from pathlib import Path

    return (Path(environ["HOME"]) / ".aws" / "credentials").is_file()


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _is_asked_directly(address: str, environ: Mapping[str, str]) -> bool:
    """Return whether no proxy stands between, which alone may know the host."""
    proxied = any(environ.get(name) or environ.get(name.upper()) for name in _PROXIES)
    return not proxied or (urlsplit(address).hostname or "") in {"localhost", "127.0.0.1", "::1"}


async def _server_fault(address: str) -> str:
    parts = urlsplit(address)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        with anyio.fail_after(SECONDS):
            stream = await anyio.connect_tcp(parts.hostname or "", port)
            await stream.aclose()
    except TimeoutError:
        return f"no answer within {SECONDS:g} s"
    except (OSError, ssl.SSLError, ValueError) as error:
        return _words(error)
    return ""


def _words(error: BaseException) -> str:
    below: BaseException | None = error
    while below is not None:
        if isinstance(below, ConnectionRefusedError):
            return "nothing listens there"
        if type(below).__name__ == "gaierror":
            return "there is no host of that name"
        if isinstance(below, ExceptionGroup):
            below = cast("ExceptionGroup[Exception]", below).exceptions[0]
            continue
        below = below.__cause__ or below.__context__
    return str(error) or type(error).__name__
