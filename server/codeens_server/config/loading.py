"""Merge the settings of options, editor, environment, workspace file and user file; the first that has a key wins."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast, get_origin
from urllib.parse import urlsplit

import msgspec
import tomli
from msgspec import Struct, field

from codeens_sandbox_backends.reading import converted
from codeens_sandbox_backends.registry import backend_names
from codeens_server.config.checking import Key, SettingsTable, dotted, is_struct
from codeens_server.config.settings import ModelSettings, Settings
from codeens_server.config.sources import EDITOR, ENVIRONMENT, ENVIRONMENT_PREFIX, OPTIONS, Source, read_file
from codeens_server.errors import ConfigError, unknown
from codeens_server.redaction import keep_out

FILE_NAME = "codeens.toml"
TRUST_VARIABLE = "CODEENS_TRUST_WORKSPACE"
DATA_VARIABLE = "CODEENS_DATA"
"""The folder of data sets; like the variable above no setting."""

_TRUSTED_ONLY = (
    "python",
    "environments",
    "database_url",
    "results",
    "scorers",
    "scorer_weights",
    "selector",
    "budget_usd",
    "budget_tokens",
    "budget_calls",
)
_TRUSTED_ONLY_OF_MODEL = frozenset(
    {"api_base", "api_key_env", "input_cost_per_token", "output_cost_per_token", "params", "headers"}
)
_PATHS = ("python", "results", "selector")
_SECRET_HEADER = re.compile("auth|key|token|cookie|secret", re.IGNORECASE)


class Loaded(Struct, frozen=True, kw_only=True):
    """The settings, and what a person should know of where they came from."""

    settings: Settings
    sources: tuple[str, ...] = ()
    """Those that set something, the strongest first."""
    origins: Mapping[str, str] = field(default_factory=dict[str, str])
    """Source of each setting, by its dotted key; what is not here is the default."""
    ignored: tuple[str, ...] = ()
    """Sentences: what of the workspace's file was not taken, and why."""


def load_settings(
    *,
    flags: Mapping[str, object],
    editor: Mapping[str, object] | None = None,
    workspace: Path | None,
    environ: Mapping[str, str],
    user_dir: Path,
    trusted: bool,
) -> Loaded:
    """Merge all sources into one `Settings`. Tables are merged key by key; lists replace each other as a whole.

    Args:
        flags: settings given for this one call; a value of None counts as not given.
        editor: the user's settings in the editor, likewise.
        workspace: folder that may hold `codeens.toml`, or `[tool.codeens]` in `pyproject.toml`; the former goes first.
        environ: `CODEENS_<KEY>` is read, `__` stands for a dot; a list of texts is split at commas.
        user_dir: folder that may hold the user's `codeens.toml`.
        trusted: take from the workspace's file also what can run code, move data or spend money there.
            `sandbox = "unsafe"` is never taken from it.

    Raises:
        ConfigError: a source is broken; the message names file, line and key.
    """
    layers = [
        (Source(label=OPTIONS), _given(flags)),
        (Source(label=EDITOR), _given(editor or {})),
        (Source(label=ENVIRONMENT), _from_environment(environ)),
    ]
    ignored: list[str] = []
    if workspace is not None and (found := _workspace_file(workspace)):
        source, table = found
        source.check(table)
        layers.append((source, _without_untrusted(table, source, ignored, trusted=trusted)))
    if (user_file := user_dir / FILE_NAME).is_file():
        layers.append(_from_file(user_file))
    merged: SettingsTable = {}
    origins: dict[str, str] = {}
    for source, table in layers:
        source.check(table)
        merged = _merge(merged, table)
        origins = dict.fromkeys(_leaves(table), source.label) | origins
    settings = converted(merged, Settings)
    _check_models(settings.models)
    _check_weights(settings)
    for model in settings.models:
        _keep_keys_out(model, environ)
    return Loaded(
        settings=settings,
        sources=tuple(source.label for source, table in layers if table),
        origins=origins,
        ignored=tuple(ignored),
    )


