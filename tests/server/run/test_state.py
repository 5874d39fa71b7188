"""The fold: what a list of events says of a run."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from codeens_server.domain.measurement import Measurement
from codeens_server.errors import RunError
from codeens_server.run.events import (
    CandidateGenerated,
    CandidateMeasured,
    CandidatePlanned,
    GenerationFailed,
    Noted,
    Progress,
    RunFinished,
    RunResumed,
    RunStopped,
    SandboxFailed,
)
from codeens_server.run.state import RunState
from tests.server import facts


@pytest.fixture
def state(tmp_path: Path) -> RunState:
    return RunState.of([*facts.found(facts.target_in(tmp_path)), CandidatePlanned(count=4)])


def test_counts_cost_and_the_best_so_far_are_those_of_the_events(state: RunState) -> None:
    assert (state.planned, state.generated, state.executed, state.measured, state.passed) == (4, 3, 2, 1, 1)
    assert state.cost_usd == pytest.approx(0.006)
    assert state.best == "c1"
    assert state.duplicates == {"c2": "c1"}
    assert state.candidates["c1"].same_as == ("maker/small · performance",)
    assert state.seq == len(facts.found(state.target)) + 1


def test_before_anything_is_measured_there_is_no_best(state: RunState) -> None:
    assert RunState.of(facts.found(state.target)[:-1]).best is None


def test_a_round_that_is_planned_again_is_counted_once(state: RunState) -> None:
    state.apply(CandidatePlanned(count=4))
    state.apply(CandidatePlanned(count=2, round=1))
    assert state.planned == 6


def test_progress_is_no_part_of_the_log(state: RunState) -> None:
    before = state.seq
    state.apply(Progress(message="running 3 test files"))
    assert (state.seq, state.doing) == (before, "running 3 test files")


def test_an_answer_that_came_after_a_failed_call_takes_its_note_away(state: RunState) -> None:
    state.apply(GenerationFailed(call="c4", model="m", variant="v", why="429"))
    assert state.failures == ("m · v: 429",)
    state.apply(RunResumed())
    assert state.failures == ()
    state.apply(GenerationFailed(call="c4", model="m", variant="v", why="timeout", remedy="later"))
    (failed,) = state.model_failures
    assert (failed.model, failed.remedy, failed.calls, failed.answers, state.models_asked) == ("m", "later", 1, 0, 2)
    state.apply(CandidateGenerated(candidate=facts.candidate("c4", "def total(items): ...")))
    assert state.failures == ()
    assert state.model_failures == ()


def test_an_unusable_reply_that_was_paid_for_is_never_asked_for_again(state: RunState) -> None:
    failed = GenerationFailed(call="c4", model="m", variant="v", why="no code", cost_usd=None, tokens=70)
    state.apply(replace(failed, can_retry=False))
    state.apply(RunResumed())
    assert "c4" in state.answered
    assert (state.failures, state.cost_known, state.tokens) == (("m · v: no code",), False, 70)


def test_notes_of_what_is_tried_again_go_and_those_that_stay_true_remain(state: RunState) -> None:
    state.apply(Noted(kind="original", message="nothing was measured: it broke"))
    state.apply(Noted(kind="budget", message="the price is not known"))
    state.apply(SandboxFailed(candidate_id="c3", why="it was killed"))
    assert len(state.failures) == 3
    state.apply(RunResumed())
    assert state.failures == ("the price is not known",)
    assert state.not_run == {}


def test_a_run_that_is_gone_on_with_is_neither_stopped_nor_finished(state: RunState) -> None:
    state.apply(RunStopped(reason="budget"))
    state.apply(RunFinished(run=facts.run_document(state.run_id, state.target, stopped="budget")))
    assert (state.stopped, state.document is None) == ("budget", False)
    state.apply(RunResumed())
    assert (state.stopped, state.document) == (None, None)


def test_a_run_cancelled_after_its_budget_was_used_up_is_cancelled(state: RunState) -> None:
    state.apply(RunStopped(reason="budget"))
    state.apply(RunStopped(reason="cancelled"))
    state.apply(RunStopped(reason="timeout"))
    assert state.stopped == "cancelled"


def test_a_measurement_with_other_answers_takes_the_verdict_back(state: RunState) -> None:
    state.apply(CandidateMeasured(candidate_id="c1", measurement=Measurement(mismatch=True)))
    assert (state.verdicts["c1"].status, state.passed, state.unmeasured()) == ("failed", 0, [])
    state.apply(RunResumed())
    assert state.passed == 0
    state.apply(RunResumed(judge_again=True))
    assert [candidate.id for candidate in state.unjudged()] == ["c1", "c3"]


def test_a_log_without_its_beginning_is_refused() -> None:
    with pytest.raises(RunError, match="does not begin with its start"):
        RunState.of([RunResumed()])
