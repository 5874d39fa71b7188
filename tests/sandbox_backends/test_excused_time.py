"""How far deadlines are put off for what a busy machine took."""

from __future__ import annotations

import socket

import pytest

from codeens_sandbox_backends.driver import session
from codeens_sandbox_backends.driver.launcher import ExitStatus, TellsStarvation
from codeens_sandbox_backends.driver.session import UsageTotals
from codeens_sandbox_backends.host.pidfd import Scheduling
from codeens_sandbox_backends.jobs import Limits


class Worker(TellsStarvation):
    """A worker that had certain turns."""

    def __init__(self, turns: Scheduling) -> None:
        self.channel = socket.socket()
        self.channel.close()
        self._turns = turns

    def turns(self) -> Scheduling:
        return self._turns

    def kill(self) -> None:
        """Nothing runs."""

    def wait(self, timeout: float) -> ExitStatus:
        return ExitStatus(exit_code=0 if timeout else 1)


@pytest.mark.parametrize(
    ("turns", "own_s", "excused_s"),
    [
        (Scheduling(starved_s=12.0, ran_s=8.0), 7.0, 12.0),
        (Scheduling(starved_s=1.0, ran_s=2.0), 7.0, 8.0),
        (Scheduling(starved_s=1.0, ran_s=15.0), 7.0, 5.0),
    ],
)
def test_what_the_judge_waits_for_while_the_worker_runs_or_waits_excuses_nothing(
    monkeypatch: pytest.MonkeyPatch, turns: Scheduling, own_s: float, excused_s: float
) -> None:
    now, starved = [100.0], [0.0]
    monkeypatch.setattr(session, "monotonic", lambda: now[0])
    monkeypatch.setattr(session, "own_starved_s", lambda: starved[0])
    totals = UsageTotals(Limits())
    totals.watch(Worker(turns), 0.0)
    now[0], starved[0] = 120.0, own_s
    totals.look()
    assert totals.excused_s == excused_s
