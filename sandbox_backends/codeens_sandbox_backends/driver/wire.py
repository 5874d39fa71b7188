"""What workers may say. Anything that is not exactly one of these breaks the protocol."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from codeens_sandbox_backends.jobs import RecordedCall, TestReport
from codeens_sandbox_backends.programs import CallInput, Raised, Returned, Unencodable


class WorkerMessage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every message carries the nonce of its job; before the first request it is empty."""

    nonce: str


class Up(WorkerMessage, frozen=True, kw_only=True):
    """The worker is there. `up` is its Python version."""

    up: str


class LivePlace(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose code stands under the function's name."""

    path: str
    line: int
    python: str
    """Version of the interpreter, as `3.11`."""
    what: str = ""
    """Name of a thing that has no Python code."""
    holder: str = ""
    """Type of what holds the function, where it is not called by its name."""
    variables: tuple[str, ...] = ()
    too_large: tuple[str, ...] = ()
    """Where effects are watched: variables that are looked at after each call, and those that are too large for it."""
    loading: dict[str, str] = {}
    """Where that is watched: digests of all that loading has left, by channel of effects."""


class LoadReply(WorkerMessage, frozen=True, kw_only=True):
    """CallAnswer to `load`."""

    loaded: LivePlace | None = None
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


class LineCounts(WorkerMessage, frozen=True, kw_only=True):
    """CallAnswer to `counts`."""

    counts: tuple[tuple[int, int], ...]


class EndOfFork(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the fork that served a sample ended."""

    signal: int | None = None
    exit: int | None = None


class SampleAnswer(WorkerMessage, frozen=True, kw_only=True):
    """All that a block, a side or a sample may answer: exactly one of these, or the fields of a `CallAnswer`."""

    ready: Literal[True] | None = None
    unready: Raised | None = None
    loaded: LivePlace | None = None
    failed: Raised | None = None
    done: Literal[True] | None = None
    digests: tuple[str | None, ...] | None = None
    died: EndOfFork | None = None
    index: int | None = None
    outcome: Returned | Raised | Unencodable | None = None
    same: bool = False


class SuiteEnd(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The suite is over. `failure` is a sentence, or what was raised outside of any test."""

    dropped: int
    unencodable: tuple[str, ...]
    failure: str | Raised | None
    modules: tuple[str, ...] = ()
    peeked: tuple[str, ...] = ()


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
    waits: tuple[int, ...]
    """Indexes of calls whose arguments tell what an earlier call should return."""


class CheckMessage(WorkerMessage, frozen=True, kw_only=True):
    """The tests call the function, are over (`verdict`; null is passed), or have been given up."""

    call: CallInput | None = None
    verdict: Raised | Unencodable | UnsetType | None = UNSET
    used: int = 0
    """How many of the known answers the tests took."""
    mispredicted: bool = False
    """They called with other arguments than the next known answer is for."""
    given_up: bool = False
