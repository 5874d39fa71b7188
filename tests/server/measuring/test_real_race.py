"""One measurement in real processes, from the file to the claim."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsJob
from codeens_sandbox_backends.programs import CallInput
from codeens_sandbox_backends.registry import get_backend
from codeens_server.config.settings import Settings
from codeens_server.domain.evidence import Case, Evidence
from codeens_server.domain.target import Candidate, Replacement, Target
from codeens_server.evidence.gather import EvidencePlan, gather
from codeens_server.measuring.measure import Baseline, baseline, measure
from codeens_server.measuring.race import Entrant, SpeedComparison, claimable, race
from codeens_server.run.probing import Prober
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
INPUTS = tuple(CallInput(args=(n,)) for n in (0, 1000, 1_500_000))
"""The last one takes the loop so long that samples of the formula, which takes no time, stay short too."""


BODY = """    total = 0
    for number in range(4000 if n == 4000 else n % 5):
        total += str(number).count("1")
    return total
"""
KNOWN = 'def work(n: int) -> int:\n    """Count the ones.\n\n    >>> work(4000)\n    2200\n    """\n' + BODY
TABLE = "def work(n: int) -> int:\n    if n == 4000:\n        return 2200\n" + BODY


@pytest.mark.anyio
@pytest.mark.timed
async def test_a_formula_in_place_of_a_long_loop_is_faster_and_needs_less_memory(tmp_path: Path) -> None:
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
        original = await baseline(target, evidence, sandbox, cases)
        raced = await decided(candidate, target, original, sandbox)
        found = await measure(candidate, target=target, sandbox=sandbox, baseline=original)
    finally:
        await sandbox.aclose()
    assert found.notes == ()
    assert raced.speed is not None
    assert raced.speed.faster
    assert raced.speed.ratio > 1000
    assert found.memory is not None
    assert found.memory.ratio is not None
    assert found.memory.ratio < 0.2


@pytest.mark.anyio
@pytest.mark.timed
async def test_a_table_of_the_inputs_in_the_docstring_is_not_faster(tmp_path: Path) -> None:
    (tmp_path / "ones.py").write_text(KNOWN, encoding="utf-8")
    target, limits = find_target("ones.py::work", cwd=tmp_path), Settings().limits
    sandbox = await get_backend("unsafe").open(sandbox_spec(target, Settings()))
    try:
        plan = EvidencePlan(max_inputs=10, timeout_s=600.0, limits=limits)
        evidence = await gather(target, plan, sandbox=sandbox, say=silent)
        assert evidence.count("doctest") == 1
        prober = Prober(target, evidence, run_id="r", run_timeout_s=600.0, limits=limits, sandbox=sandbox)
        original = await baseline(target, evidence, sandbox, await prober.fresh_cases())
        assert original.unseen
        candidate = Candidate(
            id="c", model="m", variant="v", source=TABLE, replacement=Replacement(function=TABLE), digest="d"
        )
        found = await decided(candidate, target, original, sandbox)
    finally:
        await sandbox.aclose()
    assert found.speed is not None
    assert not found.speed.faster
    assert found.speed.ratio < 2


async def decided(candidate: Candidate, target: Target, original: Baseline, sandbox: Sandbox) -> SpeedComparison:
    """What a race says that the candidate runs alone in; the first of three for which the machine is quiet enough."""
    program = program_for(target, candidate.replacement)
    found = SpeedComparison()
    for _ in range(3):
        ((_, found),) = [item async for item in race(original, [Entrant(program=program)], sandbox)]
        if found.speed is not None:
            break
    return claimable(found, candidate, original)


async def silent(_: str) -> None:
    """Say nothing."""
