"""What workers may say. Anything that is not exactly one of these breaks the protocol."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from codeens_sandbox_backends.base import CallInput, Raised, RecordedCall, Returned, TestReport, Unencodable


class WorkerMessage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every message carries the nonce of its job; before the first request it is empty."""

    nonce: str


class Up(WorkerMessage, frozen=True, kw_only=True):
    """The worker is there. `up` is its Python version."""

    up: str


class LoadReply(WorkerMessage, frozen=True, kw_only=True):
    """CallAnswer to `load`."""

    loaded: Literal[True] | None = None
    failed: Raised | None = None


class CallAnswer(WorkerMessage, frozen=True, kw_only=True):
    """What came of one call."""

    index: int
    outcome: Returned | Raised | Unencodable
    same: bool = False
    """The arguments are as they were sent, and are not repeated."""
    peak: int = 0


class CoveredLines(WorkerMessage, frozen=True, kw_only=True):
    """CallAnswer to `lines`."""

    hit: tuple[int, ...]
    total: tuple[int, ...]


class EndOfFork(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the fork that served a sample ended."""

    signal: int | None = None
    exit: int | None = None


class SampleAnswer(WorkerMessage, frozen=True, kw_only=True):
    """All that a sample may answer: `ready` or `unready`, `done`, the fields of an `CallAnswer`, or `died`."""

    ready: Literal[True] | None = None
    unready: Raised | None = None
    done: Literal[True] | None = None
    died: EndOfFork | None = None
    index: int | None = None
    outcome: Returned | Raised | Unencodable | None = None
    same: bool = False


class SuiteEnd(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The suite is over. `failure` is a sentence, or what was raised outside of any test."""

    dropped: int
    unencodable: tuple[str, ...]
    failure: str | Raised | None


class SuiteMessage(WorkerMessage, frozen=True, kw_only=True):
    """One of: a test has ended, a call of the target was seen, all is over."""

    test: TestReport | None = None
    recorded: RecordedCall | None = None
    end: SuiteEnd | None = None


class GuessedCalls(WorkerMessage, frozen=True, kw_only=True):
    """Answer to `guess`."""

    calls: tuple[CallInput, ...]
    whole: bool
    """The tests came to their end."""


class CheckMessage(WorkerMessage, frozen=True, kw_only=True):
    """The tests call the function, are over (`verdict`; null is passed), or have been given up."""

    call: CallInput | None = None
    verdict: Raised | Unencodable | UnsetType | None = UNSET
    used: int = 0
    """How many of the known answers the tests took."""
    mispredicted: bool = False
    """They called with other arguments than the next known answer is for."""
    given_up: bool = False
