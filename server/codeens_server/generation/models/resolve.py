"""Which models are asked: those named, else those configured, else those of keys found, else servers on loopback."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import anyio
from msgspec import Struct
from msgspec.structs import replace

from codeens_server.config.settings import ModelSettings, Settings
from codeens_server.errors import Hint, InputError, unknown
from codeens_server.generation.models.exchange import editor_settings, is_editor_model
from codeens_server.generation.models.in_process import PREFIX, is_in_process

LOCAL_SERVERS = {
    "ollama": "http://127.0.0.1:11434/v1",
    "lmstudio": "http://127.0.0.1:1234/v1",
    "vllm": "http://127.0.0.1:8000/v1",
}
"""OpenAI-compatible servers at their usual ports: what to call them → `api_base`."""
AUTO = "auto"
"""In place of names of models: whoever wins on the workspace's code is asked."""
SECONDS = 0.5
MOST_BYTES = 1 << 20


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
    """Return the variable of a provider's key; None when LiteLLM is to find the key by its own rules."""
    prefix = model.partition("/")[0]
    return next((provider.key for provider in PROVIDERS if provider.prefix == prefix), None)


@cache
def litellm_prefixes() -> frozenset[str]:
    """Return LiteLLM's prefixes, read out of its source: importing it takes seconds. Empty when they moved."""
    found = find_spec("litellm")
    folder = Path(found.origin).parent if found and found.origin else Path()
    try:
        source = (folder / "types" / "utils.py").read_text(encoding="utf-8")
    except OSError:
        return frozenset()
    listing = source.partition("class LlmProviders(")[2].partition("\nclass ")[0]
    return frozenset(re.findall(r'^    [A-Z0-9_]+ = "([^"]+)"', listing, re.MULTILINE))


def resolve_models(names: Sequence[str], settings: Settings, environ: Mapping[str, str]) -> tuple[ModelSettings, ...]:
    """Return the models to ask, without the network; none when none is named, configured or has a key.

    Raises:
        InputError: a name is neither configured nor one of LiteLLM's (`provider/model`), or a fallback is unknown, or
            LiteLLM knows no provider of that name.
    """
    configured = {model.name: _complete(model) for model in settings.models}
    _check_fallbacks(configured)
    named = [name for name in dict.fromkeys(names) if name != AUTO]
    chosen = tuple(_named(name, configured) for name in named) or tuple(configured.values())
    for model in chosen:
        _check_provider(model)
        _check_address(model)
    if chosen:
        return chosen
    with_key = [provider.model for provider in PROVIDERS if environ.get(provider.key)]
    return tuple(_complete(ModelSettings(name=model)) for model in with_key)


def wants_auto(names: Sequence[str], settings: Settings) -> bool:
    """Return whether those who are asked are to be drawn from all that can be."""
    return AUTO in (names or settings.default_models)


async def choose_models(
    names: Sequence[str], settings: Settings, environ: Mapping[str, str], *, editor: bool
) -> tuple[ModelSettings, ...]:
    """Return those named, else the default ones, configured, with a key, of the editor, of servers on loopback.

    Args:
        names: the models asked for; none: the settings' default ones, where they name any. `auto` is all there are.
        settings: which models are configured.
        environ: where keys are read from.
        editor: whether there is an editor that can be asked.

    Raises:
        InputError: see `resolve_models`; or there are models and no asyncio to ask them under (code `needs_asyncio`).
    """
    names = names or settings.default_models
    if not editor:
        models = resolve_models(names, settings, environ) or await find_local_models()
        _refuse_without_asyncio(models)
        return models
    of_editor = [name for name in dict.fromkeys(names) if is_editor_model(name)]
    others = [name for name in names if not is_editor_model(name)]
    models = resolve_models(others, settings, environ) if others or not of_editor else ()
    return (*models, *map(editor_settings, of_editor)) or (editor_settings(),)


def _refuse_without_asyncio(models: Sequence[ModelSettings]) -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        if models:
            message = f"{models[0].name} is asked through LiteLLM, which needs asyncio, and this is not run by it."
            raise InputError(message, code="needs_asyncio", hint=Hint("fix", "Run it under asyncio.")) from None


