"""What the judge says of a candidate."""

from __future__ import annotations

from msgspec import Struct

from codeens_sandbox_backends.programs import CallInput
from codeens_server.domain.terms import PASSING, ConditionKind, EvidenceGrade, Isolation, Status

_HOLDS = "\N{CHECK MARK}"


class Failure(Struct, frozen=True, kw_only=True):
    """The first thing a candidate did wrong, told so that a person can check it."""

    where: str
    """A call as one would write it, or a test id."""
    expected: str = ""
    got: str = ""
    traceback: str = ""


class Condition(Struct, frozen=True, kw_only=True):
    """One way in which a candidate deviates from what it is held to, and on which inputs."""

    kind: ConditionKind
    said: str
    """As a sentence goes on: "floats differ by at most 3e-16 relative"."""
    detail: str = ""
    """What the inputs have in common, where that is known: "width 0"."""
    count: int
    total: int
    """Of so many inputs whose outcome is known."""
    input: CallInput
    """The smallest of them."""
    call: str
    """The call with it as one would write it."""
    expected: str
    got: str

    @property
    def text(self) -> str:
        """The condition as people read it: what deviates, and on how many inputs."""
        detail = f": {self.detail}" if self.detail else ""
        return f"{self.said} ({self.count} of {self.total} input{'s' * (self.total != 1)}{detail})"


class EnvironmentVerdict(Struct, frozen=True, kw_only=True):
    """What the judge says of a candidate in one interpreter."""

    python: str
    """Version; with its path where two have the same."""
    status: Status
    short: str = ""
    """Why it does not hold there, in a word or two: "RecursionError"."""
    reason: str = ""
    passed: int = 0
    total: int = 0
    tests_passed: int = 0
    tests_total: int = 0


class Verdict(Struct, frozen=True, kw_only=True):
    """What the judge says of one candidate, and on what ground."""

    status: Status
    passed: int = 0
    total: int = 0
    """Checks of any kind: cases with a known outcome, and tests."""
    tests_passed: int = 0
    tests_total: int = 0
    evidence: EvidenceGrade = "none"
    isolation: Isolation = "none"
    sandbox: str = ""
    """The backend and its isolation: "local: bubblewrap, …"; "unsafe: NOT ISOLATED"."""
    reason: str = ""
    """One line for a rejection; empty when passed."""
    failure: Failure | None = None
    compared: tuple[str, ...] = ()
    """What was held against the original, in words: "result", "2 arguments", "printed text", "no files"."""
    uncompared: tuple[str, ...] = ()
    """What could not be, in words; nothing that rests on it makes the candidate best."""
    conditions: tuple[Condition, ...] = ()
    """On what a candidate passes that is not equal on all inputs."""
    set_aside: tuple[str, ...] = ()
    """Tests that ended in different ways on the same code while this candidate was judged, and so did not count."""
    searched: int = 0
    """Further inputs, made for this candidate alone, on which it did what the original does."""
    unreached: tuple[str, ...] = ()
    """Lines of its function that no known input ran: what they do was not compared."""
    environments: tuple[EnvironmentVerdict, ...] = ()
    """For each interpreter asked for; empty where it was the workspace's own alone."""

    @property
    def passes(self) -> bool:
        """Whether the candidate may stand in for the original, be it on conditions."""
        return self.status in PASSING

    @property
    def conditions_text(self) -> str:
        """On what it passes: "on conditions: sign of zero (2 of 90 inputs)"; empty where on none."""
        said = "; ".join(condition.text for condition in self.conditions)
        return f"on conditions: {said}" if said else ""

    @property
    def environments_text(self) -> str:
        """How the candidate does in each interpreter: "3.11 ✓ 3.13: RecursionError"; empty where there was one."""
        return " ".join(
            f"{there.python} {_HOLDS}" if there.status in PASSING else f"{there.python}: {there.short}"
            for there in self.environments
        )
