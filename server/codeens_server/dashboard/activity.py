"""What a run of this process is at: its candidates on their way, its sandboxes, and how fast it spends."""

from __future__ import annotations

import time

from msgspec import Struct

from codeens import RunStream
from codeens_sandbox_backends.base import NodeState


class Activity(Struct, frozen=True, kw_only=True):
    """A run under way, as it is now."""

    run_id: str
    planned: int
    """Answers that were asked for."""
    generated: int
    """Answers that came."""
    waiting: int
    """Candidates without a verdict."""
    judged: int
    measured: int
    at_work: int
    """Jobs that run in sandboxes."""
    parallel: int
    """How many may run at once."""
    queued: int
    """Jobs that wait for a sandbox."""
    cost_usd: float
    usd_per_minute: float
    """Since this process is at it."""
    nodes: tuple[NodeState, ...] = ()
    """Of the cluster that its sandboxes are on."""


class Clock:
    """When a run was begun here, and what it had cost by then."""

    def __init__(self, stream: RunStream) -> None:
        self._stream = stream
        self._began = time.monotonic()
        self._paid = stream.state.cost_usd

    def activity(self) -> Activity:
        """Return what the run is at."""
        state, turns = self._stream.state, self._stream.turns
        minutes = max(time.monotonic() - self._began, 1.0) / 60
        settled = len(state.verdicts.keys() | state.not_run.keys())
        return Activity(
            run_id=state.run_id,
            planned=max(state.planned, state.generated),
            generated=state.generated,
            waiting=max(0, len(state.candidates) - settled),
            judged=settled,
            measured=len(state.measurements),
            at_work=turns.at_work,
            parallel=turns.parallel,
            queued=turns.waiting,
            cost_usd=state.cost_usd,
            usd_per_minute=max(0.0, state.cost_usd - self._paid) / minutes,
            nodes=self._stream.nodes,
        )
