"""The four ways to make a run, or to go on with one: each gives events that end with the run's document."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio

from codeens_sandbox_backends.errors import SandboxError
from codeens_sandbox_backends.executor import open_executor
from codeens_sandbox_backends.registry import get_backend
from codeens_server.config.settings import ModelSettings, Settings
from codeens_server.domain import Candidate, Evidence, ModeRequest, StopReason, Target
from codeens_server.errors import ChangedError, CodeensError, Hint, InputError, NothingGenerated, TargetError
from codeens_server.generation.models.client import Models
from codeens_server.generation.models.exchange import EditorModel, Reply
from codeens_server.generation.models.resolve import choose_models, with_fallbacks
from codeens_server.run.events import CandidatesGiven, RunEvent, RunResumed, RunStarted, StoredEvent
from codeens_server.run.execution import Execution
from codeens_server.run.ids import new_run_id
from codeens_server.run.log import RunLog
from codeens_server.run.producers import (
    CandidateProducer,
    GenerationPlan,
    GivenCandidates,
    ModelAnswers,
    OfflineRewrites,
    offline_rewrites,
    refuse_without_model,
    wants_rewrites,
)
from codeens_server.run.request import RunRequest
from codeens_server.run.state import RunState
from codeens_server.run.variants import chosen_variants
from codeens_server.store.runs import RunStore
from codeens_server.workspace.environment import sandbox_spec
from codeens_server.workspace.text import snapshot
from codeens_variants.manifest import Variant


class RunStream:
    """The events of a run in progress, each committed before it is given. `state` is what they add up to."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._position = 0

    @property
    def run_id(self) -> str:
        """The id under which the run is kept."""
        return self.state.run_id

    @property
    def state(self) -> RunState:
        """All that is known of the run, what it was made from before included; read it, never change it."""
        return self._execution.log.state

    def stop(self, reason: StopReason = "cancelled") -> None:
        """End model calls and sandboxes at once; `RunFinished` with what was found so far still comes."""
        self._execution.stop(reason)

    def __aiter__(self) -> RunStream:
        return self

    async def __anext__(self) -> RunEvent:
        event = await self._execution.log.read(self._position)
        if event is None:
            raise StopAsyncIteration
        self._position += 1
        return event