def _leaves(table: SettingsTable, key: Key = ()) -> Iterator[str]:
    """Yield the dotted keys of all that a table says; lists are one thing, as they are when tables are merged."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(cast("SettingsTable", value), (*key, name))
        else:
            yield dotted((*key, name))


def _keep_keys_out(model: ModelSettings, environ: Mapping[str, str]) -> None:
    """Have what a model is asked with kept out of texts that leave."""
    if model.api_key_env:
        keep_out(model.api_key_env, environ.get(model.api_key_env))
    for name, text in model.headers.items():
        if text.startswith("$"):
            keep_out(text[1:], environ.get(text[1:]))
        elif _SECRET_HEADER.search(name):
            keep_out(name, text)
    if model.api_base and (password := urlsplit(model.api_base).password):
        keep_out("password", password)


def _given(values: Mapping[str, object]) -> SettingsTable:
    return {name: value for name, value in values.items() if value is not None}


def _check_models(models: tuple[ModelSettings, ...]) -> None:
    names = [model.name for model in models]
    if twice := [name for name in names if names.count(name) > 1]:
        message = f"two models are called {twice[0]!r}; give one of them another name."
        raise ConfigError(message)
    for model in models:
        for fallback in model.fallbacks:
            if fallback not in names:
                raise ConfigError(f"fallbacks of model {model.name!r}: {unknown('model', fallback, names)}")


def _check_weights(settings: Settings) -> None:
    for goal, weights in settings.weights.items():
        if not any(msgspec.structs.astuple(weights)):
            message = f"weights.{goal}: one of the weights must be more than 0."
            raise ConfigError(message)


def _from_environment(environ: Mapping[str, str]) -> SettingsTable:
    table: SettingsTable = {}
    for name, text in sorted(environ.items()):
        if name.startswith(ENVIRONMENT_PREFIX) and not _is_no_setting(name):
            key = name.removeprefix(ENVIRONMENT_PREFIX).lower().split("__")
            value: object = _value_of(text, _type_at(key))
            for part in reversed(key):
                value = {part: value}
            table = _merge(table, cast("SettingsTable", value))
    return table


def _is_no_setting(name: str) -> bool:
    """Whether a variable is read elsewhere, as a sandbox backend reads `CODEENS_DOCKER_IMAGE`."""
    return name in (TRUST_VARIABLE, DATA_VARIABLE) or any(
        name.startswith(f"{ENVIRONMENT_PREFIX}{backend.upper()}_") for backend in backend_names()
    )


def _type_at(key: list[str]) -> object:
    """Return the type that the settings model has at a key; None where it has none, which `Source.check` tells."""
    kind: object = Settings
    for part in key:
        if not is_struct(kind):
            return None
        kind = next((field.type for field in msgspec.structs.fields(kind) if field.name == part), None)
    return kind


def _value_of(text: str, kind: object) -> object:
    """Read a text by the type it is for: as itself, as a comma-separated list, or as TOML writes the value."""
    if kind in (None, str, str | None):
        return text
    if get_origin(kind) is tuple and not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return tomli.loads(f"value = {text}")["value"]
    except tomli.TOMLDecodeError:
        return text


def _workspace_file(root: Path) -> tuple[Source, SettingsTable] | None:
    if (own := root / FILE_NAME).is_file():
        return _from_file(own)
    if (shared := root / "pyproject.toml").is_file():
        return _from_file(shared, ("tool", "codeens"))
    return None


def _from_file(path: Path, prefix: Key = ()) -> tuple[Source, SettingsTable]:
    source, table = read_file(path, prefix)
    # Relative paths in a file are meant from that file's folder.
    paths = {
        name: str(path.parent / Path(value).expanduser())
        for name in _PATHS
        if isinstance(value := table.get(name), str) and value
    }
    return source, {**table, **paths}


def _without_untrusted(table: SettingsTable, source: Source, ignored: list[str], *, trusted: bool) -> SettingsTable:
    """Leave out what a stranger's workspace must not decide; each thing left out is told."""

    def leave_out(key: Key, why: str) -> None:
        ignored.append(f"{source.label}: {dotted(key)} is ignored: {why}.")

    kept = dict(table)
    if kept.get("sandbox") == "unsafe":
        del kept["sandbox"]
        leave_out(("sandbox",), "only you can ask for unsafe")
    if trusted:
        return kept
    hint = f"it needs your trust ({TRUST_VARIABLE}=1)"
    untrusted = [name for name in _TRUSTED_ONLY if name in kept]
    if kept.get("sandbox", "local") != "local":
        untrusted.append("sandbox")
    for name in untrusted:
        del kept[name]
        leave_out((name,), hint)
    models = cast("list[SettingsTable]", kept.pop("models", []))
    # Without its address or key a call would go elsewhere, so the whole entry is left out.
    if left_out := [index for index, model in enumerate(models) if model.keys() & _TRUSTED_ONLY_OF_MODEL]:
        for index in left_out:
            named = sorted(models[index].keys() & _TRUSTED_ONLY_OF_MODEL)
            leave_out(("models", index), f"it sets {', '.join(named)}, and {hint}")
        models = _without_models(models, {cast("str", models[index]["name"]) for index in left_out})
    return {**kept, "models": models} if models else kept


def _without_models(models: list[SettingsTable], names: set[str]) -> list[SettingsTable]:
    remaining = [model for model in models if model["name"] not in names]
    for index, model in enumerate(remaining):
        if "fallbacks" in model:
            fallbacks = [name for name in cast("list[str]", model["fallbacks"]) if name not in names]
            remaining[index] = {**model, "fallbacks": fallbacks}
    return remaining


def _merge(strong: SettingsTable, weak: SettingsTable) -> SettingsTable:
    merged = dict(weak)
    for name, value in strong.items():
        other = weak.get(name)
        both = isinstance(value, dict) and isinstance(other, dict)
        merged[name] = _merge(cast("SettingsTable", value), cast("SettingsTable", other)) if both else value
    return merged
