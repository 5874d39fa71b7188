"""What is configured and from where, which keys are here, what works, and where runs are kept. No secret is told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import anyio.to_thread
import msgspec
from msgspec import Struct

from codeens import Session
from codeens_server.config.loading import Loaded
from codeens_server.config.settings import Settings
from codeens_server.doctor.checks import all_checks
from codeens_server.doctor.models import DoctorCheck
from codeens_server.generation.models.resolve import PROVIDERS
from codeens_server.redaction import redact
from codeens_server.store.statistics import StoreFacts

_SECRET = re.compile("auth|key|token|cookie|secret|password|credential", re.IGNORECASE)
_PASSWORD = re.compile(r"(?<=://)([^/@\s]*):[^/@\s]*@")
_PRESENT = "(present)"
_DEFAULT = "default"


class SettingLine(Struct, frozen=True, kw_only=True):
    """One setting as it holds."""

    key: str
    """Dotted, as in `codeens.toml`."""
    value: str
    """As JSON, without secrets."""
    origin: str
    """The file, `environment`, `editor`, `options` or `default`."""

    @property
    def is_default(self) -> bool:
        """Whether nothing sets it."""
        return self.origin == _DEFAULT


class KeyLine(Struct, frozen=True, kw_only=True):
    """A variable that may hold a key."""

    variable: str
    present: bool


class Configured(Struct, frozen=True, kw_only=True):
    """What is configured."""

    root: str
    """The workspace whose settings these are."""
    trusted: bool
    settings: tuple[SettingLine, ...]
    ignored: tuple[str, ...]
    """Sentences: what of the workspace's file was not taken, and why."""
    keys: tuple[KeyLine, ...]
    store: StoreFacts


async def configured(session: Session) -> Configured:
    """Return what is configured for the session's workspace.

    Raises:
        CodeensError: settings or store cannot be read.
    """
    loaded = await anyio.to_thread.run_sync(session.loaded)
    return Configured(
        root=str(session.root),
        trusted=session.trusted,
        settings=tuple(_lines(loaded, session.environ)),
        ignored=tuple(redact(sentence, session.environ) for sentence in loaded.ignored),
        keys=tuple(_keys(loaded.settings, session.environ)),
        store=await (await session.opened_store()).statistics.store(),
    )


async def checks(session: Session) -> list[DoctorCheck]:
    """Return what works here, as `codeens doctor` finds it out; no model is asked.

    Raises:
        ConfigError: the settings name an interpreter or a model that is not there.
    """
    settings = await anyio.to_thread.run_sync(session.settings)
    return await all_checks(settings, session.root, session.environ, ask=False)


def _lines(loaded: Loaded, environ: Mapping[str, str]) -> Iterator[SettingLine]:
    for key, value in _leaves(msgspec.to_builtins(loaded.settings)):
        text = msgspec.json.encode(_masked(value, key)).decode()
        origin = next((loaded.origins[part] for part in _heads(key) if part in loaded.origins), _DEFAULT)
        yield SettingLine(key=key, value=_PASSWORD.sub(r"\1@", redact(text, environ)), origin=origin)


def _leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict) and value:
            yield from _leaves(cast("dict[str, Any]", value), f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _heads(key: str) -> Iterator[str]:
    """Yield a key, and the keys of the tables that it is in, the nearest first."""
    while key:
        yield key
        key = key.rpartition(".")[0]


def _masked(value: Any, name: str = "") -> Any:
    """Say only that there is something where a name speaks of a secret; names of variables are none."""
    if isinstance(value, dict):
        table = cast("dict[str, Any]", value)
        inside = {"headers", "params"} & {name}
        return {key: _masked(item, "secret" if inside and key != "model" else key) for key, item in table.items()}
    if isinstance(value, list):
        return [_masked(item, name) for item in cast("list[Any]", value)]
    is_named = name.endswith("_env") or (isinstance(value, str) and value.startswith("$"))
    if isinstance(value, str) and value and _SECRET.search(name) and not is_named:
        return _PRESENT
    return value


def _keys(settings: Settings, environ: Mapping[str, str]) -> Iterator[KeyLine]:
    named = [model.api_key_env for model in settings.models if model.api_key_env]
    for variable in dict.fromkeys([*named, *(provider.key for provider in PROVIDERS)]):
        yield KeyLine(variable=variable, present=bool(environ.get(variable)))