class Engine:
    """Makes runs with given settings, into a given store; any number at once.

    Leaving the block of a verb early cancels all that is under way. Each of them raises

    InputError: the request is wrong; nothing was written.
    SandboxUnavailable: the sandbox asked for cannot isolate here.
    RunError: the run could not be completed (raised when the block is left).
    """

    def __init__(
        self,
        settings: Settings,
        store: RunStore,
        *,
        variants: Mapping[str, Variant],
        environ: Mapping[str, str] | None = None,
        editor_model: EditorModel | None = None,
    ) -> None:
        """Get ready.

        Args:
            settings: of the workspace that the runs are about.
            store: where runs are kept.
            variants: all there are, by name.
            environ: where keys are read from; None: that of the process.
            editor_model: asks the models of the editor that runs are started from.
        """
        self._settings = settings
        self._store = store
        self._variants = variants
        self._environ = os.environ if environ is None else environ
        self._editor_model = editor_model

    @asynccontextmanager
    async def start(self, request: RunRequest, target: Target) -> AsyncGenerator[RunStream]:
        """Start a run: models are asked, offline rewrites are made."""
        models = await self._models(request)
        refuse_without_model("implement" if target.body_missing else request.mode, target, models)
        state, started = _begun(request, target)
        log = RunLog(state, self._store, started=started)
        async with self._run(log, self._asking(state, models), _accepting(target, models)) as stream:
            yield stream

    @asynccontextmanager
    async def judge(
        self, request: RunRequest, target: Target, candidates: Sequence[Candidate]
    ) -> AsyncGenerator[RunStream]:
        """Start a run that judges, measures and ranks candidates that are there already, and makes none."""
        state, started = _begun(request, target)
        log = RunLog(state, self._store, started=started)
        given = CandidatesGiven(candidates=tuple(candidates))
        async with self._run(log, _giving(given.candidates), _accept_all, given) as stream:
            yield stream

    @asynccontextmanager
    async def resume(self, run_id: str) -> AsyncGenerator[RunStream]:
        """Go on with a stored run: what it finished is not done again, and it is asked what it was asked at first.

        Raises:
            InputError: there is no such run, or the function is not what it was.
        """
        state = await self._stored(run_id)
        if state.given is not None:
            producers, accept = _giving(state.given), _accept_all
        else:
            models = await self._models(state.request)
            refuse_without_model(_mode_of(state), state.target, models)
            producers, accept = self._asking(state, models), _accepting(state.target, models)
        async with self._run(RunLog(state, self._store), producers, accept, RunResumed()) as stream:
            yield stream

    @asynccontextmanager
    async def rejudge(self, run_id: str) -> AsyncGenerator[RunStream]:
        """Judge, measure and rank the candidates of a stored run again, by the inputs pinned since.

        Nothing new is asked for. Interrupted, it leaves candidates without a verdict, which are judged when the run is
        gone on with.

        Raises:
            InputError: there is no such run, it has no evidence, or the function is not what it was.
        """
        state = await self._stored(run_id)
        if state.evidence is None:
            message = f"run {state.run_id} has no evidence yet to judge by."
            raise InputError(message, code="no_evidence")
        again = RunResumed(judge_again=True)
        async with self._run(RunLog(state, self._store), _giving(()), _accept_all, again) as stream:
            yield stream

    @asynccontextmanager
    async def _run(
        self,
        log: RunLog,
        producers: Callable[[], AbstractAsyncContextManager[Sequence[CandidateProducer]]],
        accept: Callable[[Evidence], None],
        *first: StoredEvent,
    ) -> AsyncGenerator[RunStream]:
        state, settings = log.state, self._settings
        backend, spec = get_backend(state.request.sandbox), sandbox_spec(state.target, settings)
        failures: list[CodeensError | SandboxError] = []
        async with open_executor(backend, spec, settings.parallel) as executor, anyio.create_task_group() as group:
            execution = Execution(log, executor, producers, accept=accept, settings=settings)
            group.start_soon(_drive, execution, first, failures)
            try:
                yield RunStream(execution)
            finally:
                group.cancel_scope.cancel()
        if failures:
            raise failures[0]

    async def _stored(self, run_id: str) -> RunState:
        state = await self._store.load(run_id)
        try:
            snapshot(state.target)
        except (ChangedError, TargetError) as error:
            message = f"run {state.run_id} cannot be resumed: {error}"
            raise ChangedError(message) from None
        return state

    def _asking(
        self, state: RunState, models: tuple[ModelSettings, ...]
    ) -> Callable[[], AbstractAsyncContextManager[Sequence[CandidateProducer]]]:
        """Return what opens the producers of a run that asks models or makes rewrites."""
        request = state.request
        variants = chosen_variants(request.variants, self._settings, self._variants)
        plan = GenerationPlan(
            models=models,
            variants=variants,
            samples=request.samples,
            rounds=request.rounds,
            budget_usd=request.budget_usd,
            budget_tokens=request.budget_tokens,
            fresh=request.fresh,
        )
        reachable = with_fallbacks(models, self._settings, self._environ)

        @asynccontextmanager
        async def opened() -> AsyncGenerator[Sequence[CandidateProducer]]:
            wanted = wants_rewrites(request, models)
            rewrites = await offline_rewrites(state.target, variants) if wanted else []
            if not rewrites and not models and not state.generated:
                raise _nothing_to_make(state.target, are_off=request.rewrites == "never")
            async with Models(reachable, self._environ, self._editor_model) as client:
                cache = self._store.cache(Reply)
                yield [OfflineRewrites(rewrites), *([ModelAnswers(plan, client, cache)] if models else [])]

        return opened

    async def _models(self, request: RunRequest) -> tuple[ModelSettings, ...]:
        has_editor = self._editor_model is not None
        return await choose_models(request.models, self._settings, self._environ, editor=has_editor)


def _begun(request: RunRequest, target: Target) -> tuple[RunState, RunStarted]:
    started = RunStarted(run_id=new_run_id(), request=request, target=target)
    return RunState(started), started


def _mode_of(state: RunState) -> ModeRequest:
    if state.evidence is not None:
        return state.evidence.mode
    return "implement" if state.target.body_missing else state.request.mode


def _giving(
    candidates: Sequence[Candidate],
) -> Callable[[], AbstractAsyncContextManager[Sequence[CandidateProducer]]]:
    """Return what opens the producers of a run that makes no candidates."""

    @asynccontextmanager
    async def opened() -> AsyncGenerator[Sequence[CandidateProducer]]:
        yield [GivenCandidates(candidates)]

    return opened


def _accepting(target: Target, models: Sequence[ModelSettings]) -> Callable[[Evidence], None]:
    return lambda evidence: refuse_without_model(evidence.mode, target, models)


def _accept_all(evidence: Evidence) -> None:
    """Accept any evidence: nobody needs to be asked."""


def _nothing_to_make(target: Target, *, are_off: bool) -> NothingGenerated:
    why = "are switched off" if are_off else "find nothing to change in it"
    message = f"no candidate was made for {target.qualname}: offline rewrites {why}, and no model can be reached."
    return NothingGenerated(message, code="no_model", hint=Hint("model"))


async def _drive(
    execution: Execution, first: Sequence[StoredEvent], failures: list[CodeensError | SandboxError]
) -> None:
    """Run to the end; what a person must read is handed over instead of being wrapped in an exception group."""
    try:
        await execution.run(first)
    except (CodeensError, SandboxError) as error:
        failures.append(error)
    except ExceptionGroup as group:
        for_people, others = group.split((CodeensError, SandboxError))
        if others is not None or for_people is None:
            raise
        failures.append(_first(for_people))
    finally:
        execution.log.close()


def _first(group: ExceptionGroup[CodeensError | SandboxError]) -> CodeensError | SandboxError:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error
