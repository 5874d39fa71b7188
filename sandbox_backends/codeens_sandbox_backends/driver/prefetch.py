"""What calls a check makes, remembered from one candidate to the next, so that they can be sent in one batch.

And what a worker said whose candidate passed: tests that are given the same answers to the same calls come to the same
verdict.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from codeens_sandbox_backends.base import CallInput, CheckJob

_CHECKS_AT_MOST = 1000
_BYTES_AT_MOST = 1 << 20
"""Of the calls of one check; more is not worth to be kept."""

_ANSWERS_AT_MOST = 16
"""Of one check that have passed and are remembered; right candidates hardly differ in them."""

_Key = tuple[str, str, str]


class PredictedCalls(NamedTuple):
    """What calls a check will probably make."""

    calls: tuple[CallInput, ...] = ()
    whole: bool = False
    """No further ones are expected."""


class _Seen(NamedTuple):
    predicted: PredictedCalls
    passed: bool
    right: frozenset[bytes] = frozenset()
    """Digests of what was said in answer to these calls, and has passed."""


class CallPrefetch:
    """Calls and right answers by check. Thread-safe.

    A test that draws random inputs makes the same calls each time: its generator is seeded alike, with a number that
    differs from one `CallPrefetch` to the next.
    """

    def __init__(self) -> None:
        self.seed = secrets.randbits(64)
        self._seen: OrderedDict[_Key, _Seen] = OrderedDict()
        self._lock = threading.Lock()

    def calls(self, job: CheckJob) -> PredictedCalls | None:
        """Return the predicted calls of a check; None if nothing is known."""
        with self._lock:
            seen = self._seen.get(_key(job))
        return seen.predicted if seen else None

    def is_right(self, job: CheckJob, predicted: PredictedCalls, said: bytes) -> bool:
        """Return whether this check has passed before with byte-identical replies to the same calls."""
        with self._lock:
            seen = self._seen.get(_key(job))
        if seen is None or not seen.right or seen.predicted is not predicted:
            return False
        return _digest(said) in seen.right

    def learn_right(self, job: CheckJob, predicted: PredictedCalls, said: bytes) -> None:
        """Remember that the check passed with these calls, no others, and these replies."""
        with self._lock:
            seen = self._seen.get(_key(job))
            if seen is not None and seen.predicted == predicted and len(seen.right) < _ANSWERS_AT_MOST:
                self._seen[_key(job)] = seen._replace(right=seen.right | {_digest(said)})

    def learn(self, job: CheckJob, calls: Sequence[CallInput], *, passed: bool, wrong: bool = False) -> None:
        """Remember the calls of a check; one that a candidate passed tells more than one that it failed.

        `wrong`: it made other calls than predicted, so its next calls are open again.
        """
        key = _key(job)
        with self._lock:
            seen = self._seen.get(key)
            worth_more = wrong or seen is None or (passed, len(calls)) > (seen.passed, len(seen.predicted.calls))
        if worth_more and len(msgspec.json.encode(calls)) <= _BYTES_AT_MOST:
            with self._lock:
                self._seen[key] = _Seen(PredictedCalls(tuple(calls), passed and not wrong), passed)
                while len(self._seen) > _CHECKS_AT_MOST:
                    self._seen.popitem(last=False)


def _digest(said: bytes) -> bytes:
    return hashlib.blake2b(said, digest_size=16).digest()


def _key(job: CheckJob) -> _Key:
    return job.tests, job.prelude, job.name
