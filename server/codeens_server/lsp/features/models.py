"""`codeens.listModels`: whom a run could ask, for a client to let its user choose."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import anyio.to_thread
import msgspec
from lsprotocol import types

from codeens_server.config.settings import ModelSettings, Settings
from codeens_server.lsp.documents.buffers import first_folder, folder_of
from codeens_server.lsp.documents.documents import Documents
from codeens_server.lsp.runs.messages import FolderArguments, KnownModel, KnownModels, read, written
from codeens_server.lsp.transport.configuration import Configuration, camel_case

_MOST_OF_A_SERVER = 50


class ModelLister:
    """The command."""

    def __init__(self, documents: Documents, configuration: Configuration) -> None:
        self._documents = documents
        self._configuration = configuration

    async def execute(self, params: types.ExecuteCommandParams) -> dict[str, Any]:
        """Return the configured models, those of servers on this machine, and each provider's usual one."""
        # Nothing of it is needed before the first answer of the server.
        from codeens_server.generation.models.resolve import find_local_models

        uri = read(params, FolderArguments).uri
        folder = folder_of(self._documents, uri) if uri else None
        root = first_folder(self._documents) or Path.cwd()
        settings = (await self._configuration.load(root, folder)).settings
        local = await find_local_models(most=_MOST_OF_A_SERVER)
        known = await anyio.to_thread.run_sync(lambda: [*_known(settings, local, os.environ)])
        return written(KnownModels(models=tuple(known), goal=settings.goal))


def _known(settings: Settings, local: tuple[ModelSettings, ...], environ: Mapping[str, str]) -> Iterator[KnownModel]:
    from codeens_server.generation.models.reach import missing
    from codeens_server.generation.models.resolve import PROVIDERS, resolve_models

    configured = resolve_models((), settings, environ) if settings.models else ()
    names = {model.name for model in configured}
    for model in (*configured, *(model for model in local if model.name not in names)):
        is_configured = model.name in names
        lacks = missing(model, environ)
        yield KnownModel(
            name=model.name,
            group="configured" if is_configured else "local",
            detail=lacks or model.api_base or model.model,
            is_chosen=is_configured and model.name in (settings.default_models or names),
            lacks_key=bool(lacks),
            setting=_setting(model),
        )
    for provider in PROVIDERS:
        has_key = bool(environ.get(provider.key))
        yield KnownModel(
            name=provider.model,
            group="provider",
            detail=f"{provider.key} is {'known' if has_key else 'not set'}",
            is_chosen=provider.model in settings.default_models or (has_key and not configured),
            lacks_key=not has_key,
        )


def _setting(model: ModelSettings) -> dict[str, object]:
    """Return a model as the editor's settings have it: without what is as by default."""
    given: dict[str, object] = msgspec.to_builtins(model)
    usual: dict[str, object] = msgspec.to_builtins(ModelSettings(name=""))
    return camel_case({name: value for name, value in given.items() if value != usual[name]})
