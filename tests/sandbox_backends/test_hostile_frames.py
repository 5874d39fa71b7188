"""Spoilt frames of every kind of worker, read by the real judge from a real socket."""

from __future__ import annotations

import random
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from codeens_sandbox_backends.driver.launcher import WorkerKind
from codeens_sandbox_backends.jobs import CallsResult, CheckResult, SuiteResult
from codeens_sandbox_backends.programs import Died, Returned
from codeens_sandbox_backends.worker.values.codec import encode
from tests.sandbox_backends.hostile_frames import JOBS, PLACE, RIGHT, judged, spoilt, spoilt_bytes
from tests.sandbox_backends.values import VALUES

KINDS: list[WorkerKind] = list(JOBS)
# By a seed alone: how much of it is drawn depends on how far a job gets.
Rngs = st.randoms(use_true_random=True)
FUZZED = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
_SPOILT = 0.5
RUNS_CODE = ("exec", "compile", "os.exec", "os.system", "os.posix_spawn", "subprocess.Popen", "pickle.find_class")


class _Watch:
    """Sees whether anything is run. A hook cannot be taken out again, so there is one for all tests."""

    def __init__(self) -> None:
        self.on = False
        self.seen: list[str] = []
        self._installed = False

    def install(self) -> None:
        if not self._installed:
            sys.addaudithook(self._hear)
            self._installed = True

    def _hear(self, event: str, _: tuple[Any, ...]) -> None:
        if self.on and event in RUNS_CODE:
            self.seen.append(event)


WATCH = _Watch()


@contextmanager
def nothing_runs() -> Generator[None]:
    """Fails when code is compiled or run meanwhile."""
    WATCH.install()
    WATCH.on, WATCH.seen = True, []
    try:
        yield
    finally:
        WATCH.on = False
    assert WATCH.seen == []


@pytest.fixture(autouse=True, scope="module")
def imported() -> None:
    """Have all there that is imported when it is first used: to import is to run code as well."""
    for kind in KINDS:
        judged(kind, RIGHT[kind])


def test_what_is_right_is_believed() -> None:
    calls, check, suite = (judged(kind, RIGHT[kind]) for kind in KINDS)
    assert isinstance(calls, CallsResult)
    assert calls.outcomes[0] == Returned(value=5, args=(1,))
    assert isinstance(check, CheckResult)
    assert check.passed
    assert isinstance(suite, SuiteResult)
    assert (len(suite.tests), len(suite.recorded), suite.failure) == (1, 1, None)


def test_the_watch_notices_code_that_runs() -> None:
    with pytest.raises(AssertionError), nothing_runs():
        exec("pass")


@seed(1)
@given(st.sampled_from(KINDS), Rngs)
@FUZZED
def test_a_spoilt_message_is_refused_or_taken_for_what_it_says(kind: WorkerKind, rng: random.Random) -> None:
    replies = [[spoilt(message, rng) for message in messages] for messages in RIGHT[kind]]
    with nothing_runs():
        judged(kind, replies)


@seed(2)
@given(st.sampled_from(KINDS), Rngs)
@FUZZED
def test_spoilt_bytes_are_refused_or_taken_for_what_they_say(kind: WorkerKind, rng: random.Random) -> None:
    with nothing_runs():
        judged(kind, RIGHT[kind], lambda data: spoilt_bytes(data, rng) if rng.random() < _SPOILT else data)


@seed(3)
@given(VALUES, Rngs)
@FUZZED
def test_a_spoilt_value_is_refused_or_another_value(value: Any, rng: random.Random) -> None:
    tree = spoilt(encode(value), rng)
    reply: dict[str, Any] = {"index": 0, "outcome": {"kind": "returned", "value": tree, "args": []}}
    with nothing_runs():
        result = judged("calls", [[{"loaded": PLACE}], [reply]])
    assert isinstance(result, CallsResult)
    assert isinstance(result.outcomes[0], Died) or result.outcomes[0] == Returned(value=tree)
