"""One measurement in real processes, from the file to the claim."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeens_sandbox_backends.base import CallInput, CallsJob
from codeens_sandbox_backends.registry import get_backend
from codeens_server.config.settings import Settings
from codeens_server.domain import Candidate, Case, Evidence, Replacement
from codeens_server.measuring.measure import baseline, measure
from codeens_server.workspace.edit import program_for
from codeens_server.workspace.environment import sandbox_spec
from codeens_server.workspace.find import find_target

SLOW = """
def total(n):
    kept = []
    for number in range(n):
        kept.append(number)
    return sum(kept)
"""
FAST = "def total(n):\n    return n * (n - 1) // 2 if n > 0 else 0\n"
INPUTS = tuple(CallInput(args=(n,)) for n in (0, 1000, 5000))


@pytest.mark.anyio
@pytest.mark.timed
async def test_a_formula_in_place_of_a_loop_is_faster_and_needs_less_memory(tmp_path: Path) -> None:
    (tmp_path / "sums.py").write_text(SLOW, encoding="utf-8")
    target = find_target("sums.py::total", cwd=tmp_path)
    sandbox = await get_backend("unsafe").open(sandbox_spec(target, Settings()))
    try:
        known = await sandbox.run(CallsJob(program=program_for(target, None), inputs=INPUTS))
        cases = tuple(
            Case(id=str(index), origin="generated", input=call, expected=outcome)
            for index, (call, outcome) in enumerate(zip(INPUTS, known.outcomes, strict=True))
        )
        evidence = Evidence(mode="improve", cases=cases)
        candidate = Candidate(
            id="c", model="m", variant="v", source=FAST, replacement=Replacement(function=FAST), digest="d"
        )
        original = await baseline(target, evidence, sandbox)
        found = await measure(candidate, target=target, evidence=evidence, sandbox=sandbox, baseline=original)
    finally:
        await sandbox.aclose()
    assert found.notes == ()
    assert found.speed is not None
    assert found.speed.faster
    assert found.memory is not None
    assert found.memory.ratio is not None
    assert found.memory.ratio < 0.2
