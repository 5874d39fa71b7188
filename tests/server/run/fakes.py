"""A run in which nothing is slow: harmless code runs right here, models are scripted, evidence is known."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import anyio

from codeens_sandbox_backends.base import IsolationLevel, Readiness, Sandbox, SandboxSpec
from codeens_sandbox_backends.jobs import CallsJob, CallsResult, Job, Usage
from codeens_sandbox_backends.programs import NOT_LIVE, CallInput, Outcome, Program, Raised, Returned
from codeens_sandbox_backends.races import RaceJob, RacePlan, RaceResult, SideTimes
from codeens_server.config.settings import Settings
from codeens_server.domain.document import RunDocument
from codeens_server.domain.evidence import Case, Evidence
from codeens_server.domain.measurement import Readability
from codeens_server.domain.target import Candidate, Replacement, Target
from codeens_server.domain.terms import CaseOrigin
from codeens_server.evidence.gather import EvidencePlan
from codeens_server.generation.models.exchange import Message, ModelError, Reply, Sampling
from codeens_server.generation.reply.assemble import digest
from codeens_server.run.engine import Engine, RunStream
from codeens_server.run.events import RunEvent
from codeens_server.run.request import RunOptions, RunRequest, resolve
from codeens_server.store.opening import open_store
from codeens_server.store.runs import RunStore
from codeens_server.workspace.find import find_target
from codeens_variants.manifest import Variant
from tests.server.judging.in_process import outcome_of

R = TypeVar("R")

ORIGINAL = "def double(x):\n    y = x\n    return x + y\n"
RIGHT = "def double(x):\n    return 2 * x\n"
SHIFT = "def double(x):\n    return x << 1\n"
WRONG = "def double(x):\n    return 3 * x\n"
WRONG_ON_9 = "def double(x):\n    return 2 * x if x != 9 else 0\n"
FLAKY = "def double(x):\n    flaky = x\n    return flaky + x\n"
"""Right when it is judged, wrong when it is timed."""


def case(number: int, expected: int, origin: CaseOrigin = "generated") -> Case:
    """The case that says what must come out of `double(number)`."""
    outcome = Returned(value=expected, args=(number,))
    return Case(id=f"{origin}-{number}", origin=origin, input=CallInput(args=(number,)), expected=outcome)


EVIDENCE = Evidence(mode="improve", cases=tuple(case(number, 2 * number) for number in (3, 4, 5)))


class FakeBackend:
    """One sandbox for all who open one."""

    name = "fake"

    def __init__(self) -> None:
        self.jobs: list[Job[Any]] = []
        self.before: Callable[[Job[Any]], None] = lambda _: None
        """Called with each job; what it raises is the sandbox's failure."""
        self.held: Callable[[Job[Any]], bool] = lambda _: False
        """Which jobs never come to an end."""
        self.under_way = 0
        self.dead = ""
        """What runs instead of the function, as a sentence."""

    @property
    def isolation(self) -> IsolationLevel:
        return IsolationLevel(filesystem=True, network=True, processes=True, kernel=False, label="nothing but tests")

    async def probe(self) -> Readiness:
        return Readiness(name=self.name, usable=True, isolation=self.isolation)

    async def open(self, spec: SandboxSpec) -> Sandbox:
        return self

    async def run(self, job: Job[R]) -> R:
        self.jobs.append(job)
        self.before(job)
        self.under_way += 1
        try:
            if self.held(job):
                await anyio.sleep_forever()
            await anyio.lowlevel.checkpoint()
            result: Any = _timed(job) if isinstance(job, RaceJob) else _called(job, self.dead)
            return result
        finally:
            self.under_way -= 1

    async def aclose(self) -> None:
        """Nothing to end."""

    def times(self, source: str) -> int:
        """How often a source was called with all cases, as the judge does."""
        return sum(isinstance(job, CallsJob) and not job.memory and source in text_of(job.program) for job in self.jobs)


def text_of(program: Program) -> str:
    return program.modules[0].source


def _called(job: Job[Any], dead: str) -> CallsResult:
    assert isinstance(job, CallsJob)
    if dead:
        failure = Raised(type=NOT_LIVE, message=dead)
        return CallsResult(
            outcomes=(failure,) * len(job.inputs), loaded=False, failure=failure, usage=Usage(wall_s=0.0)
        )
    outcomes = _outcomes(job.program, job.inputs)
    peaks = tuple(1000 for _ in outcomes) if job.memory else ()
    return CallsResult(
        outcomes=outcomes,
        loaded=True,
        usage=Usage(wall_s=0.001),
        took_s=(0.0001,) * len(outcomes),
        peak_bytes=peaks,
    )


