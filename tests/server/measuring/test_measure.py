"""Measuring a candidate through a sandbox that answers what the test says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codeens_sandbox_backends.base import IsolationLevel
from codeens_sandbox_backends.errors import SandboxBroken
from codeens_sandbox_backends.jobs import CallsJob, CallsResult, Usage
from codeens_sandbox_backends.programs import CallInput, Died, Outcome, Raised, Returned
from codeens_sandbox_backends.races import RaceJob, RacePlan, RaceResult, SideTimes
from codeens_server.domain.evidence import Case, Evidence
from codeens_server.domain.measurement import Measurement
from codeens_server.domain.target import Candidate, Replacement, Target
from codeens_server.domain.terms import CaseOrigin, Mode
from codeens_server.measuring.measure import baseline, measure
from codeens_server.measuring.race import NOTHING_TO_COMPARE, Entrant, claimable, race, with_speed, without_race
from codeens_server.workspace.edit import program_for
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
        watched: Callable[[CallInput], Outcome] | None = None,
        seen_mib: int = 20,
        raced: Callable[[CallInput], Outcome] | None = None,
    ) -> None:
        self.jobs: list[CallsJob | RaceJob] = []
        self._answer = answer or doubled
        self._original_answer = original_answer or doubled
        self._race_failure = race_failure
        self._seconds_per_input = seconds_per_input
        self._broken = broken
        self._watched = watched or self._answer
        self._seen_mib = seen_mib
        self._raced = raced

    async def run(self, job: Any) -> Any:
        if self._broken:
            raise SandboxBroken("gone")
        self.jobs.append(job)
        return self._race(job) if isinstance(job, RaceJob) else self._calls(job)

    def _calls(self, job: CallsJob) -> CallsResult:
        is_candidate = "2 * x" in job.program.modules[0].source
        answer = self._answer if is_candidate else self._original_answer
        peak = 1000 if is_candidate else 4000
        return CallsResult(
            outcomes=tuple(answer(call) for call in job.inputs),
            loaded=True,
            usage=Usage(wall_s=self._seconds_per_input * len(job.inputs)),
            took_s=(self._seconds_per_input,) * len(job.inputs),
            peak_bytes=tuple(peak + index for index, _ in enumerate(job.inputs)),
            watched=tuple(self._watched(call) if is_candidate else answer(call) for call in job.inputs),
            watched_rss_bytes=(self._seen_mib if is_candidate else 20) << 20,
        )

    def _race(self, job: RaceJob) -> RaceResult:
        assert len(job.candidates) == 1
        return RaceResult(
            rounds=(timed(0.02, 0.01, parts=len(job.parts)),) * job.rounds,
            plans=(RacePlan(groups=((0, len(job.inputs)),), inner=1),) * 2,
            outcomes=tuple(
                tuple(map(self._raced or answer, job.inputs)) for answer in (self._original_answer, self._answer)
            ),
            failures=(None, self._race_failure),
            clock="processor",
        )

    async def aclose(self) -> None:
        return None


def timed(*passes_s: float, parts: int = 1) -> tuple[SideTimes, ...]:
    """A round in which each side needs so long for a pass, all parts alike, and nothing else takes any time."""
    return tuple(
        SideTimes(
            passes_s=(seconds,),
            busy_passes_s=(seconds,),
            first_s=seconds,
            busy_first_s=seconds,
            load_s=0.0,
            parts_s=((seconds / parts,),) * parts if parts > 1 else (),
        )
        for seconds in passes_s
    )


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
    target: Target,
    sandbox: ScriptedSandbox,
    *,
    cases: tuple[Case, ...] = CASES,
    mode: Mode = "improve",
    source: str = FASTER,
    fresh: tuple[Case, ...] | None = None,
) -> Measurement:
    evidence = Evidence(mode=mode, cases=cases)
    candidate = Candidate(
        id="c1", model="m", variant="v", source=source, replacement=Replacement(function=source), digest="d"
    )
    known = await baseline(target, evidence, sandbox, cases if fresh is None else fresh)
    found = await measure(candidate, target=target, sandbox=sandbox, baseline=known)
    speed = await without_race(candidate, target=target, baseline=known)
    if speed is None:
        program = program_for(target, candidate.replacement)
        ((_, speed),) = [decided async for decided in race(known, [Entrant(program=program)], sandbox)]
    return with_speed(found, claimable(speed, candidate, known))


def raced(sandbox: ScriptedSandbox) -> list[CallInput]:
    return [call for job in sandbox.jobs if isinstance(job, RaceJob) for call in job.inputs]


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


async def test_only_cases_that_nobody_has_seen_are_timed(target: Target) -> None:
    sandbox = ScriptedSandbox()
    found = await measured(target, sandbox, cases=(case(9), case(10)), fresh=CASES)
    assert raced(sandbox) == [item.input for item in CASES]
    assert found.speed is not None
    assert found.speed.faster


async def test_a_model_that_may_have_seen_all_inputs_is_not_called_faster(target: Target) -> None:
    found = await measured(target, ScriptedSandbox(), fresh=())
    assert found.speed is not None
    assert found.speed.ratio == pytest.approx(2.0)
    assert not found.speed.faster
    assert "can be looked up" in found.speed.note


async def test_the_original_is_measured_once_and_is_not_raced_against_itself(target: Target) -> None:
    sandbox = ScriptedSandbox()
    known = await baseline(target, Evidence(mode="improve", cases=CASES), sandbox)
    assert [type(job) for job in sandbox.jobs] == [CallsJob, CallsJob]
    assert known.measurement.memory is not None
    assert known.measurement.memory.peak_bytes == 4002
    assert known.measurement.readability is not None
    assert known.measurement.speed is None


async def test_a_candidate_of_the_same_bytecode_is_not_raced_and_is_as_fast(target: Target) -> None:
    sandbox = ScriptedSandbox()
    found = await measured(target, sandbox, source="def double(x: int) -> int:\n    y = (x)\n    return x + y  # sum\n")
    assert raced(sandbox) == []
    assert found.speed is not None
    assert (found.speed.low, found.speed.ratio, found.speed.high) == (1.0, 1.0, 1.0)
    assert found.speed.note == "same bytecode, same speed"
    assert found.memory is not None
    assert found.memory.ratio == 1.0


async def test_a_wrong_answer_while_memory_is_watched_is_a_wrong_answer(target: Target) -> None:
    found = await measured(target, ScriptedSandbox(watched=wrong))
    assert (found.memory, found.mismatch) == (None, True)
    assert found.notes == ("wrong while its memory was measured",)


async def test_memory_that_is_seen_outside_and_not_told_of_is_not_believed(target: Target) -> None:
    found = await measured(target, ScriptedSandbox(seen_mib=60))
    assert (found.memory, found.mismatch) == (None, False)
    (note,) = found.notes
    assert "disagree" in note
    assert "process 60.0 MiB, the original's 20.0 MiB" in note


async def test_a_wrong_answer_in_the_timed_run_voids_the_speed(target: Target) -> None:
    found = await measured(target, ScriptedSandbox(answer=wrong))
    assert found.speed is None
    assert found.mismatch
    assert "wrong in the timed run" in found.notes


@pytest.mark.parametrize(
    "sandbox",
    [
        pytest.param(ScriptedSandbox(original_answer=wrong), id="alone"),
        pytest.param(ScriptedSandbox(original_answer=wrong, answer=wrong), id="as the candidate does"),
        pytest.param(ScriptedSandbox(raced=wrong), id="as the candidate does, when it is raced"),
    ],
)
async def test_an_original_that_changes_its_mind_is_not_blamed_on_the_candidate(
    target: Target, sandbox: ScriptedSandbox
) -> None:
    found = await measured(target, sandbox)
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
    doctests = (case(1, "doctest"), case(3, "doctest"))
    generated = tuple(case(number) for number in range(1000, 1200))
    await measured(target, sandbox, cases=(*doctests, *generated))
    assert [call.args[0] for call in raced(sandbox)] == [1, 3, *range(1152, 1200)]


async def test_inputs_that_take_the_original_too_long_are_left_out_the_large_ones_first(target: Target) -> None:
    sandbox = ScriptedSandbox(seconds_per_input=0.05)
    await measured(target, sandbox, cases=tuple(case(number) for number in (900, 5, 70, 8000)))
    assert [call.args for call in raced(sandbox)] == [(5,), (70,)]


async def test_memory_is_not_compared_when_a_call_fails_under_tracing(target: Target) -> None:
    def dies(call: CallInput) -> Outcome:
        return Died(reason="memory")

    found = await measured(target, ScriptedSandbox(answer=dies))
    assert found.memory is None
    assert any("memory not measured" in note for note in found.notes)
