"""Runs with models through the engine's door, in this process: LiteLLM is imported once for all tests."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

import anyio
import msgspec
from msgspec.structs import replace

from codeens_server.config.settings import ModelSettings, Settings
from codeens_server.domain.document import RankedResult, RunDocument
from codeens_server.run.engine import Engine, RunStream
from codeens_server.run.events import RunEvent, RunFinished
from codeens_server.run.request import RunOptions, resolve
from codeens_server.store.opening import open_store
from codeens_server.store.runs import RunStore
from codeens_server.workspace.find import find_target
from codeens_variants.manifest import Variant
from tests.e2e.program import Process, descendants, until_gone
from tests.loopback.server import ChatRequest, ModelServer

KEY = "sk-loopback-0123456789abcdef"
PLAIN = Variant(name="plain", description="Only the function.", prompt="{function}\n{context}")
SECONDS = 300.0
"""No run of these tests takes nearly as long, also on a machine with ten times as much to do."""


def fenced(code: str, said: str = "That is all.") -> str:
    """A model's reply."""
    return f"Here it is:\n\n```python\n{code.strip()}\n```\n{said}"


def by_model(replies: Mapping[str, str | Sequence[str]]) -> Callable[[ChatRequest], str]:
    """Each model's replies in turn, the last one for all that follow."""
    asked: dict[str, int] = {}

    def answer(request: ChatRequest) -> str:
        given = replies[request.model]
        turn = asked[request.model] = asked.get(request.model, -1) + 1
        return fenced(given) if isinstance(given, str) else fenced(given[min(turn, len(given) - 1)])

    return answer


def entry(name: str, url: str) -> str:
    """A model of a loopback server as a table of the settings file."""
    return f"""
[[models]]
name = "{name}"
model = "openai/{name}"
api_base = "{url}"
api_key_env = "LOOPBACK_KEY"
input_cost_per_token = 1e-6
output_cost_per_token = 2e-6
"""


def files_with(text: str, folder: Path) -> list[Path]:
    """The files below a folder, a database too, that hold a text."""
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


class Finished(NamedTuple):
    """A run that came to its end."""

    run: RunDocument
    events: list[RunEvent]

    def row(self, candidate_id: str) -> RankedResult:
        """The row of a candidate."""
        return next(row for row in self.run.results if row.candidate.id == candidate_id)


def finished(events: list[RunEvent]) -> Finished:
    """The run that these events end."""
    last = events[-1]
    assert isinstance(last, RunFinished)
    return Finished(last.run, events)


class Bench:
    """A workspace with one module, a store, and models of a loopback server."""

    def __init__(self, folder: Path, server: ModelServer, source: str) -> None:
        self.folder = folder
        self.server = server
        self.seen: set[Process] = set()
        """Every process that was below this one while a run was under way."""
        self._before: set[Process] = set()
        self._workspace = folder / "workspace"
        self._workspace.mkdir()
        (self._workspace / "pyproject.toml").write_text("", encoding="utf-8")
        self.module = self._workspace / "sums.py"
        self.module.write_text(source, encoding="utf-8")

    @property
    def target(self) -> str:
        """The last function of the module."""
        names = re.findall(r"^def (\w+)", self.module.read_text(encoding="utf-8"), re.MULTILINE)
        return f"sums.py::{names[-1]}"

    def model(self, name: str, **more: object) -> ModelSettings:
        """A model of the server; a token read costs 1 µ$, a token written 2 µ$."""
        settings = ModelSettings(
            name=name,
            model=f"openai/{name}",
            api_base=self.server.url,
            api_key_env="LOOPBACK_API_KEY",
            input_cost_per_token=1e-6,
            output_cost_per_token=2e-6,
            timeout_s=100.0,
        )
        return replace(settings, **more)

    def settings(self, models: Sequence[ModelSettings]) -> Settings:
        """Few inputs, no offline rewrites, and a store in the bench's folder."""
        return Settings(
            models=tuple(models),
            results=str(self.folder / "results"),
            max_inputs=12,
            max_mutants=4,
            effort="quick",
            rewrites="never",
            timeout_s=SECONDS,
        )

    @contextmanager
    def store(self) -> Generator[RunStore]:
        with open_store(self.settings([])) as store:
            yield store

    @asynccontextmanager
    async def started(
        self,
        models: Sequence[ModelSettings],
        *,
        resume: str | None = None,
        **request: object,
    ) -> AsyncGenerator[RunStream]:
        """A run that is under way; at its end no connection may be open and no process of a sandbox be there."""
        self._before = descendants(os.getpid())
        with self.store() as store:
            engine = Engine(
                self.settings(models),
                store,
                variants={"plain": PLAIN},
                environ={"LOOPBACK_API_KEY": KEY},
            )
            asked = resolve(self.target, replace(RunOptions(), **request), self.settings(models))
            target = find_target(self.target, cwd=self._workspace)
            try:
                async with engine.resume(resume) if resume else engine.start(asked, target) as stream:
                    yield stream
            finally:
                with anyio.fail_after(SECONDS, shield=True):
                    await self.server.until_left()
                until_gone(self.seen | descendants(os.getpid()) - self._before)
                assert not files_with(KEY, self.folder)

    async def run(self, models: Sequence[ModelSettings], *, resume: str | None = None, **request: object) -> Finished:
        """A run to its end."""
        with anyio.fail_after(SECONDS):
            async with self.started(models, resume=resume, **request) as stream:
                events = await self.rest_of(stream)
        return finished(events)

    async def rest_of(self, stream: RunStream) -> list[RunEvent]:
        """The events of a run that are still to come; none of them holds the key."""
        events: list[RunEvent] = []
        async for event in stream:
            self.seen |= descendants(os.getpid()) - self._before
            events.append(event)
        assert KEY.encode() not in msgspec.json.encode(events)
        return events