async def find_local_models(servers: Mapping[str, str] | None = None, *, most: int = 1) -> tuple[ModelSettings, ...]:
    """Return the first chat models of each OpenAI-compatible server on loopback that answers in half a second."""
    servers = LOCAL_SERVERS if servers is None else servers
    found: dict[str, list[ModelSettings]] = {}

    async def probe(label: str, base: str) -> None:
        found[label] = [
            ModelSettings(
                name=f"{label}/{name}",
                model=f"openai/{name}",
                api_base=base,
                input_cost_per_token=0.0,
                output_cost_per_token=0.0,
                max_parallel=2,
            )
            for name in (await _models_of(base))[:most]
        ]

    async with anyio.create_task_group() as group:
        for label, base in servers.items():
            group.start_soon(probe, label, base)
    return tuple(model for label in servers for model in found[label])


def with_fallbacks(
    models: Sequence[ModelSettings], settings: Settings, environ: Mapping[str, str]
) -> tuple[ModelSettings, ...]:
    """Return models and all that they fall back to, each once."""
    configured = {model.name: model for model in resolve_models((), settings, environ)}
    reachable = {model.name: model for model in models}
    pending = list(models)
    while pending:
        for name in pending.pop().fallbacks:
            if name not in reachable:
                reachable[name] = configured[name]
                pending.append(configured[name])
    return tuple(reachable.values())


def _complete(model: ModelSettings) -> ModelSettings:
    """Fill in LiteLLM's name, and the variable of the provider's key."""
    name = model.model or model.name
    if name.startswith(PREFIX):
        free = replace(model, model=name, input_cost_per_token=0.0, output_cost_per_token=0.0)
        return replace(free, max_parallel=model.max_parallel or 1)
    variable = model.api_key_env or (None if model.api_base else key_variable(name))
    return replace(model, model=name, api_key_env=variable)


def _named(name: str, configured: Mapping[str, ModelSettings]) -> ModelSettings:
    if name in configured:
        return configured[name]
    provider, slash, model = name.partition("/")
    if provider and slash and model:
        return _complete(ModelSettings(name=name))
    message = (
        f"{unknown('model', name, list(configured))} Any name of LiteLLM works too, as provider/model: openai/{name}."
    )
    raise InputError(message)


def _check_fallbacks(configured: Mapping[str, ModelSettings]) -> None:
    for model in configured.values():
        for name in model.fallbacks:
            if name not in configured:
                message = f"the fallback of {model.name!r} is wrong: {unknown('model', name, list(configured))}"
                raise InputError(message)
            if is_in_process(model) or is_in_process(configured[name]):
                message = f"{model.name!r} cannot fall back to {name!r}: a model of this process stands alone."
                raise InputError(message)


def _check_provider(model: ModelSettings) -> None:
    prefix, slash, _ = model.model.partition("/")
    known = litellm_prefixes()
    if not slash or not known or prefix in known or is_in_process(model):
        return
    near = get_close_matches(prefix, known, n=1)
    hint = f"Did you mean {near[0]}/…?" if near else "For a server of your own: model = openai/NAME with its api_base."
    message = f"LiteLLM knows no provider {prefix!r} (model {model.model!r}). {hint}"
    raise InputError(message)


def _check_address(model: ModelSettings) -> None:
    if model.api_base and not re.match(r"https?://[^/]", model.api_base):
        message = f"the api_base of model {model.name!r} is no address: write http://HOST:PORT/v1 or https://HOST/v1."
        raise InputError(message)


async def _models_of(base: str) -> list[str]:
    """Return the models that a server lists but for those of embeddings; none when there is no such server."""
    if not await _listens(base):
        return []
    import httpx  # slow to load, and mostly there is no such server

    body = b""
    # Loading and opening it is not the server's time.
    async with httpx.AsyncClient(trust_env=False, timeout=SECONDS) as client:
        with anyio.move_on_after(SECONDS):
            try:
                async with client.stream("GET", f"{base}/models") as response:
                    async for part in response.aiter_bytes():
                        body += part
                        if not response.is_success or len(body) > MOST_BYTES:
                            return []
            except httpx.HTTPError:
                return []
    try:
        names = [str(entry["id"]) for entry in json.loads(body)["data"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
    return [name for name in names if "embed" not in name.lower()]


async def _listens(base: str) -> bool:
    """Return whether somebody takes connections at an address."""
    address = urlsplit(base)
    with anyio.move_on_after(SECONDS):
        try:
            async with await anyio.connect_tcp(address.hostname or "", address.port or 80):
                return True
        except OSError:
            pass
    return False
