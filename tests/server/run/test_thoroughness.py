"""How many small changes the evidence would notice, in a real sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.errors import SandboxUnavailable
from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.programs import CallInput, Returned
from codeens_sandbox_backends.registry import get_backend
from codeens_server.config.settings import Settings
from codeens_server.domain.evidence import Case, Evidence, MissedChange, MutationScore
from codeens_server.evidence.gather import EvidencePlan, gather
from codeens_server.run import thoroughness
from codeens_server.run.thoroughness import Suggest, with_mutation_score
from codeens_server.views.run_view import evidence_text
from codeens_server.workspace.environment import sandbox_spec
from codeens_server.workspace.find import find_target

pytestmark = pytest.mark.anyio
Weigh: TypeAlias = Callable[..., Awaitable[Evidence]]


@pytest.fixture
async def weigh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Weigh]:
    """Gathers the evidence of `mod.py::f`, or takes what is given, and tries small changes on it."""
    monkeypatch.setattr(thoroughness, "_MOST_SECONDS", 100.0)
    opened: list[Sandbox] = []

    async def run(
        source: str,
        given: Evidence | None = None,
        *,
        tests: str = "",
        most: int = 8,
        max_inputs: int = 10,
        suggest: Suggest | None = None,
    ) -> Evidence:
        (tmp_path / "mod.py").write_text(source)
        if tests:
            (tmp_path / "test_mod.py").write_text(tests)
        target, settings = find_target("mod.py::f", cwd=tmp_path), Settings(limits=Limits(wall_s=60.0))
        try:
            sandbox = await get_backend("local").open(sandbox_spec(target, settings))
        except SandboxUnavailable as missing:
            pytest.skip(str(missing))
        opened.append(sandbox)
        plan = EvidencePlan(max_inputs=max_inputs, timeout_s=600.0, limits=settings.limits)
        evidence = given or await gather(target, plan, sandbox=sandbox, say=_silent)
        return await with_mutation_score(
            target,
            evidence,
            most=most,
            run_timeout_s=6000.0,
            limits=settings.limits,
            sandbox=sandbox,
            draws=1,
            suggest=suggest,
        )

    yield run
    for sandbox in opened:
        await sandbox.aclose()


async def _silent(_: str) -> None:
    return None


def score_of(evidence: Evidence) -> MutationScore:
    assert evidence.mutation is not None
    return evidence.mutation


RARE = "def f(n: int) -> int:\n    if n * 7 == 70007:\n        return 0\n    return n\n"


async def test_a_change_that_no_input_reaches_is_named_with_its_line(weigh: Weigh) -> None:
    evidence = await weigh(RARE)
    score = score_of(evidence)
    assert MissedChange(line=3, before="0", after="1") in score.missed
    assert MissedChange(line=4, before="return n", after="return None") not in score.missed
    assert score.noticed + len(score.missed) == score.total
    assert any("`70007` changed to `70008` (line 2)" in note for note in evidence.notes)
    assert f"would notice {score.noticed} of {score.total} changes" in evidence_text(evidence)


async def test_a_suggested_input_counts_where_the_change_shows_on_it(weigh: Weigh) -> None:
    asked: list[MissedChange] = []

    async def suggest(missed: Sequence[MissedChange]) -> tuple[CallInput, ...]:
        asked.extend(missed)
        return (CallInput(args=(10_001,)), CallInput(args=(10_002,)))

    evidence = await weigh(RARE, suggest=suggest)
    assert MissedChange(line=3, before="0", after="1") in asked
    assert score_of(evidence).missed == ()
    assert [case.input.args for case in evidence.cases if case.input.args[0] in {10_001, 10_002}] == [(10_001,)]


async def test_inputs_are_searched_for_changes_that_were_not_noticed(weigh: Weigh) -> None:
    source = "def f(n: int) -> str:\n    if n % 7 == 3:\n        return 'many'\n    return 'few' if n < 0 else 'some'\n"
    few = await weigh(source, max_inputs=3)
    assert score_of(few).missed == ()
    assert any(case.label == "generated: tells a change apart" for case in few.cases)
    assert len({case.id for case in few.cases}) == len(few.cases)


async def test_tests_notice_what_inputs_cannot_show(weigh: Weigh) -> None:
    source = "def f(clock):\n    return clock.now() + 1\n"
    tests = (
        "from unittest.mock import Mock\nfrom mod import f\n\ndef test_f():\n    assert f(Mock(now=lambda: 4)) == 5\n"
    )
    evidence = await weigh(source, tests=tests, most=3)
    assert not evidence.cases
    assert score_of(evidence).missed == ()
    assert score_of(evidence).noticed == score_of(evidence).total > 0


async def test_a_change_that_hangs_is_noticed_and_costs_little(weigh: Weigh) -> None:
    source = "def f(n: int) -> int:\n    k = 0\n    while k < min(abs(n), 50):\n        k += 1\n    return k\n"
    score = score_of(await weigh(source))
    assert score.undecided == 0
    assert not [change for change in score.missed if change.before == "k += 1"]


async def test_changes_that_cannot_be_told_apart_are_not_claimed_as_errors(weigh: Weigh) -> None:
    evidence = await weigh("def f(n: int) -> int:\n    return n if n > 0 else max(n, 0)\n")
    assert MissedChange(line=2, before="n > 0", after="n >= 0") in score_of(evidence).missed
    assert any("not seen to" in note for note in evidence.notes)


async def test_without_a_working_original_nothing_is_scored(weigh: Weigh) -> None:
    case = Case(id="1", origin="doctest", input=CallInput(args=(5,)), expected=Returned(value=9, args=(5,)))
    assert (await weigh(RARE, Evidence(mode="repair", cases=(case,)))).mutation is None
    assert (await weigh(RARE, Evidence(mode="improve", cases=(case,)), most=0)).mutation is None
