"""The one way in for every door: a request becomes a stream of events that ends with the run's document."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal, TypeAlias

import anyio
import msgspec
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from codeens_sandbox_backends.errors import SandboxError
from codeens_sandbox_backends.executor import open_executor
from codeens_sandbox_backends.registry import get_backend
from codeens_server.config.settings import ModelSettings, Settings
from codeens_server.domain import Candidate, Target
from codeens_server.errors import ChangedError, CodeensError, InputError, TargetError
from codeens_server.generation.models.exchange import EditorModel, editor_settings, is_editor_model
from codeens_server.generation.models.resolve import find_local_models, resolve_models, with_fallbacks
from codeens_server.run.events import RunEvent
from codeens_server.run.pipeline import Pipeline
from codeens_server.run.plan import Plan, refuse_without_model
from codeens_server.run.request import RunRequest
from codeens_server.run.variants import chosen_variants
from codeens_server.store.runs import RunStore
from codeens_server.store.stored import StoredRun
from codeens_server.workspace.environment import sandbox_spec
from codeens_server.workspace.find import find_target
from codeens_server.workspace.text import snapshot
from codeens_variants.manifest import Variant

StopReason: TypeAlias = Literal["cancelled", "timeout"]


class RunStream:
    """The events of a run in progress. `stop` ends model calls and sandboxes at once and keeps what was found."""

    def __init__(self, events: MemoryObjectReceiveStream[RunEvent], pipeline: Pipeline) -> None:
        self._events = events
        self._pipeline = pipeline

    @property
    def run_id(self) -> str:
        return self._pipeline.plan.run_id

    def stop(self, reason: StopReason = "cancelled") -> None:
        """End the work; `RunFinished` with what was found so far still comes."""
        self._pipeline.stop(reason)

    def __aiter__(self) -> RunStream:
        return self

    async def __anext__(self) -> RunEvent:
        try:
            return await self._events.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None


class Engine:
    """Runs ensembles with given settings, into a given store."""

    def __init__(
        self,
        settings: Settings,
        store: RunStore,
        *,
        cwd: Path,
        variants: Mapping[str, Variant],
        environ: Mapping[str, str] | None = None,
        editor_model: EditorModel | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._cwd = cwd
        self._variants = variants
        self._environ = os.environ if environ is None else environ
        self._editor_model = editor_model

    @asynccontextmanager
    async def run(
        self,
        request: RunRequest,
        *,
        target: Target | None = None,
        resume: str | None = None,
        judge_again: bool = False,
        given: Sequence[Candidate] | None = None,
    ) -> AsyncGenerator[RunStream]:
        """Start a run, or go on with a stored one. Leaving the block early cancels everything that is under way.

        Args:
            target: what `request.target` names, where it was found already, as in the text that an editor holds.
            resume: the id of a stored run; what it finished is not done again, and `request` is not looked at.
            judge_again: ask for nothing new, but judge the stored candidates again, with the inputs kept since.
            given: candidates to judge and rank in place of any that would be asked for or made; a run that is gone on
                with has those that it began with.

        Raises:
            InputError: the request is wrong; nothing was written.
            SandboxUnavailable: the sandbox asked for cannot isolate here.
            RunError: the run could not be completed (raised when the block is left).
        """
        stored = await self._store.load(resume) if resume else None
        plan = await self._plan(request, target, stored, given, judge_again=judge_again)
        send, receive = anyio.create_memory_object_stream[RunEvent](256)
        failures: list[CodeensError | SandboxError] = []
        async with (
            send,
            receive,
            open_executor(plan.backend, plan.spec, self._settings.parallel) as executor,
            anyio.create_task_group() as group,
        ):
            pipeline = Pipeline(plan, executor, self._store, send)
            group.start_soon(_drive, pipeline, send, failures)
            try:
                yield RunStream(receive, pipeline)
            finally:
                group.cancel_scope.cancel()
        if failures:
            raise failures[0]

    async def _plan(
        self,
        request: RunRequest,
        target: Target | None,
        stored: StoredRun | None,
        given: Sequence[Candidate] | None,
        *,
        judge_again: bool,
    ) -> Plan:
        settings = msgspec.structs.replace(self._settings, rewrites="never") if judge_again else self._settings
        if stored is not None:
            request, target, given = stored.request, _unchanged(stored), stored.given
        elif target is None:
            target = find_target(request.target, cwd=self._cwd)
        _check_limits(request, settings)
        asks = not judge_again and given is None
        models = await self._models(request) if asks else ()
        if asks:
            refuse_without_model("implement" if target.body_missing else request.mode, target, models)
        return Plan(
            run_id=stored.run_id if stored else self._store.new_id(),
            request=request,
            target=target,
            models=models,
            reachable_models=with_fallbacks(models, self._settings, self._environ),
            variants=chosen_variants(request.variants, self._settings, self._variants),
            settings=settings,
            backend=get_backend(request.sandbox),
            spec=sandbox_spec(target, settings),
            environ=self._environ,
            editor_model=self._editor_model,
            stored=stored,
            given=None if given is None else tuple(given),
            judge_again=judge_again,
        )

    async def _models(self, request: RunRequest) -> tuple[ModelSettings, ...]:
        """Those named, else configured, else with a key, else the editor's own, else of servers on this machine."""
        if self._editor_model is None:
            return resolve_models(request.models, self._settings, self._environ) or await find_local_models()
        of_editor = [name for name in dict.fromkeys(request.models) if is_editor_model(name)]
        others = [name for name in request.models if not is_editor_model(name)]
        models = resolve_models(others, self._settings, self._environ) if others or not of_editor else ()
        return (*models, *map(editor_settings, of_editor)) or (editor_settings(),)


def _unchanged(stored: StoredRun) -> Target:
    try:
        snapshot(stored.target)
    except (ChangedError, TargetError) as error:
        message = f"run {stored.run_id} cannot be resumed: {error}"
        raise ChangedError(message) from None
    return stored.target


def _check_limits(request: RunRequest, settings: Settings) -> None:
    """Refuse limits that would let nothing happen."""
    positive = {
        "--samples": request.samples,
        "--rounds": request.rounds,
        "--budget-usd": request.budget_usd,
        "--budget-tokens": request.budget_tokens,
        "--timeout": request.timeout_s,
        "the setting parallel": settings.parallel,
        "the setting max_inputs": settings.max_inputs,
    }
    for name, value in positive.items():
        if value is not None and value <= 0:
            message = f"{name} must be more than 0, not {value}."
            raise InputError(message)


async def _drive(
    pipeline: Pipeline, send: MemoryObjectSendStream[RunEvent], failures: list[CodeensError | SandboxError]
) -> None:
    """Run the pipeline; what a person must read is handed over instead of being wrapped in an exception group."""
    async with send:
        try:
            await pipeline.run()
        except (CodeensError, SandboxError) as error:
            failures.append(error)
        except ExceptionGroup as group:
            for_people, others = group.split((CodeensError, SandboxError))
            if others is not None or for_people is None:
                raise
            failures.append(_first(for_people))


def _first(group: ExceptionGroup[CodeensError | SandboxError]) -> CodeensError | SandboxError:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error
