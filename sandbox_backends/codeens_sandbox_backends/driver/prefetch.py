"""What calls a check makes, remembered from one candidate to the next, so that they can be made before the tests run.

And what a candidate that passed answered: tests that are given the same answers to the same calls come to the same
verdict. Neither holds for tests that look at a clock.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import msgspec

from codeens_sandbox_backends.jobs import CheckJob
from codeens_sandbox_backends.programs import CallInput

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
    waits: frozenset[int] = frozenset()
    """Indexes of calls that are not sent before all earlier ones are answered, for they tell of right answers."""

    def batches(self) -> Iterator[tuple[int, Sequence[CallInput]]]:
        """Yield calls that can be sent at once, each time with the index of the first."""
        starts = [0, *sorted(self.waits), len(self.calls)]
        for start, end in pairwise(starts):
            yield start, self.calls[start:end]


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

    def is_right(self, job: CheckJob, predicted: PredictedCalls, answers: bytes) -> bool:
        """Return whether this check has passed before with the same answers to the same calls."""
        with self._lock:
            seen = self._seen.get(_key(job))
        if seen is None or not seen.right or seen.predicted is not predicted:
            return False
        return _digest(answers) in seen.right

    def learn_right(self, job: CheckJob, predicted: PredictedCalls, answers: bytes) -> None:
        """Remember that the check passed with these calls, no others, and these answers."""
        with self._lock:
            seen = self._seen.get(_key(job))
            if seen is not None and seen.predicted == predicted and len(seen.right) < _ANSWERS_AT_MOST:
                self._seen[_key(job)] = seen._replace(right=seen.right | {_digest(answers)})

    def learn(self, job: CheckJob, made: PredictedCalls, *, passed: bool, wrong: bool = False) -> None:
        """Remember the calls of a check; one that a candidate passed tells more than one that it failed.

        `wrong`: it made other calls than predicted.
        """
        key = _key(job)
        count = len(made.calls)
        with self._lock:
            seen = self._seen.get(key)
            worth_more = wrong or seen is None or (passed, count) > (seen.passed, len(seen.predicted.calls))
        if worth_more and len(msgspec.json.encode(made.calls)) <= _BYTES_AT_MOST:
            with self._lock:
                self._seen[key] = _Seen(made, passed)
                while len(self._seen) > _CHECKS_AT_MOST:
                    self._seen.popitem(last=False)


_CLOCKS = re.compile(
    r"\b(?:time|timeit|perf_counter|monotonic|process_time|thread_time|clock_gettime|datetime\s*\.\s*(?:now|utcnow)"
    r"|signal|alarm|setitimer|resource|getrusage|threading|asyncio|timeout\w*|func_timeout)(?:_ns)?\b"
)
"""Names by which tests learn what a call takes. One too many costs only the time that predictions save."""


def looks_at_clock(job: CheckJob) -> bool:
    """Return whether tests may measure or bound the time of their calls, which answers made before take none of."""
    return _names_clock(job.tests) or _names_clock(job.prelude)


@lru_cache(maxsize=256)
def _names_clock(source: str) -> bool:
    """Search the tests of a task once: they are run for each of its candidates."""
    return _CLOCKS.search(source) is not None


def _digest(answers: bytes) -> bytes:
    return hashlib.blake2b(answers, digest_size=16).digest()


def _key(job: CheckJob) -> _Key:
    return job.tests, job.prelude, job.name
