"""When a further round cannot change who leads, for the goal."""

from __future__ import annotations

from codeens_server.domain.target import Candidate
from codeens_server.domain.terms import OFFLINE, ORIGINAL
from codeens_server.run.state import RunState
from codeens_server.search.front import front

_CALL_S = 1e-7
"""What a call takes that does nothing: no code is faster."""
_BEST_READABILITY = 100.0
_ENOUGH = 6
"""Right answers in turn, none of which is better than all before: a choice, held to by `bench/search.py`."""


def why_settled(state: RunState, number: int) -> str:
    """Return why no answer of a round, or of a later one, can lead; empty: one may.

    Args:
        state: the run, with all rounds before this one done.
        number: the round, from 1.
    """
    best = front(state, number)
    if not best:
        return ""
    leader = state.measurements[best[0].id]
    if state.goal == "correctness":
        return "an answer is proven right, and none can be more so"
    if state.goal == "readability" and leader.readability and leader.readability.score >= _BEST_READABILITY:
        return "the leader reads as easily as the measure can tell"
    speed = leader.speed
    if state.goal == "speed" and speed and speed.inputs and 0 < speed.candidate_s / speed.inputs <= _CALL_S:
        return "the leader takes no longer than a call that does nothing"
    return _why_exhausted(state, number)


def _why_exhausted(state: RunState, number: int) -> str:
    newest = max(candidate.round for candidate in front(state, number))
    later = [
        answer
        for answer in state.answers.values()
        if newest < answer.round < number and answer.model != OFFLINE and _is_right(state, answer)
    ]
    return f"the last {len(later)} right answers were nothing better" if len(later) >= _ENOUGH else ""


def _is_right(state: RunState, answer: Candidate) -> bool:
    key = state.duplicates.get(answer.id, answer.id)
    verdict = state.verdicts.get(key)
    return key == ORIGINAL or (verdict is not None and verdict.passes)
