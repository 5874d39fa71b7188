from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.errors import SandboxUnavailable
from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.registry import get_backend
from codeens_server.config.settings import Settings
from codeens_server.domain.verdict import Verdict
from codeens_server.evidence import telling
from codeens_server.evidence.gather import EvidencePlan, gather
from codeens_server.judging.judge import judge
from codeens_server.measuring import measure
from codeens_server.run import engine, execution, probing, report
from codeens_server.run.probing import Prober
from codeens_server.workspace.environment import sandbox_spec
from codeens_server.workspace.find import find_target
from tests.server.facts import candidate
from tests.server.run import fakes

Look: TypeAlias = Callable[[str, str], Awaitable[Verdict]]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> fakes.World:
    backend = fakes.FakeBackend()
    monkeypatch.setattr(engine, "get_backend", {"fake": backend}.__getitem__)
    monkeypatch.setattr(execution, "gather", fakes.known_evidence)
    monkeypatch.setattr(execution.Prober, "fresh_cases", fakes.known_cases)
    monkeypatch.setattr(execution.Prober, "sized_cases", fakes.no_cases)
    monkeypatch.setattr(measure, "readability", fakes.easy_to_read)
    monkeypatch.setattr(report, "DIFFERENCES_BUDGET_S", 0.0)
    return fakes.World(tmp_path, backend)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves a busy machine the time that it needs."""
    monkeypatch.setattr(probing, "_SECONDS", 100.0)
    monkeypatch.setattr(telling, "_LONGEST_DRAWING_S", 100.0)


@pytest.fixture
async def verdict_of(tmp_path: Path, patient: None) -> AsyncIterator[Look]:
    """Gathers the evidence of `f` in `mod.py`, judges a candidate by it, and probes one that passes."""
    opened: list[Sandbox] = []

    async def run(source: str, function: str) -> Verdict:
        (tmp_path / "mod.py").write_text(source)
        target, settings = find_target("mod.py::f", cwd=tmp_path), Settings(limits=Limits(wall_s=60.0))
        try:
            sandbox = await get_backend("local").open(sandbox_spec(target, settings))
        except SandboxUnavailable as missing:
            pytest.skip(str(missing))
        opened.append(sandbox)
        plan = EvidencePlan(max_inputs=20, timeout_s=600.0, limits=settings.limits)
        evidence = await gather(target, plan, sandbox=sandbox, say=_silent)
        one = candidate("c", function)
        judged = await judge(one, target=target, evidence=evidence, sandbox=sandbox, sandbox_label="")
        if judged.verdict.status == "passed":
            prober = Prober(target, evidence, run_id="r", run_timeout_s=600.0, limits=settings.limits, sandbox=sandbox)
            judged = await prober.probe(one, judged)
        return judged.verdict

    yield run
    for sandbox in opened:
        await sandbox.aclose()


async def _silent(_: str) -> None:
    return None
