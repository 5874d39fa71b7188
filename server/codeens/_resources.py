"""What runs need, by the workspace that a function is in: settings, variants, targets; and once: store, sandboxes."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import anyio
import anyio.to_thread
from msgspec.structs import replace

from codeens._sandboxes import Sandboxes
from codeens._targets import Code, TargetLike, find, is_code, tidy
from codeens_sandbox_backends.base import SandboxSpec
from codeens_sandbox_backends.executor import Executor
from codeens_server.config.loading import TRUST_VARIABLE, Loaded, load_settings
from codeens_server.config.settings import Settings
from codeens_server.domain.target import Target
from codeens_server.errors import CodeensError
from codeens_server.evidence.tests.discovery import refuse_unknown
from codeens_server.files import settings_folder
from codeens_server.generation.models.exchange import EditorModel
from codeens_server.run.sandboxes import SandboxUse
from codeens_server.run.variants import chosen_variants, found_variants
from codeens_server.store.opening import open_store
from codeens_server.workspace.environment import interpreter_for
from codeens_server.workspace.roots import workspace_root
from codeens_variants.manifest import Variant
from codeens_variants.registry import FoundVariant

if TYPE_CHECKING:
    from codeens_server.store.runs import RunStore

T = TypeVar("T")
_FRESH_S = 1.0
_MOST_FRESH = 64


class Resources:
    """What a session has opened. Its properties and plain methods may block: read them in a worker thread."""

    def __init__(
        self,
        workspace: str | Path = ".",
        *,
        settings: Settings | Mapping[str, object] | None = None,
        trusted: bool = False,
        environ: Mapping[str, str] | None = None,
        editor_model: EditorModel | None = None,
    ) -> None:
        """Prepare a session; nothing is read before it is used.

        Args:
            workspace: a folder; relative paths of targets start here, and code without a file is run by the
                interpreter of the project around it.
            settings: all settings, in place of any that are configured; or some, by name, over those of the
                environment, workspace and user.
            trusted: take from a workspace's own file also what can run code, move data or spend money.
            environ: where keys and settings are read from, instead of the process's environment.
            editor_model: asks the models of the editor that the session is used from.
        """
        self.workspace: Path = Path(workspace).expanduser().absolute()
        self.environ: Mapping[str, str] = os.environ if environ is None else environ
        self.trusted: bool = trusted or self.environ.get(TRUST_VARIABLE) == "1"
        self.editor_model: EditorModel | None = editor_model
        self._settings = settings
        self._fresh = Fresh()
        self._sandboxes = Sandboxes(self._keep_use)
        self._stack = ExitStack()
        self._store: RunStore | None = None
        self._opening = threading.Lock()
        self._brought_code = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with anyio.CancelScope(shield=True):
            if self._brought_code:
                with suppress(CodeensError, OSError):
                    await self.tidy()
            await self._sandboxes.aclose()
            await anyio.to_thread.run_sync(self._stack.close)

    @property
    def root(self) -> Path:
        """The project around the session's folder."""
        return workspace_root(self.workspace / "any.py")

    def loaded(self, root: Path | None = None) -> Loaded:
        """Return the settings for a workspace, where they are from, and what of its file was not taken.

        Args:
            root: the workspace's folder; None: the project around the session's own.

        Raises:
            ConfigError: a source of settings is broken.
        """
        if isinstance(self._settings, Settings):
            return Loaded(settings=self._settings)
        flags, folder = self._settings or {}, root or self.root

        def load() -> Loaded:
            return load_settings(
                flags=flags, workspace=folder, environ=self.environ, user_dir=settings_folder(), trusted=self.trusted
            )

        return self._fresh.get(("settings", folder), load)

    def settings(self, root: Path | None = None) -> Settings:
        """Return the settings for a workspace; see `loaded`.

        Raises:
            ConfigError: a source of settings is broken.
        """
        return self.loaded(root).settings

    def forget(self) -> None:
        """Read settings and variants anew from now on: a file of theirs was written."""
        self._fresh.forget()

    def variants(self, root: Path | None = None) -> dict[str, FoundVariant]:
        """Return all variants by name: those of a workspace only when it is trusted.

        Raises:
            ManifestError: a manifest is broken.
        """
        folder = root or self.root
        return self._fresh.get(("variants", folder), lambda: found_variants(folder, trusted=self.trusted))

    def used_variants(self, names: Sequence[str] = ()) -> tuple[Variant, ...]:
        """Return the variants of these names; without any, all that are enabled.

        Raises:
            InputError: there is none of a name, or none is enabled.
            ConfigError, ManifestError: settings or a manifest are broken.
        """
        found = {name: item.variant for name, item in self.variants().items()}
        return chosen_variants(names, self.settings(), found)

    @property
    def store(self) -> RunStore:
        """The store of runs, the one that the settings of the session's own workspace name.

        Raises:
            ConfigError: `database_url` is wrong.
        """
        with self._opening:
            if self._store is None:
                self._store = self._stack.enter_context(open_store(self.settings()))
            return self._store

    async def opened_store(self) -> RunStore:
        """Return the store of runs, opened without blocking; see `store`."""
        return await anyio.to_thread.run_sync(lambda: self.store)

    async def target(self, target: TargetLike) -> Target:
        """Return the function that is meant.

        Args:
            target: `path.py::function`, `path.py::Class.method` or `path.py:LINE`; or `Code`, a module without a file;
                or what this returned before.

        Raises:
            TargetError: there is no such function, or one that cannot be replaced.
            ConfigError: the settings, which say where code is kept, are broken.
        """
        self._brought_code = self._brought_code or isinstance(target, Code)
        return await anyio.to_thread.run_sync(lambda: find(target, workspace=self.workspace, settings=self.settings()))

    def is_code(self, target: Target | Path) -> bool:
        """Return whether a target, or a file, is code that came without one, which nothing can be written into."""
        return is_code(Path(target.path) if isinstance(target, Target) else target, self.settings())

    def check_tests(self, target: Target, tests: Sequence[str]) -> None:
        """See that tests to judge by are in the workspace; may block.

        Raises:
            InputError: there is no such file, or no such test in it (code `no_such_test`).
        """
        for test in tests:
            refuse_unknown(Path(target.root), test)

    async def tidy(self) -> None:
        """Remove the code without a file that no run is about and that nothing brought for an hour.

        A session does this when it ends; one that lives long may do it now and then.

        Raises:
            RunError: the database cannot be read; nothing is removed.
        """
        await tidy(await anyio.to_thread.run_sync(self.settings), await self.opened_store())

    def settings_of(self, target: Target) -> Settings:
        """Return the settings for a target: code without a file is run by the interpreter of the session's project."""
        return self.settings_here() if self.is_code(target) else self.settings(Path(target.root))

    def settings_here(self) -> Settings:
        """Return the settings for code without a file, with the interpreter of the session's project.

        Raises:
            ConfigError: a source of settings is broken.
        """
        settings = self.settings()
        return replace(settings, python=str(interpreter_for(self.root, settings)))

    def variants_of(self, target: Target) -> dict[str, Variant]:
        """Return the variants that can be used for a target, by name."""
        found = self.variants(None if self.is_code(target) else Path(target.root))
        return {name: item.variant for name, item in found.items()}

    async def _keep_use(self, use: SandboxUse) -> None:
        """Keep it where the store is open anyway; a verdict is not lost because this cannot be written."""
        if self._store is not None:
            with suppress(CodeensError):
                await self._store.used.keep(use)

    def sandbox(self, settings: Settings, spec: SandboxSpec) -> AbstractAsyncContextManager[Executor]:
        """Return a sandbox for the time of a call; it is kept open for calls that come after.

        Raises:
            SandboxUnavailable: the backend cannot isolate here (raised when the block is entered).
            UnknownBackend: there is none of that name (likewise).
        """
        return self._sandboxes.executor(settings.sandbox, spec, settings.parallel)


class Fresh:
    """Values read from files, at most a second old. May be used from several threads at once."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[float, Any]] = {}

    def get(self, key: Hashable, read: Callable[[], T]) -> T:
        """Return the value of a key, read where it is not fresh. What `read` raises is raised, and not kept."""
        now = time.monotonic()
        known = self._known.get(key)
        if known is not None and now - known[0] < _FRESH_S:
            return known[1]
        value = read()
        if len(self._known) >= _MOST_FRESH:
            self._known = {}
        self._known[key] = (now, value)
        return value

    def forget(self) -> None:
        """Read everything anew from now on: a file was written."""
        self._known = {}
