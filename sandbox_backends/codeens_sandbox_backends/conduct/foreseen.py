"""What calls a check makes, remembered from one candidate to the next, so that they can be sent in one batch."""

from __future__ import annotations

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

_Key = tuple[str, str, str]


class Foresight(NamedTuple):
    """What calls a check will probably make."""

    calls: tuple[CallInput, ...] = ()
    whole: bool = False
    """No further ones are expected."""


class _Seen(NamedTuple):
    foresight: Foresight
    passed: bool


class Foreseen:
    """Calls by check. Thread-safe.

    A test that draws random inputs makes the same calls each time: its generator is seeded alike, with a number that
    differs from one `Foreseen` to the next.
    """

    def __init__(self) -> None:
        self.seed = secrets.randbits(64)
        self._seen: OrderedDict[_Key, _Seen] = OrderedDict()
        self._lock = threading.Lock()

    def calls(self, job: CheckJob) -> Foresight | None:
        """None where nothing is known."""
        with self._lock:
            seen = self._seen.get(_key(job))
        return seen.foresight if seen else None

    def learn(self, job: CheckJob, calls: Sequence[CallInput], *, passed: bool, wrong: bool = False) -> None:
        """Remember what calls a check has made; one that a candidate passed tells more than one that it failed.

        `wrong`: it made others than those that were foreseen, so that others are expected again.
        """
        key = _key(job)
        with self._lock:
            seen = self._seen.get(key)
            worth_more = wrong or seen is None or (passed, len(calls)) > (seen.passed, len(seen.foresight.calls))
        if worth_more and len(msgspec.json.encode(calls)) <= _BYTES_AT_MOST:
            with self._lock:
                self._seen[key] = _Seen(Foresight(tuple(calls), passed and not wrong), passed)
                while len(self._seen) > _CHECKS_AT_MOST:
                    self._seen.popitem(last=False)


def _key(job: CheckJob) -> _Key:
    return job.tests, job.prelude, job.name
