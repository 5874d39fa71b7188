"""Measuring a candidate through a sandbox that answers what the test says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codeens_sandbox_backends.base import (
    CallInput,
    CallsJob,
    CallsResult,
    Died,
    IsolationLevel,
    Outcome,
    Raised,
    Returned,
    TimingJob,
    TimingPair,
    TimingResult,
    Usage,
)
from codeens_sandbox_backends.errors import SandboxBroken
from codeens_server.domain import Candidate, Case, CaseOrigin, Evidence, Measurement, Mode, Replacement, Target
from codeens_server.measuring.measure import NOTHING_TO_COMPARE, baseline, measure
from codeens_server.workspace.find import find_target

FASTER = "def double(x):\n    return 2 * x\n"

pytestmark = pytest.mark.anyio


class ScriptedSandbox:
    """Answers each input with its double; what is special about a test is passed in."""

    isolation = IsolationLevel(filesystem=True, network=True, processes=True, kernel=False, label="scripted")

    def __init__(
        self,
        *,
        answer: Callable[[CallInput], Outcome] | None = None,
        original_answer: Callable[[CallInput], Outcome] | None = None,
        race_failure: Outcome | None = None,
        seconds_per_input: float = 0.001,
        broken: bool = False,
    ) -> None:
        self.jobs: list[CallsJob | TimingJob] = []
        self._answer = answer or doubled
        self._original_answer = original_answer or doubled
        self._race_failure = race_failure
        self._seconds_per_input = seconds_per_input
        self._broken = broken

    async def run(self, job: Any) -> Any:
        if self._broken:
            raise SandboxBroken("gone")
        self.jobs.append(job)
        return self._race(job) if isinstance(job, TimingJob) else self._calls(job)

    def _calls(self, job: CallsJob) -> CallsResult:
        is_candidate = "2 * x" in job.program.modules[0].source
        answer = self._answer if is_candidate else self._original_answer
        peak = 1000 if is_candidate else 4000
        return CallsResult(
            outcomes=tuple(answer(call) for call in job.inputs),
            loaded=True,
            usage=Usage(wall_s=self._seconds_per_input * len(job.inputs)),
            peak_bytes=tuple(peak + index for index, _ in enumerate(job.inputs)),
        )

    def _race(self, job: TimingJob) -> TimingResult:
        a, b = (0.02,) * 5, (0.01,) * 5
        return TimingResult(
            pairs=tuple(TimingPair(a=a, b=b, cold_a=a, cold_b=b) for _ in range(3)),
            inner=1,
            outcomes_a=tuple(self._original_answer(call) for call in job.inputs),
            outcomes_b=tuple(self._answer(call) for call in job.inputs),
            failure=self._race_failure,
            failed_side="b" if self._race_failure else None,
        )

    async def aclose(self) -> None:
        return None


def doubled(call: CallInput) -> Outcome:
    return Returned(value=2 * call.args[0], args=call.args)


def wrong(call: CallInput) -> Outcome:
    return Returned(value=0, args=call.args)


def case(number: int, origin: CaseOrigin = "generated", *, expected: Outcome | None = None) -> Case:
    call = CallInput(args=(number,))
    return Case(id=f"{origin}-{number}", origin=origin, input=call, expected=expected or doubled(call))


CASES = (case(3), case(4), case(5))


@pytest.fixture
def target(tmp_path: Path) -> Target:
    (tmp_path / "numbers_.py").write_text("def double(x):\n    y = x\n    return x + y\n", encoding="utf-8")
    return find_target("numbers_.py::double", cwd=tmp_path)


async def measured(
    target: Target, sandbox: ScriptedSandbox, *, cases: tuple[Case, ...] = CASES, mode: Mode = "improve"
) -> Measurement:
    evidence = Evidence(mode=mode, cases=cases)
    candidate = Candidate(
        id="c1", model="m", variant="v", source=FASTER, replacement=Replacement(function=FASTER), digest="d"
    )
    known = await baseline(target, evidence, sandbox)
    return await measure(candidate, target=target, evidence=evidence, sandbox=sandbox, baseline=known)


def raced(sandbox: ScriptedSandbox) -> list[CallInput]:
    return [call for job in sandbox.jobs if isinstance(job, TimingJob) for call in job.inputs]


async def test_everything_about_a_candidate_is_measured(target: Target) -> None:
    found = await measured(target, ScriptedSandbox())
    assert found.speed is not None
    assert found.speed.ratio == pytest.approx(2.0)
    assert found.speed.faster
    assert found.speed.inputs == 3
    assert found.memory is not None
    assert (found.memory.peak_bytes, found.memory.ratio) == (1002, pytest.approx(1002 / 4002))
    assert found.readability is not None
    assert found.readability.lines == 2
    assert (found.diff.added, found.diff.removed) == (1, 2)
    assert found.notes == ()


async def test_the_original_is_measured_once_and_is_not_raced_against_itself(target: Target) -> None:
    sandbox = ScriptedSandbox()
    known = await baseline(target, Evidence(mode="improve", cases=CASES), sandbox)
    assert [type(job) for job in sandbox.jobs] == [CallsJob]
    assert known.measurement.memory is not None
    assert known.measurement.memory.peak_bytes == 4002
    assert known.measurement.readability is not None
    assert known.measurement.speed is None


async def test_a_wrong_answer_in_the_timed_run_voids_the_speed(target: Target) -> None:
    found = await measured(target, ScriptedSandbox(answer=wrong))
    assert found.speed is None
    assert found.mismatch
    assert "wrong in the timed run" in found.notes


async def test_an_original_that_changes_its_mind_is_not_blamed_on_the_candidate(target: Target) -> None:
    found = await measured(target, ScriptedSandbox(original_answer=wrong))
    assert found.speed is None
    assert any("the original itself" in note for note in found.notes)
    assert not found.mismatch


async def test_a_candidate_that_dies_in_the_race_has_no_speed_and_a_note(target: Target) -> None:
    found = await measured(target, ScriptedSandbox(race_failure=Died(reason="signal", detail="SIGSEGV")))
    assert found.speed is None
    assert any("the candidate failed" in note and "SIGSEGV" in note for note in found.notes)


async def test_a_broken_sandbox_is_raised_and_not_held_against_the_candidate(target: Target) -> None:
    with pytest.raises(SandboxBroken):
        await measured(target, ScriptedSandbox(broken=True))


@pytest.mark.parametrize("mode", ["repair", "implement"])
async def test_without_a_working_original_nothing_is_raced(target: Target, mode: Mode) -> None:
    sandbox = ScriptedSandbox()
    found = await measured(target, sandbox, mode=mode)
    assert found.speed is None
    assert NOTHING_TO_COMPARE in found.notes
    assert raced(sandbox) == []
    assert found.memory is not None
    assert found.memory.ratio is None


async def test_only_inputs_on_which_the_original_returns_are_timed(target: Target) -> None:
    sandbox = ScriptedSandbox()
    unknown = Case(id="u", origin="generated", input=CallInput(args=(8,)))
    await measured(target, sandbox, cases=(case(7), case(9, expected=Raised(type="ValueError")), unknown))
    assert [call.args for call in raced(sandbox)] == [(7,)]


async def test_without_such_an_input_the_speed_is_not_measured(target: Target) -> None:
    found = await measured(target, ScriptedSandbox(), cases=(case(9, expected=Raised(type="ValueError")),))
    assert found.speed is None
    assert found.memory is None
    assert any("no input is known" in note for note in found.notes)


async def test_equal_inputs_are_timed_once(target: Target) -> None:
    sandbox = ScriptedSandbox()
    await measured(target, sandbox, cases=(case(3, "recorded"), case(4), case(3)))
    assert [call.args for call in raced(sandbox)] == [(3,), (4,)]


async def test_of_many_inputs_the_large_ones_of_every_origin_are_timed_in_their_order(target: Target) -> None:
    sandbox = ScriptedSandbox()
    doctests = (case(1, "doctest"), case(2, "doctest"))
    generated = tuple(case(number) for number in range(1000, 1200))
    await measured(target, sandbox, cases=(*doctests, *generated))
    assert [call.args[0] for call in raced(sandbox)] == [1, 2, *range(1152, 1200)]


async def test_inputs_that_take_the_original_too_long_are_left_out_the_large_ones_first(target: Target) -> None:
    sandbox = ScriptedSandbox(seconds_per_input=0.5)
    await measured(target, sandbox, cases=tuple(case(number) for number in (900, 5, 70, 8000)))
    assert [call.args for call in raced(sandbox)] == [(5,), (70,)]


async def test_memory_is_not_compared_when_a_call_fails_under_tracing(target: Target) -> None:
    def dies(call: CallInput) -> Outcome:
        return Died(reason="memory")

    found = await measured(target, ScriptedSandbox(answer=dies))
    assert found.memory is None
    assert any("memory not measured" in note for note in found.notes)
