"""The four ways to make a run, or to go on with one: each gives events that end with the run's document."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import anyio
import anyio.to_thread
from msgspec.structs import replace

from codeens_sandbox_backends.base import NodeState, Sandbox
from codeens_sandbox_backends.errors import SandboxError
from codeens_sandbox_backends.executor import Executor, Turns, open_executor
from codeens_sandbox_backends.registry import get_backend
from codeens_server.config.settings import ModelSettings, Settings
from codeens_server.domain.evidence import Evidence
from codeens_server.domain.target import Candidate, Target
from codeens_server.domain.terms import ModeRequest, StopReason
from codeens_server.errors import ChangedError, CodeensError, Hint, InputError, NothingGenerated, RunError, TargetError
from codeens_server.generation.models.client import Models
from codeens_server.generation.models.exchange import NOT_SET, EditorModel, Reply
from codeens_server.generation.models.reach import unreachable
from codeens_server.generation.models.resolve import choose_models, wants_auto, with_fallbacks
from codeens_server.ranking.selector.model import chosen_selector
from codeens_server.run.events import CandidatesGiven, Noted, RunEvent, RunResumed, RunStarted, StoredEvent
from codeens_server.run.ids import new_run_id
from codeens_server.run.log import RunLog
from codeens_server.run.producers import (
    Asker,
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
from codeens_server.search.improving import Improvements
from codeens_server.search.learning import drawn_ensemble, records_of
from codeens_server.workspace.environment import environments_of, interpreter_for, sandbox_spec
from codeens_server.workspace.installed import packages_of
from codeens_server.workspace.text import snapshot
from codeens_variants.manifest import Variant

if TYPE_CHECKING:
    from codeens_server.run.execution import Execution
    from codeens_server.store.runs import RunStore

Producers: TypeAlias = Callable[[Sandbox], AbstractAsyncContextManager[Sequence[CandidateProducer]]]
"""Opens what makes candidates; some look at them in the sandbox."""


class RunStream:
    """The events of a run in progress, each committed before it is given. `state` is what they add up to."""

    def __init__(self, execution: Execution, executor: Executor) -> None:
        self._execution = execution
        self._executor = executor
        self._position = 0

    @property
    def turns(self) -> Turns:
        """How many jobs run in sandboxes, and how many wait."""
        return self._executor.turns

    @property
    def nodes(self) -> tuple[NodeState, ...]:
        """How the machines are doing that the sandboxes are on; none where they are on one."""
        return self._executor.nodes

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
        models, lacking = await self._reachable(request)
        if lacking and not models and (request.mode in {"implement", "repair"} or target.body_missing):
            raise _lacks(lacking.values())
        refuse_without_model("implement" if target.body_missing else request.mode, target, models)
        if models and wants_auto(request.models, self._settings):
            request, models = await self._drawn(request, target, models)
        state, started = _begun(request, target)
        log = RunLog(state, self._store, started=started)
        left_out = [
            Noted(kind="no_key" if NOT_SET in why else "unreachable", message=why, subject=name)
            for name, why in lacking.items()
        ]
        async with self._run(log, self._asking(state, models), _accepting(target, models), *left_out) as stream:
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
        producers: Producers,
        accept: Callable[[Evidence], None],
        *first: StoredEvent,
    ) -> AsyncGenerator[RunStream]:
        await self._store.check()
        state, settings = log.state, self._settings
        failures: list[CodeensError | SandboxError] = []
        # It takes long to import, and nothing but a run needs it.
        make = await anyio.to_thread.run_sync(_execution)
        selector = await anyio.to_thread.run_sync(chosen_selector, settings)
        opened = _opened_within(state.request.timeout_s, self._executors(state))
        async with opened as executors, log.using(executors.values()), anyio.create_task_group() as group:
            first_path, *others = executors
            execution = make(
                log,
                executors[first_path],
                producers,
                accept=accept,
                settings=settings,
                selector=selector,
                further={path: executors[path] for path in others},
            )
            group.start_soon(_drive, execution, first, failures)
            try:
                yield RunStream(execution, executors[first_path])
            finally:
                group.cancel_scope.cancel()
        if failures:
            raise failures[0]

    @asynccontextmanager
    async def _executors(self, state: RunState) -> AsyncGenerator[dict[str, Executor]]:
        """Open a sandbox for each interpreter of the run, by its path; together they run as many jobs as one would."""
        settings, request = self._settings, state.request
        backend = get_backend(request.sandbox)
        opened: dict[str, Executor] = {}
        turns = Turns(settings.parallel)
        async with AsyncExitStack() as stack:
            for python in environments_of(Path(state.target.root), request.environments, settings):
                spec = await anyio.to_thread.run_sync(sandbox_spec, state.target, settings, python)
                opened[str(python)] = await stack.enter_async_context(open_executor(backend, spec, turns))
            yield opened

    async def _stored(self, run_id: str) -> RunState:
        state = await self._store.load(run_id)
        try:
            snapshot(state.target)
        except (ChangedError, TargetError) as error:
            message = f"run {state.run_id} cannot be resumed: {error}"
            raise ChangedError(message) from None
        return state

    def _asking(self, state: RunState, models: tuple[ModelSettings, ...]) -> Producers:
        """Return what opens the producers of a run that asks models or makes rewrites."""
        request = state.request
        variants = chosen_variants(request.variants, self._settings, self._variants)
        plan = GenerationPlan(
            models=models,
            variants=variants,
            systems=request.systems or tuple((model.name, variant.name) for model in models for variant in variants),
            samples=request.samples,
            rounds=request.rounds,
            budget_usd=request.budget_usd,
            budget_tokens=request.budget_tokens,
            budget_calls=request.budget_calls,
            fresh=request.fresh,
            packages=packages_of(interpreter_for(Path(state.target.root), self._settings)) if models else (),
        )
        reachable = with_fallbacks(models, self._settings, self._environ)

        @asynccontextmanager
        async def opened(sandbox: Sandbox) -> AsyncGenerator[Sequence[CandidateProducer]]:
            wanted = wants_rewrites(request, models)
            rewrites = await offline_rewrites(state.target, variants) if wanted else []
            if not rewrites and not models and not state.generated:
                raise _nothing_to_make(state.target, are_off=request.rewrites == "never")
            async with Models(reachable, self._environ, self._editor_model) as client:
                asker = Asker(await self._learned(plan, state), client, self._store.cache(Reply))
                of_models = [ModelAnswers(asker), Improvements(asker, sandbox, self._settings.limits)]
                yield [OfflineRewrites(rewrites), *(of_models if models else [])]

        return opened

    async def _learned(self, plan: GenerationPlan, state: RunState) -> GenerationPlan:
        """Return the plan with what earlier runs in the workspace say; where no model is asked nothing is looked up."""
        if not plan.models or state.brief is not None:
            return plan
        statistics, root = self._store.statistics, state.target.root
        past = await statistics.past(root, [model.name for model in plan.models])
        return replace(plan, records=records_of(await statistics.systems(root)), past=past)

    async def _reachable(self, request: RunRequest) -> tuple[tuple[ModelSettings, ...], dict[str, str]]:
        """Return the models that can be asked, and why others cannot.

        Raises:
            InputError: one that was asked for by name cannot.
        """
        models = await self._models(request)
        lacking = await unreachable(with_fallbacks(models, self._settings, self._environ), self._environ)
        usable = [model for model in models if not lacking.keys() >= {model.name, *model.fallbacks}]
        dead = {model.name: lacking[model.name] for model in models if model not in usable}
        if dead and request.models and not wants_auto(request.models, self._settings):
            raise _lacks(dead.values())
        return tuple(usable), dead

    async def _drawn(
        self, request: RunRequest, target: Target, models: Sequence[ModelSettings]
    ) -> tuple[RunRequest, tuple[ModelSettings, ...]]:
        """Return the request for those who are likeliest to win for a dollar in the workspace, and who they are."""
        variants = chosen_variants(request.variants, self._settings, self._variants)
        systems = [(model.name, variant.name) for model in models for variant in variants]
        records = records_of(await self._store.statistics.systems(target.root))
        chosen = drawn_ensemble(systems, records)
        named, asked_with = ({system[side] for system in chosen} for side in (0, 1))
        request = replace(
            request,
            models=tuple(model.name for model in models if model.name in named),
            variants=tuple(variant.name for variant in variants if variant.name in asked_with),
            systems=chosen,
        )
        return request, tuple(model for model in models if model.name in named)

    async def _models(self, request: RunRequest) -> tuple[ModelSettings, ...]:
        has_editor = self._editor_model is not None
        return await choose_models(request.models, self._settings, self._environ, editor=has_editor)


def _begun(request: RunRequest, target: Target) -> tuple[RunState, RunStarted]:
    started = RunStarted(run_id=new_run_id(), request=request, target=target)
    return RunState(started), started


def _lacks(reasons: Iterable[str]) -> InputError:
    message = f"{'; '.join(reasons)}."
    return InputError(message, code="model_unreachable", hint=Hint("fix", "Nothing was asked, and nothing was spent."))


def _mode_of(state: RunState) -> ModeRequest:
    if state.evidence is not None:
        return state.evidence.mode
    return "implement" if state.target.body_missing else state.request.mode


def _giving(candidates: Sequence[Candidate]) -> Producers:
    """Return what opens the producers of a run that makes no candidates."""

    @asynccontextmanager
    async def opened(sandbox: Sandbox) -> AsyncGenerator[Sequence[CandidateProducer]]:
        del sandbox
        yield [GivenCandidates(candidates)]

    return opened


def _accepting(target: Target, models: Sequence[ModelSettings]) -> Callable[[Evidence], None]:
    def accept(evidence: Evidence) -> None:
        failing = [test.id for test in evidence.tests if test.outcome != "passed"]
        refuse_without_model(evidence.mode, target, models, failing=failing)

    return accept


def _accept_all(evidence: Evidence) -> None:
    """Accept any evidence: nobody needs to be asked."""


def _nothing_to_make(target: Target, *, are_off: bool) -> NothingGenerated:
    why = "are switched off" if are_off else "find nothing to change in it"
    message = f"no candidate was made for {target.qualname}: offline rewrites {why}, and no model can be reached."
    return NothingGenerated(message, code="no_model", hint=Hint("model"))


@asynccontextmanager
async def _opened_within(
    seconds: float, opening: AbstractAsyncContextManager[dict[str, Executor]]
) -> AsyncGenerator[dict[str, Executor]]:
    async with AsyncExitStack() as stack:
        executors: dict[str, Executor] = {}
        with anyio.move_on_after(seconds):
            executors = await stack.enter_async_context(opening)
        if not executors:
            message = f"the sandbox did not open within the {seconds:g} s that the run has; nothing was kept."
            raise RunError(message, code="stopped_early")
        yield executors


def _execution() -> type[Execution]:
    from codeens_server.run.execution import Execution

    return Execution


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
