"""What people are shown of a run: texts, their order and what can be done with each row."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

from codeens_server.domain.document import Score
from codeens_server.domain.terms import ORIGINAL, ConditionKind, Goal, Mode, Remedy, Status

RunStatus: TypeAlias = Literal["queued", "running", "finished", "failed", "interrupted"]
RowStatus: TypeAlias = Status | Literal["waiting", "not_run"]
Trend: TypeAlias = Literal["better", "worse", "same"]
ColumnKey: TypeAlias = Literal["place", "candidate", "verdict", "speed", "memory", "readability", "lines"]
NoteKind: TypeAlias = Literal["evidence", "excluded", "failure", "ending", "stopped", "unsafe"]


class CellView(Struct, frozen=True, kw_only=True):
    """One cell of the table; `trend` compares it with the original where that can be said."""

    text: str = ""
    detail: str = ""
    trend: Trend | None = None
    word: str = ""
    """What the number means, for instance "slower" or "more": no reader depends on colours."""
    whole: str = ""
    """The absolute numbers behind it."""


class NumbersView(Struct, frozen=True, kw_only=True):
    """What rows can be put in order by; None where it is not known."""

    speed: float | None = None
    memory: float | None = None
    """Peak beside the original's."""
    readability: float | None = None
    lines: int | None = None
    """Added and removed."""
    cost: float | None = None


class BarView(Struct, frozen=True, kw_only=True):
    """An interval drawn on the scale that all rows of a run share; in percent from the left."""

    low: float
    high: float
    middle: float
    one: float
    """Where the original's speed is."""
    trend: Trend
    said: str


class PointView(Struct, frozen=True, kw_only=True):
    """A row in the picture of speed and memory; percent from the left and from the bottom."""

    id: str
    x: float
    y: float
    place: str
    label: str
    best: bool
    is_beaten: bool
    """Another is better in one of the two beyond noise, and worse in neither."""


class ColumnView(Struct, frozen=True, kw_only=True):
    """A heading of the table."""

    key: ColumnKey
    title: str
    explained: str


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
    numbers: NumbersView = NumbersView()
    bar: BarView | None = None
    cost: str = ""
    reason: str = ""
    counterexample: str = ""
    """The smallest input on which a rejected one went wrong, with what came and what must; empty: none is known."""
    has_code: bool = False
    """Its change can be looked at."""
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
    """`path` in its workspace."""


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
    columns: tuple[ColumnView, ...] = ()
    rows: tuple[RowView, ...] = ()
    """The original first, then the ranked, then the rejected; while it runs, candidates as they came."""
    groups: tuple[GroupView, ...] = ()
    points: tuple[PointView, ...] = ()
    """None while it runs, and where fewer than two were measured."""
    clusters: tuple[ClusterView, ...] = ()
    differences: tuple[DifferenceView, ...] = ()
    notes: tuple[NoteView, ...] = ()
    failures: tuple[FailureView, ...] = ()

    def row(self, candidate_id: str) -> RowView | None:
        """Return the row of a candidate, or None if the run has no such candidate."""
        return next((row for row in self.rows if row.id == candidate_id), None)
