"""What candidates are judged by, and how much it is worth."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, structs

from codeens_sandbox_backends.jobs import Limits, TestReport
from codeens_sandbox_backends.programs import CallInput, Outcome
from codeens_server.domain.terms import CaseOrigin, Mode

VARIED = "generated: a known call with one value changed"
"""The label of a case that is made so."""


class Outside(Struct, frozen=True, kw_only=True):
    """Why an input is outside the domain of the function: nothing that is known of its use has such an input."""

    kind: Literal["raises", "beyond", "malformed", "window", "unseen", "changing", "failing"]
    """`raises`: the original raises what nobody asked for; `beyond`: on the far side of values where it does;
    `malformed`: a record lacks a key that all others have; `window`: a count does not
    fit the length of the data; `unseen`: an array or table is
    of a form that known calls do not have: it misses values, or is longer than the one beside it; `changing`: a
    function that is given changes a list while it is worked on, and the function under test does not look for that;
    `failing`: a function that is given raises, and the one under test lets it through."""
    said: str
    """In words: "width 0"."""


class Case(Struct, frozen=True, kw_only=True):
    """One input to hold candidates to, and, where known, what must come out."""

    id: str
    origin: CaseOrigin
    input: CallInput
    expected: Outcome | None = None
    """None: nobody knows; only agreement between candidates can be seen."""
    value_only: bool = False
    """Nobody said how the arguments must be left, as in a docstring's example: only what is returned is compared."""
    uncompared: tuple[str, ...] = ()
    """What does not count here, because the original's runs differ in it or nobody looked: channels of effects, "order
    of dicts", "identity", or all "effects"."""
    label: str = ""
    """Where it is from: a test id, a doctest line, "generated"."""
    weight: float = 1.0
    outside: Outside | None = None


class Coverage(Struct, frozen=True, kw_only=True):
    """Lines of the original's body that all cases together run."""

    hit: int
    total: int

    @property
    def percent(self) -> float:
        """0 to 100; 100 when there is no line to hit."""
        return 100.0 * self.hit / self.total if self.total else 100.0


class MissedChange(Struct, frozen=True, kw_only=True):
    """A small change of the original that nothing in the evidence was seen to notice. It may be no change at all."""

    line: int
    """Of the file; 1-based."""
    before: str
    after: str
    """Empty where `before` is left out."""


class MutationScore(Struct, frozen=True, kw_only=True):
    """How many small changes of the original, each tried as if it were a candidate, would not pass."""

    noticed: int
    total: int
    missed: tuple[MissedChange, ...] = ()
    """In the order of the file."""
    undecided: int = 0
    """Part of `total`: there was no time to try them on all of the evidence."""

    @property
    def percent(self) -> float:
        """0 to 100; 100 when there is nothing to notice."""
        return 100.0 * self.noticed / self.total if self.total else 100.0


class Excluded(Struct, frozen=True, kw_only=True):
    """Evidence that was found and not used, with the reason and how much of it."""

    what: str
    count: int
    why: str


class EnvironmentEvidence(Struct, frozen=True, kw_only=True):
    """What the original does in a further interpreter, where candidates must hold too."""

    python: str
    """Version; with its path where two have the same."""
    interpreter: str
    """Absolute path."""
    expected: tuple[Outcome | None, ...]
    """One per case that there was when it was gathered; None: it cannot be held to there."""
    tests: tuple[TestReport, ...] = ()
    """The tests that reach the target, as they ended there on the original."""


class Evidence(Struct, frozen=True, kw_only=True):
    """All that candidates are judged by. Never sent into a candidate's sandbox as a whole: only inputs are."""

    mode: Mode
    cases: tuple[Case, ...] = ()
    tests: tuple[TestReport, ...] = ()
    """The tests that reach the target, as they ended on the original."""
    limits: Limits | None = None
    """What one run of these tests may take on a candidate: a multiple of what the original needed, and no less than the
    settings say; None: the sandbox's own limits."""
    indirect_tests: int = 0
    """How many of them reach it without naming it."""
    coverage: Coverage | None = None
    mutation: MutationScore | None = None
    """None where it was not measured: there is no working original, or no time."""
    excluded: tuple[Excluded, ...] = ()
    variables: tuple[str, ...] = ()
    """Variables of the workspace that are looked at after each call, as channels of effects."""
    too_large: tuple[str, ...] = ()
    """Those that are too large for it."""
    notes: tuple[str, ...] = ()
    """Sentences for people: "only 3 inputs, which run 40 % of the lines"."""
    holder: str | None = None
    """Type of what stands under the target's name and holds it (`click.core:Command`): the function itself is called.
    Empty where callers call it by its name; None where that is not known."""

    python: str = ""
    """Version of the interpreter that it was gathered in."""
    environments: tuple[EnvironmentEvidence, ...] = ()
    """Of the further interpreters asked for."""

    def within(self, environment: EnvironmentEvidence) -> Evidence:
        """Return what candidates are held to in a further interpreter: there the original may do something else."""
        known = environment.expected
        cases = [
            structs.replace(case, expected=known[place]) if place < len(known) else case
            for place, case in enumerate(self.cases)
        ]
        return structs.replace(self, cases=tuple(cases), tests=environment.tests, environments=())

    def count(self, origin: CaseOrigin) -> int:
        """How many cases are of an origin."""
        return sum(case.origin == origin for case in self.cases)

    @property
    def outside(self) -> int:
        """How many cases are outside the domain of the function."""
        return sum(case.outside is not None for case in self.cases)
