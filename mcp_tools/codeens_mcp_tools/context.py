"""What all tools share: settings, store, sandboxes, runs. One per process, whatever number of clients there is."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup
from msgspec import Struct

from codeens_mcp_tools.caches import CandidateCache, TtlCache
from codeens_mcp_tools.errors import ToolError
from codeens_mcp_tools.roots import Roots
from codeens_mcp_tools.runs import LiveRuns
from codeens_mcp_tools.sandboxes import Sandboxes
from codeens_mcp_tools.tools.warming import warm
from codeens_server.config.loading import TRUST_VARIABLE, load_settings
from codeens_server.config.settings import Settings
from codeens_server.errors import CodeensError
from codeens_server.files import settings_folder
from codeens_server.run.variants import found_variants
from codeens_variants.registry import FoundVariant

if TYPE_CHECKING:
    from codeens_server.store.runs import RunStore

_ISOLATES_NOTHING = "unsafe"
_CODES_BETWEEN = 100
"""Calls that bring code, from one tidying to the next."""


class ServerOptions(Struct, frozen=True, kw_only=True):
    """How the server was started."""

    roots: tuple[Path, ...]
    trusted: bool = False
    environ: Mapping[str, str] | None = None
    """None: that of the process."""


class AppContext:
    """The shared things."""

    def __init__(self, options: ServerOptions, tasks: TaskGroup, stack: ExitStack) -> None:
        self.roots = Roots(options.roots)
        self.environ = os.environ if options.environ is None else options.environ
        self.sandboxes = Sandboxes()
        self.runs = LiveRuns(tasks)
        self.kept = CandidateCache()
        self._fresh = TtlCache()
        self._codes_given = 0
        self._options = options
        self._tasks = tasks
        self._is_prepared = False
        self._stack = stack
        self._stores: dict[tuple[str | None, str | None], RunStore] = {}

    def prepare(self) -> None:
        """Begin to import what tools need, once."""
        if not self._is_prepared:
            self._is_prepared = True
            self._tasks.start_soon(warm)

    @property
    def is_trusted(self) -> bool:
        """Whether workspaces may configure what can run code."""
        return self._options.trusted or self.environ.get(TRUST_VARIABLE) == "1"

    def settings(self, root: Path, *, backend: str | None = None, **flags: object) -> Settings:
        """The settings for a workspace, and what this call asks for on top.

        Raises:
            ConfigError: a source of settings is broken.
            ToolError: the call asks for a sandbox that isolates nothing.
        """
        settings = self._loaded(root, flags)
        if backend is None or backend == settings.sandbox:
            return settings
        if backend == _ISOLATES_NOTHING:
            raise ToolError(
                "The sandbox unsafe isolates nothing, and only the user can choose it, in their own settings. "
                "Leave `backend` out."
            )
        return self._loaded(root, {**flags, "sandbox": backend})

    def _loaded(self, root: Path, flags: Mapping[str, object]) -> Settings:
        def load() -> Settings:
            return load_settings(
                flags=flags, workspace=root, environ=self.environ, user_dir=settings_folder(), trusted=self.is_trusted
            ).settings

        return self._fresh.get(("settings", root, *sorted(flags.items())), load)

    def variants(self, root: Path) -> dict[str, FoundVariant]:
        """The variants that a workspace has.

        Raises:
            ManifestError: a manifest is broken.
        """
        return self._fresh.get(("variants", root), lambda: found_variants(root, trusted=self.is_trusted))

    def tidy_given_code(self, settings: Settings) -> None:
        """To be told of each call that brings code: now and then what of earlier calls no run needs is removed."""
        from codeens_mcp_tools.tools.given_code import tidy

        async def tidied() -> None:
            with suppress(CodeensError, OSError):
                await tidy(settings, self.store(settings))

        self._codes_given += 1
        if self._codes_given % _CODES_BETWEEN == 1:
            self._tasks.start_soon(tidied)

    def store(self, settings: Settings) -> RunStore:
        """The store that the settings name, opened once.

        Raises:
            ConfigError: `database_url` is wrong.
        """
        from codeens_server.store.opening import open_store

        key = (settings.results, settings.database_url)
        if key not in self._stores:
            self._stores[key] = self._stack.enter_context(open_store(settings))
        return self._stores[key]


@asynccontextmanager
async def open_context(options: ServerOptions) -> AsyncGenerator[AppContext]:
    """Open the shared context; when the block is left nothing that was begun in it is there any more."""
    with ExitStack() as stack:
        async with anyio.create_task_group() as tasks:
            app = AppContext(options, tasks, stack)
            try:
                yield app
            finally:
                with anyio.CancelScope(shield=True):
                    await app.runs.end_all()
                    await app.sandboxes.aclose()
                tasks.cancel_scope.cancel()
