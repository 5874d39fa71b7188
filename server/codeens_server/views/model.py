"""What people are shown of a run: texts, their order and what can be done with each row."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

from codeens_server.domain.document import Score
from codeens_server.domain.terms import ORIGINAL, ConditionKind, Goal, Mode, Remedy, Status

RunStatus: TypeAlias = Literal["running", "finished", "failed", "interrupted"]
RowStatus: TypeAlias = Status | Literal["waiting", "not_run"]
Trend: TypeAlias = Literal["better", "worse", "same"]
NoteKind: TypeAlias = Literal["evidence", "excluded", "failure", "ending", "stopped", "unsafe"]


class CellView(Struct, frozen=True, kw_only=True):
    """One cell of the table; `trend` compares it with the original where that can be said."""

    text: str = ""
    detail: str = ""
    trend: Trend | None = None


class DetailView(Struct, frozen=True, kw_only=True):
    """One line of why a row stands where it stands."""

    term: str
    text: str
    code: bool = False


class RowView(Struct, frozen=True, kw_only=True):
    """One candidate, or the original."""

    id: str
    place: str = ""
    """`0` of the original, `1`, `2=` (tied with the row above); empty without a rank."""
    number: int | None = None
    """What people call the row by where a change is shown or applied; None where there is none to apply."""
    label: str
    """Model and variant; with the id where several rows share them."""
    model: str
    variant: str
    alike: int = 0
    """How many other answers have the same code."""
    status: RowStatus
    best: bool = False
    original: bool = False
    tied: bool = False
    unsafe: bool = False
    """It ran without isolation."""
    can_ask_again: bool = False
    verdict: CellView
    speed: CellView
    memory: CellView
    readability: CellView
    diff: CellView
    cost: str = ""
    reason: str = ""
    worse: str = ""
    """What was measured of it that speaks against taking it: "slower 0.61x [0.55, 0.70]"; empty: nothing."""
    proven: bool = False
    """It passed, on no condition, and by what somebody wrote or the original does."""
    conditions: tuple[ConditionKind, ...] = ()
    """Kinds of those on which it passes, each once."""
    score: Score | None = None
    cluster: int | None = None
    details: tuple[DetailView, ...] = ()
    spoken: str = ""
    """The row as a screen reader says it."""


class GroupView(Struct, frozen=True, kw_only=True):
    """Rows that belong together: ranked ones by behaviour, then the rejected and those that were not run."""

    id: str
    title: str
    detail: str = ""
    rows: tuple[str, ...] = ()
    """Ids, in order."""


class ClusterView(Struct, frozen=True, kw_only=True):
    """Candidates that did the same on all inputs, the rejected included."""

    index: int
    name: str
    """The original, or the first member and how many more there are."""
    answers: int
    members: tuple[str, ...] = ()
    """Labels."""


class SideView(Struct, frozen=True, kw_only=True):
    """What one cluster does with a distinguishing input."""

    group: int
    """Index of the cluster; what says which side is right."""
    name: str
    result: str


class DifferenceView(Struct, frozen=True, kw_only=True):
    """The smallest input found on which two clusters differ."""

    number: int
    """1-based; what people call it by where it is pinned."""
    call: str
    sides: tuple[SideView, SideView]
    must_choose: bool = False
    """Whether a person must say which side is right; otherwise the original is."""


class NoteView(Struct, frozen=True, kw_only=True):
    """A sentence beside the result."""

    kind: NoteKind
    text: str


class FailureView(Struct, frozen=True, kw_only=True):
    """A model that failed, or money or time that ran out."""

    text: str
    remedy: Remedy
    """What mends it."""
    is_silent: bool = False
    """The model gave no answer at all."""


class ProgressView(Struct, frozen=True, kw_only=True):
    """How far a run is. `done` of `total` counts each candidate twice: when it is there and when it was executed."""

    planned: int = 0
    generated: int = 0
    executed: int = 0
    passed: int = 0
    conditional: int = 0
    """Passed on conditions; not counted in `passed`."""
    failures: int = 0
    done: int = 0
    total: int = 0
    doing: str = ""
    best: str = ""
    """The fastest that passed, or how many passed where none is measured yet."""
    cost_usd: float = 0.0
    cost: str = ""
    text: str = ""
    """All of it in one line."""


class FunctionView(Struct, frozen=True, kw_only=True):
    """The function that a run is about."""

    name: str
    """Without the functions it is nested in."""
    qualname: str
    path: str
    line: int
    file: str
    """The last part of `path`."""


class RunView(Struct, frozen=True, kw_only=True):
    """A run, under way or done."""

    run_id: str
    function: FunctionView
    status: RunStatus
    mode: Mode | None = None
    """None until the evidence is gathered."""
    goal: Goal
    stopped: str = ""
    progress: ProgressView
    headline: str = ""
    short: str = ""
    """What came of it, or how far it is, in a few words."""
    summary: str = ""
    """What it rests on and what it cost, in one line."""
    evidence: str = ""
    totals: str = ""
    sandboxes: tuple[str, ...] = ()
    best: str = ORIGINAL
    """Id of the row to take; `original` while nothing better is known."""
    rows: tuple[RowView, ...] = ()
    """The original first, then the ranked, then the rejected; while it runs, candidates as they came."""
    groups: tuple[GroupView, ...] = ()
    clusters: tuple[ClusterView, ...] = ()
    differences: tuple[DifferenceView, ...] = ()
    notes: tuple[NoteView, ...] = ()
    failures: tuple[FailureView, ...] = ()

    def row(self, candidate_id: str) -> RowView | None:
        """Return the row of a candidate, or None if the run has no such candidate."""
        return next((row for row in self.rows if row.id == candidate_id), None)
