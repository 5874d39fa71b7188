"""Settings of the editor, for each folder of the workspace its own, and whether the workspace is trusted."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import anyio.to_thread
import msgspec
from lsprotocol import types
from msgspec import Struct

from codeens_server.errors import InputError
from codeens_server.files import settings_folder
from codeens_server.lsp.transport.client import Client, NoAnswer
from codeens_server.lsp.transport.errors import ErrorReply, converted

if TYPE_CHECKING:
    from codeens_server.config.loading import Loaded

SECTION = "codeens"
_OF_THE_EDITOR = "editor"
"""The key of how the editor shows things, which is no setting of a run."""
_OF_THE_CLIENT = frozenset({"trace", "server", _OF_THE_EDITOR})
"""Keys of the section that no run reads."""
_WORD_BEGINS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD_GOES_ON = re.compile(r"_(\w)")
_TABLES_OF_NAMES = frozenset({"weights", "scorer_weights"})


class Options(Struct, frozen=True, kw_only=True, rename="camel"):
    """`initializationOptions`."""

    settings: dict[str, object] = msgspec.field(default_factory=dict[str, object])
    """As in the section `codeens` of the editor's settings."""
    trusted: bool | None = None
    """Whether the user trusts the workspace. True: its settings and variants are used as a whole; false: nothing is
    run; not given: as on the command line without --trust-workspace."""
    token: str = ""
    """What `--token-file` holds, where the server asks for it."""


class Configuration:
    """What the editor says."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.options = Options()
        self._pushed: Mapping[str, object] = {}

    def take_options(self, options: object) -> None:
        """Read `initializationOptions`.

        Raises:
            ErrorReply: they are not what they must be.
        """
        try:
            self.options = converted(options or {}, Options)
        except ErrorReply as refusal:
            why = f"initializationOptions: {refusal}. See docs/protocol.md."
            raise ErrorReply(refusal.code, why) from None
        self._pushed = self.options.settings

    def take_pushed(self, settings: object) -> None:
        """Read what `workspace/didChangeConfiguration` brings; null when the client wants to be asked."""
        if isinstance(settings, dict):
            own = cast("dict[str, object]", settings).get(SECTION)
            self._pushed = cast("dict[str, object]", own) if isinstance(own, dict) else {}

    @property
    def has_lens_before_run(self) -> bool:
        """Functions that were never run have a lens too (`codeens.editor.lensBeforeRun`, as it was last pushed)."""
        of_editor = self._pushed.get(_OF_THE_EDITOR)
        return isinstance(of_editor, dict) and cast("dict[str, object]", of_editor).get("lensBeforeRun") is True

    def check_trust(self) -> None:
        """Refuse to run code of a workspace that the user does not trust.

        Raises:
            InputError: the workspace is not trusted.
        """
        if self.options.trusted is False:
            message = "this workspace is not trusted, so that nothing of it is run. Trust it in the editor first."
            raise InputError(message)

    @property
    def is_trusted(self) -> bool:
        from codeens_server.config.loading import TRUST_VARIABLE

        return bool(self.options.trusted) or os.environ.get(TRUST_VARIABLE) == "1"

    async def load(self, root: Path, folder: str | None) -> Loaded:
        """Return the settings for a workspace.

        Args:
            root: where the workspace's own settings file is.
            folder: URI of the editor's folder, whose settings in the editor are asked for.

        Raises:
            ConfigError: a source of settings is broken.
        """
        # Not at the top: what it imports is not needed for the first answer.
        from codeens_server.config.loading import load_settings

        editor = snake_case(await self._of_editor(folder))
        return await anyio.to_thread.run_sync(
            lambda: load_settings(
                flags={},
                editor=editor,
                workspace=root,
                environ=os.environ,
                user_dir=settings_folder(),
                trusted=self.is_trusted,
            )
        )

    async def _of_editor(self, folder: str | None) -> Mapping[str, object]:
        if not self._client.is_configurable:
            return self._pushed
        item = types.ConfigurationItem(scope_uri=folder, section=SECTION)
        try:
            answer = await self._client.ask(types.WORKSPACE_CONFIGURATION, types.ConfigurationParams(items=[item]))
        except NoAnswer:
            return self._pushed
        first = cast("object", next(iter(answer or ()), None))
        return {**self._pushed, **cast("dict[str, object]", first)} if isinstance(first, dict) else self._pushed


def snake_case(section: Mapping[str, object]) -> dict[str, object]:
    """Settings as editors write them (`budgetUsd`), under the names that they have elsewhere (`budget_usd`).

    What is null counts as not set; keys that only extensions read are left out.
    """
    named = {_WORD_BEGINS.sub("_", name).lower(): value for name, value in section.items()}
    return {
        name: _inside(value, is_named=name in _TABLES_OF_NAMES)
        for name, value in named.items()
        if value is not None and name not in _OF_THE_CLIENT
    }


def camel_case(section: Mapping[str, object]) -> dict[str, object]:
    """Return settings under the names by which editors write them."""
    return {_WORD_GOES_ON.sub(lambda found: found[1].upper(), name): value for name, value in section.items()}


def _inside(value: object, *, is_named: bool) -> object:
    if isinstance(value, dict):
        table = cast("dict[str, object]", value)
        return table if is_named else snake_case(table)
    if isinstance(value, list):
        return [_inside(item, is_named=is_named) for item in cast("list[object]", value)]
    return value
