"""All that codeens does, for any number of calls at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Unpack, overload

import anyio
import anyio.to_thread
from msgspec.structs import replace

from codeens._candidates import GIVEN, Candidates, given_candidates, named
from codeens._generating import Generated, Prompt, ask_models, mode_of, prompts_for, rewrite
from codeens._options import RunKeywords, listed
from codeens._progress import OnProgress
from codeens._results import Report, Run
from codeens._running import CodeJob, CodeResult, read_call, run_job
from codeens._runs import OnEvent, Runs, finished
from codeens._scripting import Beside
from codeens._targets import Code, TargetLike
from codeens_sandbox_backends.base import SandboxSpec
from codeens_sandbox_backends.jobs import Limits
from codeens_server.config.settings import ModelSettings, Settings
from codeens_server.domain.target import Candidate, Replacement, Target
from codeens_server.domain.terms import ORIGINAL, ModeRequest
from codeens_server.errors import InputError
from codeens_server.generation.budget import Budget
from codeens_server.generation.generate import Ask
from codeens_server.generation.models.client import Models
from codeens_server.generation.models.exchange import Reply
from codeens_server.generation.models.resolve import choose_models, find_local_models, resolve_models, with_fallbacks
from codeens_server.run.producers import refuse_without_model
from codeens_server.run.variants import chosen_variants
from codeens_server.tasks.schema import ScoredCandidate, ScoreResult, Task
from codeens_server.tasks.scoring import report_of, runs_for, score_one
from codeens_server.workspace.context import context_of
from codeens_server.workspace.environment import import_paths, sandbox_spec, workspace_spec
from codeens_variants.manifest import Variant

if TYPE_CHECKING:
    from codeens._comparing import Comparison, Pair


class Session(Runs):
    """Settings, store, sandboxes and variants, opened once and shared by concurrent calls.

    Use it as an async context manager: when the block is left, nothing that was begun in it is there any more.
    """

    @overload
    async def judge(
        self,
        subject: Task,
        candidates: Candidates,
        *,
        author: str = ...,
        on_event: OnEvent | None = ...,
        on_progress: OnProgress | None = ...,
        **options: Unpack[RunKeywords],
    ) -> Report: ...
    @overload
    async def judge(
        self,
        subject: TargetLike,
        candidates: Candidates,
        *,
        author: str = ...,
        on_event: OnEvent | None = ...,
        on_progress: OnProgress | None = ...,
        **options: Unpack[RunKeywords],
    ) -> Run: ...
    async def judge(
        self,
        subject: Task | TargetLike,
        candidates: Candidates,
        *,
        author: str = GIVEN,
        on_event: OnEvent | None = None,
        on_progress: OnProgress | None = None,
        **options: Unpack[RunKeywords],
    ) -> Report | Run:
        """Judge given candidates: by a task, or against a function, in which case they are also measured and ranked.

        Args:
            subject: a task, or the function; see `Session.target`.
            candidates: their sources by id; see `Candidates`.
            author: what results call those who wrote them.
            on_event: gets every event of a run against a function.
            on_progress: gets how many candidates are judged by a task.
            options: see `RunKeywords`; no model is asked, and of a task only `sandbox` counts.

        Returns:
            A report for a task, a run for a function.

        Raises:
            InputError: the arguments are wrong, or the task fails its own reference solution.
            SandboxError: the sandbox failed; nothing is known of the candidates.
        """
        if isinstance(subject, Task):
            return await self._judge_by_task(subject, candidates, author, options.get("sandbox"), on_progress)
        return await finished(self.stream_judge(subject, candidates, author=author, **options), on_event)

    async def compare(
        self,
        a: str | Candidate,
        b: str | Candidate,
        *,
        of: TargetLike | Run | None = None,
        calls: Sequence[str] = (),
        sandbox: str | None = None,
        on_progress: OnProgress | None = None,
    ) -> Comparison:
        """Find the smallest input on which two implementations of a function differ.

        Args:
            a: a source, a candidate, or `original`; of a run also the id of one of its candidates.
            b: likewise.
            of: the function that they implement, or a run of it; None: `a` is that function, and `b` is another.
            calls: inputs to try in any case, as Python writes them: `f([1, 2])`.
            sandbox: the backend; None: as configured.
            on_progress: gets what is going on.

        Returns:
            The smallest input found, and what each does on it; or that they did the same on all inputs tried.

        Raises:
            InputError: one cannot stand in for the function, or nothing is known of its inputs.
            SandboxError: the sandbox failed.
        """
        if of is None and isinstance(a, str):
            of, a = Code(a), ORIGINAL
        if of is None:
            message = "say which function these candidates implement."
            raise InputError(message, code="no_target")
        run = of if isinstance(of, Run) else None
        target = of.document.target if isinstance(of, Run) else await self.target(of)

        def prepare() -> tuple[Settings, SandboxSpec, Pair]:
            from codeens._comparing import pair_of

            settings = _with_sandbox(self.settings_of(target), sandbox)
            starts = [read_call(call)[1] for call in calls]
            starts += [case.input for case in run.document.evidence.cases] if run else []
            sides = (_replacement(target, side, name, run) for side, name in ((a, "a"), (b, "b")))
            pair = pair_of(target, *sides, starts=starts, max_inputs=settings.max_inputs)
            return settings, sandbox_spec(target, settings), pair

        say = _sayer(on_progress)
        say("making inputs")
        settings, spec, pair = await anyio.to_thread.run_sync(prepare)
        async with self.sandbox(settings, spec) as executor:
            from codeens._comparing import compare_pair

            return await compare_pair(pair, executor, say)

    async def run_code(
        self,
        source: str,
        *,
        calls: Sequence[str] = (),
        tests: str | None = None,
        function: str | None = None,
        stdin: str | Sequence[str] | None = None,
        argv: Sequence[str] = (),
        files: Mapping[str, str] | None = None,
        pytest: Sequence[str] = (),
        before: Sequence[str] = (),
        workspace: bool = False,
        limits: Limits | None = None,
        sandbox: str | None = None,
    ) -> CodeResult:
        """Run code that nobody trusts, in one of three ways: calls, tests, or as a script.

        Args:
            source: a module, or a script.
            calls: calls of one of its functions, as Python writes them, with literal arguments: `f([1, 2])`.
            tests: Python with `check(candidate)`, asserts that name the function, test functions, or unittest classes.
            function: the function that the tests call.
            stdin: what the script reads; several texts are several runs.
            argv: the script's arguments.
            files: other files beside a script, by relative name: modules that it imports, data, tests.
            pytest: test files, of `files` or of the workspace, to run after the script.
            before: earlier scripts, run first in the same module; what they print is not kept.
            workspace: whether a script can import the modules of the session's project, and read its files.
            limits: what the code may use; None: as configured.
            sandbox: the backend; None: as configured.

        Returns:
            What the code did.

        Raises:
            InputError: the arguments do not fit each other, or a call is none.
            SandboxError: the sandbox failed; nothing is known of the code.
        """
        stdins = (stdin,) if isinstance(stdin, str) else tuple(stdin or ())
        paths = await anyio.to_thread.run_sync(lambda: import_paths(self.root)) if workspace else ()
        job = CodeJob(
            source=source,
            calls=tuple(calls),
            tests=tests,
            function=function,
            stdins=stdins,
            argv=tuple(argv),
            beside=Beside(files=dict(files or {}), pytest=tuple(pytest), before=tuple(before), paths=paths),
        )
        settings = _with_sandbox(await anyio.to_thread.run_sync(self.settings_here), sandbox)
        bounds = limits or settings.limits
        spec = _spec_here(settings)
        if workspace:
            spec = await anyio.to_thread.run_sync(workspace_spec, self.root, settings)
        async with self.sandbox(settings, spec) as executor:
            return await run_job(job, executor, backend=settings.sandbox, limits=bounds)

    async def generate(
        self,
        subject: Task | TargetLike,
        *,
        mode: ModeRequest | None = None,
        models: Sequence[str] = (),
        variants: Sequence[str] = (),
        samples: int = 1,
        budget_usd: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> Generated:
        """Ask for other implementations of a function, and run none of them.

        Args:
            subject: the function; or a task, whose prompt says what to write.
            mode: what is to be done; None: the function is improved, or written where it has no body.
            models: names; none: all that are configured or can be reached; without any, offline rewrites are made.
            variants: names of ways to ask; none: all that are enabled.
            samples: answers for each model and variant.
            budget_usd: what may be spent; None: as configured.
            on_progress: gets how many answers came.

        Returns:
            The candidates, and what they cost.

        Raises:
            InputError: the arguments are wrong, or there is nobody to ask (code `no_model`).
            NothingGenerated: nobody gave a usable answer.
        """
        target, settings, chosen = await self._asked(subject, listed(variants))
        wanted = mode_of(target, mode)
        found = await choose_models(listed(models), settings, self.environ, editor=self.editor_model is not None)
        refuse_without_model(wanted, target, found)
        if not found:
            return await rewrite(target, wanted, chosen)
        context = await anyio.to_thread.run_sync(context_of, target)
        ask = Ask(target=target, context=context, mode=wanted, models=found, variants=chosen, samples=samples)
        budget = Budget(
            usd=settings.budget_usd if budget_usd is None else budget_usd,
            tokens=settings.budget_tokens,
            calls=settings.budget_calls,
        )
        async with Models(with_fallbacks(found, settings, self.environ), self.environ, self.editor_model) as client:
            cache = (await self.opened_store()).cache(Reply)
            return await ask_models(ask, client=client, cache=cache, budget=budget, say=on_progress or _say_nothing)

    async def models(self) -> tuple[ModelSettings, ...]:
        """Return the models that can be asked: those configured, else of keys that are set, else of this machine.

        Raises:
            ConfigError: the settings are broken.
        """
        settings = await anyio.to_thread.run_sync(self.settings)
        return resolve_models((), settings, self.environ) or await find_local_models()

    async def prompts(
        self, subject: Task | TargetLike, *, mode: ModeRequest | None = None, variants: Sequence[str] = ()
    ) -> tuple[Prompt, ...]:
        """Return what models would be asked for a function, one prompt for each variant; none is asked.

        Args:
            subject: the function; or a task, whose prompt says what to write.
            mode: what is to be done; None: the function is improved, or written where it has no body.
            variants: names of ways to ask; none: all that are enabled.

        Raises:
            InputError: the arguments are wrong.
        """
        target, _, chosen = await self._asked(subject, listed(variants))
        return await anyio.to_thread.run_sync(prompts_for, target, mode_of(target, mode), chosen)

    async def _asked(
        self, subject: Task | TargetLike, variants: Sequence[str]
    ) -> tuple[Target, Settings, tuple[Variant, ...]]:
        target = await self.target(_as_target(subject))

        def prepare() -> tuple[Settings, tuple[Variant, ...]]:
            settings = self.settings_of(target)
            return settings, chosen_variants(variants, settings, self.variants_of(target))

        settings, chosen = await anyio.to_thread.run_sync(prepare)
        return target, settings, chosen

    async def _judge_by_task(
        self, task: Task, candidates: Candidates, author: str, sandbox: str | None, on_progress: OnProgress | None
    ) -> Report:
        given = [_scored(name, item, author) for name, item in named(candidates).items()]
        settings = _with_sandbox(await anyio.to_thread.run_sync(self.settings_here), sandbox)
        results: dict[str, ScoreResult] = {}
        tell = on_progress or _say_nothing
        async with self.sandbox(settings, _spec_here(settings)) as executor:
            runs = await runs_for(task, executor, settings.limits)

            async def judge(item: ScoredCandidate) -> None:
                program = replace(item, source=task.program(item.source))
                result = await score_one(task, program, runs, sandbox=executor, sandbox_label=executor.label)
                results[item.id] = replace(result, candidate=item)
                tell("judging", len(results), len(given))

            async with anyio.create_task_group() as group:
                for item in given:
                    group.start_soon(judge, item)
        return Report(report_of(task, [results[item.id] for item in given]))


def _as_target(subject: Task | TargetLike) -> TargetLike:
    return Code(subject.module(), subject.entry_point) if isinstance(subject, Task) else subject


def _scored(name: str, item: str | Candidate, author: str) -> ScoredCandidate:
    if isinstance(item, str):
        return ScoredCandidate(id=name, source=item, model=author)
    return ScoredCandidate(id=name, source=item.source, model=item.model, variant=item.variant)


def _replacement(target: Target, side: str | Candidate, name: str, run: Run | None) -> Replacement | None:
    """Return one side of a comparison; None: the original."""
    if isinstance(side, Candidate):
        return side.replacement
    if side == ORIGINAL:
        return None
    known = {} if run is None else {row.candidate.id: row.candidate for row in run.document.results}
    candidate = known.get(side) or given_candidates(target, {name: side})[0]
    return candidate.replacement


def _with_sandbox(settings: Settings, backend: str | None) -> Settings:
    return settings if backend is None else replace(settings, sandbox=backend)


def _spec_here(settings: Settings) -> SandboxSpec:
    """Return what code without a file must find: an interpreter."""
    return SandboxSpec(python=settings.python or "", limits=settings.limits)


def _say_nothing(doing: str, done: int, total: int) -> None:
    """Tell nobody."""


def _sayer(on_progress: OnProgress | None) -> Callable[[str], None]:
    return lambda doing: (on_progress or _say_nothing)(doing, 0, 0)