def _timed(job: RaceJob) -> RaceResult:
    """Every candidate is twice as fast as the original."""
    a, b = (
        SideTimes(passes_s=(seconds,), busy_passes_s=(seconds,), first_s=seconds, busy_first_s=seconds, load_s=0.0)
        for seconds in (0.02, 0.01)
    )
    flaky = tuple(Returned(value=0, args=call.args) for call in job.inputs)
    sides = (job.original, *job.candidates)
    return RaceResult(
        rounds=((a, *[b for _ in job.candidates]),) * job.rounds,
        plans=tuple(RacePlan(groups=((0, len(job.inputs)),), inner=1) for _ in sides),
        outcomes=tuple(flaky if "flaky" in text_of(side) else _outcomes(side, job.inputs) for side in sides),
        failures=tuple(None for _ in sides),
        clock="processor",
    )


def _outcomes(program: Program, inputs: Sequence[CallInput]) -> tuple[Outcome, ...]:
    names: dict[str, Any] = {}
    exec(text_of(program), names)
    return tuple(outcome_of(names[program.qualname], call) for call in inputs)


class FakeModels:
    """The editor's models, by name; each says the next of its texts, and its last one from then on."""

    def __init__(self, **texts: Sequence[str]) -> None:
        self._texts = {name: list(said) for name, said in texts.items()}
        self.asked: list[str] = []

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"editor/{name}" for name in self._texts)

    async def __call__(self, name: str, messages: Sequence[Message], sampling: Sampling) -> Reply:
        self.asked.append(name)
        key = name.removeprefix("editor/")
        said = self._texts[key]
        again = any("double(" in message.content and "3 * x" in message.content for message in messages)
        text = said[-1] if again else said[0]
        if not text:
            raise ModelError(name, "nobody answers")
        return Reply(text=text, model=f"editor/{key}", tokens_in=1000, tokens_out=2000, cost_usd=0.25)


def given(**sources: str) -> tuple[Candidate, ...]:
    """Candidates by their ids."""
    replacements = {name: Replacement(function=source.rstrip("\n")) for name, source in sources.items()}
    return tuple(
        Candidate(
            id=name,
            model="given",
            variant=name,
            source=sources[name],
            replacement=replacement,
            digest=digest(replacement),
            cost_usd=0.0,
        )
        for name, replacement in replacements.items()
    )


def fenced(source: str) -> str:
    return f"```python\n{source}```\nIt is simple."


class World:
    """A workspace, a store, a sandbox and models for runs of `double`."""

    def __init__(self, folder: Path, backend: FakeBackend) -> None:
        (folder / "numbers_.py").write_text(ORIGINAL, encoding="utf-8")
        self.folder = folder
        self.backend = backend
        self.target: Target = find_target("numbers_.py::double", cwd=folder)

    def settings(self, name: str = "results") -> Settings:
        return Settings(
            max_mutants=0,
            python=sys.executable,
            results=str(self.folder / name),
            sandbox="fake",
            rewrites="never",
            budget_usd=None,
        )

    def request(self, models: FakeModels | None = None, **options: Any) -> RunRequest:
        asked = RunOptions(models=models.names if models else (), fresh=True, **options)
        return resolve("numbers_.py::double", asked, self.settings())

    @contextmanager
    def engine(self, models: FakeModels | None = None, name: str = "results") -> Generator[tuple[Engine, RunStore]]:
        variant = Variant(name="baseline", description="d", prompt="Write {qualname}.\n{context}\n{function}")
        settings = self.settings(name)
        with open_store(settings) as store:
            yield (
                Engine(
                    settings, store, variants={"baseline": variant}, environ={}, editor_model=models or FakeModels()
                ),
                store,
            )


async def finish(made: AbstractAsyncContextManager[RunStream]) -> RunDocument:
    """The document that a run ends with."""
    async with made as stream:
        async for _ in stream:
            pass
        document = stream.state.document
    assert document is not None
    return document


async def events_of(made: AbstractAsyncContextManager[RunStream]) -> list[RunEvent]:
    async with made as stream:
        return [event async for event in stream]


@asynccontextmanager
async def held_until(made: AbstractAsyncContextManager[RunStream], kind: type[Any]) -> AsyncGenerator[RunStream]:
    """A run in which an event of a kind has just come."""
    async with made as stream:
        async for event in stream:
            if isinstance(event, kind):
                break
        yield stream


async def known_cases(_: object) -> tuple[Case, ...]:
    """In place of cases that are drawn by the run's id."""
    return EVIDENCE.cases


async def no_cases(_: object) -> tuple[Case, ...]:
    """In place of cases that take a while to be timed."""
    return ()


async def known_evidence(target: Target, plan: EvidencePlan, *, sandbox: Sandbox, say: Any, tell: Any) -> Evidence:
    await say("gathering")
    if tell is not None:
        await tell(EVIDENCE)
    return EVIDENCE


async def easy_to_read(source: str) -> Readability:
    return Readability(cyclomatic=1, cognitive=0, lines=source.count("\n"), findings=0, score=90.0)
