"""Everything that runs need, opened once and shared by any number of them."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Unpack

import anyio
import anyio.to_thread
from codeens_server.generation.models.editor_model import EditorModel
from codeens_server.workspace.layout import workspace_root
from msgspec.structs import replace

from codeens._candidates import Candidates, given_candidates
from codeens._fresh import Fresh
from codeens._options import RunKeywords, resolve
from codeens._results import Run
from codeens._sandboxes import Sandboxes
from codeens._targets import Code, TargetLike, find, is_code, tidy
from codeens_server.config.loading import TRUST_VARIABLE, Loaded, load_settings, user_folder
from codeens_server.config.settings import Settings
from codeens_server.domain import Case, Target
from codeens_server.domain import Run as RunDocument
from codeens_server.errors import CodeensError, Hint, InputError, RunError
from codeens_server.run.engine import Engine, RunStream
from codeens_server.run.events import RunEvent, RunFinished
from codeens_server.run.pinning import decided_case
from codeens_server.run.variants import found_variants
from codeens_server.store.opening import open_store
from codeens_server.store.runs import RunStore
from codeens_server.store.stored import RunLine, StoredRun
from codeens_server.workspace.environment import interpreter_for
from codeens_variants.registry import FoundVariant

OnEvent = Callable[[RunEvent], None]


class Session:
    """Settings, store, sandboxes and variants, opened once and shared by concurrent runs.

    Use it as an async context manager: when the block is left, nothing that was begun in it is there any more.
    """

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
            settings: all settings; or some, by name, over those of the environment, workspace and user; None: only
                those.
            trusted: take from the workspace's own file also what can run code, move data or spend money.
            environ: where keys and settings are read from, instead of the process's environment.
            editor_model: asks the models of the editor that the session is used from.
        """
        self.workspace = Path(workspace).expanduser().absolute()
        self.environ = os.environ if environ is None else environ
        self.trusted = trusted or self.environ.get(TRUST_VARIABLE) == "1"
        self.sandboxes = Sandboxes()
        self._settings = settings
        self._editor_model = editor_model
        self._fresh = Fresh()
        self._stack = ExitStack()
        self._stores: dict[tuple[str | None, str | None], RunStore] = {}
        self._brought_code = False

    async def __aenter__(self) -> Session:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with anyio.CancelScope(shield=True):
            if self._brought_code:
                with suppress(CodeensError, OSError):
                    await tidy(self.settings(), self.store)
            await self.sandboxes.aclose()
            await anyio.to_thread.run_sync(self._stack.close)

    # Settings

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
                flags=flags, workspace=folder, environ=self.environ, user_dir=user_folder(), trusted=self.trusted
            )

        return self._fresh.get(("settings", folder), load)

    def settings(self, root: Path | None = None) -> Settings:
        """Return the settings for a workspace.

        Raises:
            ConfigError: a source of settings is broken.
        """
        return self.loaded(root).settings

    @property
    def root(self) -> Path:
        """The project around the session's folder."""
        return workspace_root(self.workspace / "any.py")

    @property
    def store(self) -> RunStore:
        """The store of runs that the settings name.

        Raises:
            ConfigError: `database_url` is wrong.
        """
        settings = self.settings()
        key = (settings.results, settings.database_url)
        if key not in self._stores:
            self._stores[key] = self._stack.enter_context(open_store(settings))
        return self._stores[key]

    def variants(self, root: Path | None = None) -> dict[str, FoundVariant]:
        """Return all variants by name: those of a workspace only when it is trusted.

        Raises:
            ManifestError: a manifest is broken.
        """
        folder = root or self.root
        return self._fresh.get(("variants", folder), lambda: found_variants(folder, trusted=self.trusted))

    # Targets

    async def target(self, target: TargetLike) -> Target:
        """Return the function that is meant.

        Args:
            target: `path.py::function`, `path.py::Class.method` or `path.py:LINE`; or `Code`, a module without a file.

        Raises:
            TargetError: there is no such function, or one that cannot be replaced.
            ConfigError: the settings, which say where code is kept, are broken.
        """
        self._brought_code = self._brought_code or isinstance(target, Code)
        return await anyio.to_thread.run_sync(lambda: find(target, workspace=self.workspace, settings=self.settings()))

    def is_code(self, target: Target) -> bool:
        """Return whether a target is of code that came without a file, which nothing can be written into."""
        return is_code(Path(target.path), self.settings())

    # Runs

    @asynccontextmanager
    async def stream(self, target: TargetLike, **options: Unpack[RunKeywords]) -> AsyncGenerator[RunStream]:
        """Start a run, and give its events as they come. Leaving the block early cancels all that is under way.

        Args:
            target: the function; see `Session.target`.
            options: see `RunKeywords`.

        Raises:
            InputError: the request is wrong; nothing was written.
            SandboxError: the sandbox asked for cannot isolate here.
            RunError: the run could not be completed (raised when the block is left).
        """
        found = await self.target(target)
        engine, settings = await self._engine(found)
        async with engine.run(resolve(found, options, settings), target=found) as stream:
            yield stream

    @asynccontextmanager
    async def stream_judge(
        self, target: TargetLike, candidates: Candidates, *, author: str = "given", **options: Unpack[RunKeywords]
    ) -> AsyncGenerator[RunStream]:
        """Judge, measure and rank given candidates against a function, and give the events as they come.

        Args:
            target: the function; see `Session.target`.
            candidates: their sources by id; see `Candidates`.
            author: what results call those who wrote them.
            options: see `RunKeywords`; no model is asked.

        Raises:
            CodeensError: see `stream`.
            SandboxError: the sandbox asked for cannot isolate here.
        """
        found = await self.target(target)
        given = await anyio.to_thread.run_sync(given_candidates, found, candidates, author)
        engine, settings = await self._engine(found)
        async with engine.run(resolve(found, options, settings), target=found, given=given) as stream:
            yield stream

    @asynccontextmanager
    async def stream_resume(self, run_id: str) -> AsyncGenerator[RunStream]:
        """Go on with a run that was interrupted; what it finished is not done again.

        Raises:
            CodeensError: there is no such run, or see `stream`.
            SandboxError: the sandbox asked for cannot isolate here.
        """
        async with self._again(await self.state(run_id), judge_again=False) as stream:
            yield stream

    @asynccontextmanager
    async def stream_rejudge(self, run_id: str) -> AsyncGenerator[RunStream]:
        """Judge a run's candidates again, by the inputs pinned since; no model is asked.

        Raises:
            CodeensError: there is no such run, or see `stream`.
            SandboxError: the sandbox asked for cannot isolate here.
        """
        async with self._again(await self.state(run_id), judge_again=True) as stream:
            yield stream

    async def run(self, target: TargetLike, *, on_event: OnEvent | None = None, **options: Unpack[RunKeywords]) -> Run:
        """Ask an ensemble for better implementations of a function, prove each, and rank them.

        Args:
            target: the function; see `Session.target`.
            on_event: gets every event as it comes.
            options: see `RunKeywords`.

        Returns:
            The finished run.

        Raises:
            InputError: the request is wrong; nothing was written.
            RunError: the run could not be completed.
            SandboxError: the sandbox asked for cannot isolate here.
        """
        async with self.stream(target, **options) as stream:
            return await _finished(stream, on_event)

    async def resume(self, run_id: str, *, on_event: OnEvent | None = None) -> Run:
        """Go on with a run that was interrupted; what it finished is not done again.

        Raises:
            CodeensError: there is no such run, or it could not be completed.
            SandboxError: the sandbox asked for cannot isolate here.
        """
        async with self.stream_resume(run_id) as stream:
            return await _finished(stream, on_event)

    async def rejudge(self, run_id: str, *, on_event: OnEvent | None = None) -> Run:
        """Judge a run's candidates again, by the inputs pinned since; no model is asked.

        Raises:
            CodeensError: there is no such run, or it could not be completed.
            SandboxError: the sandbox asked for cannot isolate here.
        """
        async with self.stream_rejudge(run_id) as stream:
            return await _finished(stream, on_event)

    async def pin(self, run_id: str, number: int, right: int | None = None) -> Case:
        """Decide what is right on an input where candidates differ, and keep it with the run, for `rejudge`.

        Args:
            run_id: a finished run.
            number: of the input, counted from 1 in the order in which the run's report tells them.
            right: the group that is right; None: the original, where the run improved it.

        Returns:
            The input, with what must come out.

        Raises:
            InputError: there is no such run or input, or nobody says what is right on it.
            SandboxError: the sandbox failed.
        """
        state = await self.state(run_id)
        document = _document(state)
        settings = await anyio.to_thread.run_sync(self._settings_of, state.target)
        case = await decided_case(document, number, right, settings=settings, sandbox=state.request.sandbox)
        await self.store.pin_case(state.run_id, case)
        return case

    async def runs(self, limit: int = 20) -> list[RunLine]:
        """Return the latest runs, newest first."""
        return await self.store.list_runs(limit)

    async def state(self, run_id: str) -> StoredRun:
        """Return everything that is known of a run, finished or not.

        Args:
            run_id: may be shortened to its beginning, or to what follows the date.

        Raises:
            InputError: no such run, or several.
            RunError: the store cannot be read.
        """
        return await self.store.load(run_id)

    async def load(self, run_id: str) -> Run:
        """Return a finished run.

        Raises:
            InputError: no such run, or several, or it did not come to an end (code `run_not_finished`).
            RunError: the store cannot be read.
        """
        return Run(_document(await self.state(run_id)))

    def _settings_of(self, target: Target) -> Settings:
        """Code without a file is run by the interpreter of the session's workspace."""
        if not self.is_code(target):
            return self.settings(Path(target.root))
        settings = self.settings()
        return replace(settings, python=str(interpreter_for(self.root, settings)))

    async def _engine(self, target: Target) -> tuple[Engine, Settings]:
        """Return what runs a target, with the settings and variants of its workspace."""

        def prepare() -> tuple[Engine, Settings]:
            settings = self._settings_of(target)
            root = self.root if self.is_code(target) else Path(target.root)
            variants = {name: item.variant for name, item in self.variants(root).items()}
            engine = Engine(
                settings,
                self.store,
                cwd=root,
                variants=variants,
                environ=self.environ,
                editor_model=self._editor_model,
            )
            return engine, settings

        return await anyio.to_thread.run_sync(prepare)

    @asynccontextmanager
    async def _again(self, state: StoredRun, *, judge_again: bool) -> AsyncGenerator[RunStream]:
        engine, _ = await self._engine(state.target)
        async with engine.run(state.request, resume=state.run_id, judge_again=judge_again) as stream:
            yield stream


def _document(state: StoredRun) -> RunDocument:
    if state.run is None:
        message = f"run {state.run_id} did not come to an end; it can be resumed."
        raise InputError(message, code="run_not_finished", hint=Hint("runs", state.run_id))
    return state.run


async def _finished(stream: RunStream, on_event: OnEvent | None) -> Run:
    finished: Run | None = None
    async for event in stream:
        if on_event is not None:
            on_event(event)
        if isinstance(event, RunFinished):
            finished = Run(event.run)
    if finished is None:
        message = "the run was ended before it came to a result."
        raise RunError(message, code="no_result", hint=Hint("runs"))
    return finished
