"""Which right answers are improved on, and when nothing can change."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from codeens_server.domain.measurement import Interval, Measurement, Memory, Readability
from codeens_server.domain.terms import Goal
from codeens_server.run.events import (
    CandidateGenerated,
    CandidateJudged,
    CandidateMeasured,
    EvidenceGathered,
    OriginalMeasured,
)
from codeens_server.run.state import RunState
from codeens_server.search.front import front
from codeens_server.search.settled import why_settled
from tests.server import facts

LOOP = "def total(items):\n    result = 0\n    for item in items:\n        result += item\n    return result\n"
FOLD = "def total(items):\n    return reduce(add, items, 0)\n"


def measured(low: float = 1.0, memory: float = 1.0, points: float = 50.0) -> Measurement:
    return Measurement(
        speed=Interval(ratio=low * 1.05, low=low, high=low * 1.1, candidate_s=0.001, inputs=10),
        memory=Memory(peak_bytes=int(memory * 1e6), ratio=memory),
        readability=Readability(cyclomatic=1, cognitive=0, lines=2, findings=0, score=points),
    )


def state_with(folder: Path, *answers: tuple[str, str, int, Measurement], goal: Goal = "speed") -> RunState:
    """A run in which these passed: id, source, round, what was measured."""
    started, *rest = facts.found(facts.target_in(folder))
    assert isinstance(started, facts.RunStarted)
    gathered = [event for event in rest if isinstance(event, EvidenceGathered)]
    state = RunState.of(
        [
            replace(started, request=replace(started.request, goal=goal)),
            *gathered,
            OriginalMeasured(measurement=measured()),
        ]
    )
    for identity, source, number, found in answers:
        candidate = replace(facts.candidate(identity, source), round=number)
        twin = state.twin_of(candidate)
        state.apply(CandidateGenerated(candidate=candidate, duplicate_of=twin))
        if twin is None:
            state.apply(CandidateJudged(candidate_id=identity, verdict=facts.passed()))
            state.apply(CandidateMeasured(candidate_id=identity, measurement=found))
    return state


def test_what_is_beaten_in_all_that_is_proven_is_left_and_the_goal_says_who_is_first(tmp_path: Path) -> None:
    answers = (
        ("fast", LOOP, 0, measured(4.0, memory=2.0)),
        ("small", FOLD, 0, measured(2.0, memory=0.5)),
        ("beaten", facts.FASTER, 0, measured(1.5, memory=0.7)),
    )

    by_speed = front(state_with(tmp_path, *answers), 1)
    by_memory = front(state_with(tmp_path, *answers, goal="memory"), 1)

    assert [candidate.id for candidate in by_speed] == ["fast", "small"]
    assert [candidate.id for candidate in by_memory] == ["small", "fast"]


@pytest.mark.parametrize(
    ("goal", "second", "why"),
    [
        ("speed", measured(6.0), ""),
        ("speed", measured(3.0), ""),
        ("correctness", measured(6.0), "an answer is proven right, and none can be more so"),
        ("readability", measured(points=100.0), "the leader reads as easily as the measure can tell"),
    ],
)
def test_a_run_is_settled_once_nothing_can_lead_or_nothing_better_comes(
    tmp_path: Path, goal: Goal, second: Measurement, why: str
) -> None:
    state = state_with(tmp_path, ("one", LOOP, 0, measured(4.0)), ("two", FOLD, 1, second), goal=goal)

    assert why_settled(state, 2) == why


def test_six_right_answers_that_are_nothing_better_settle_a_run_and_a_leader_at_the_floor_does(tmp_path: Path) -> None:
    late = [(f"late{number}", LOOP if number % 2 else FOLD, 2, measured(2.0)) for number in range(6)]
    first = ("one", LOOP, 0, measured(4.0))
    floor = measured(4.0)
    assert floor.speed is not None
    least = replace(floor, speed=replace(floor.speed, candidate_s=5e-7))

    assert why_settled(state_with(tmp_path, first, *late), 3) == "the last 6 right answers were nothing better"
    assert why_settled(state_with(tmp_path, first, *late[1:]), 3) == ""
    assert why_settled(state_with(tmp_path, first, *late, ("new", facts.FASTER, 2, measured(5.0))), 3) == ""
    assert "takes no longer than a call" in why_settled(state_with(tmp_path, ("one", LOOP, 0, least)), 1)
