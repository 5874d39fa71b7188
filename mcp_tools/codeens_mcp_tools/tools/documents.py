"""What the tools answer with: the domain's facts, without the bulk that a context window has no room for."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct, field

from codeens_sandbox_backends.base import Encoded, IsolationLevel, StdioRun, Usage
from codeens_server.domain import (
    Coverage,
    DiffSize,
    EvidenceGrade,
    Excluded,
    Goal,
    Interval,
    Memory,
    Mode,
    Readability,
    RunSummary,
    Score,
    Verdict,
)
from codeens_server.generation.models.exchange import Message

OutcomeKind: TypeAlias = Literal["returned", "raised", "unencodable", "timeout", "died"]
State: TypeAlias = Literal["running", "finished", "failed", "interrupted"]


class GeneratedCandidate(Struct, frozen=True, kw_only=True):
    """An answer, and where it is from. It was not run."""

    id: str
    """For `score` and `compare_candidates`, as long as the server runs."""
    model: str
    variant: str
    sample: int
    source: str
    rationale: str
    same_as: str | None = None
    """The id of an earlier one with the same code."""
    cost_usd: float | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    cached: bool = False


class VariantPrompt(Struct, frozen=True, kw_only=True):
    """What a model would be asked."""

    variant: str
    description: str
    goal: Goal
    temperature: float
    messages: tuple[Message, ...]


class GeneratedAnswer(Struct, frozen=True, kw_only=True):
    """The answer of generate_variants."""

    function: str
    mode: Mode
    candidates: tuple[GeneratedCandidate, ...] = ()
    prompts: tuple[VariantPrompt, ...] = ()
    failures: tuple[str, ...] = ()
    """Answers that could not be used, and calls that failed."""
    cost_usd: float = 0.0
    cost_known: bool = True


class CallReport(Struct, frozen=True, kw_only=True):
    """One call and what it did."""

    call: str
    kind: OutcomeKind
    shown: str
    """What came out, as Python shows it."""
    value: Encoded = None
    """The exact value in the wire format (lists are tagged with their type); left out where it is large."""
    traceback: str = ""


class TestsReport(Struct, frozen=True, kw_only=True):
    """How tests ended."""

    passed: bool
    shown: str = ""
    """How they failed."""
    traceback: str = ""


class SandboxReport(Struct, frozen=True, kw_only=True):
    """The answer of run_in_sandbox."""

    backend: str
    isolation: IsolationLevel
    calls: tuple[CallReport, ...] = ()
    scripts: tuple[StdioRun, ...] = ()
    """`ending` null: it ended by itself with exit code 0."""
    tests: TestsReport | None = None
    stdout: str = ""
    stderr: str = ""
    cut: bool = False
    """Some output is not here because it was long."""
    usage: Usage | None = None


class EvidenceReport(Struct, frozen=True, kw_only=True):
    """What candidates were held to."""

    cases: int
    """Inputs; `with_known_outcome` of them say what must come out."""
    with_known_outcome: int
    tests: int
    coverage: Coverage | None = None
    excluded: tuple[Excluded, ...] = ()
    notes: tuple[str, ...] = ()


class Row(Struct, frozen=True, kw_only=True):
    """One candidate of a result. `rank` null: rejected, and `reason` says why."""

    rank: int | None
    number: int | None
    """What apply_candidate calls it: its place among those with a rank, which ties may share."""
    id: str
    label: str
    verdict: Verdict
    evidence: EvidenceGrade
    speed: Interval | None = None
    memory: Memory | None = None
    readability: Readability | None = None
    diff: DiffSize
    cost_usd: float | None = None
    score: Score | None = None
    tied: bool = False
    cluster: int | None = None
    reason: str = ""


class DifferenceReport(Struct, frozen=True, kw_only=True):
    """The smallest input found on which two groups differ."""

    other: int
    call: str
    here: str
    there: str


class ClusterReport(Struct, frozen=True, kw_only=True):
    """Candidates that did the same on all inputs."""

    index: int
    members: tuple[str, ...]
    weight: int
    differences: tuple[DifferenceReport, ...] = ()


class Result(Struct, frozen=True, kw_only=True):
    """The result of a run."""

    mode: Mode
    goal: Goal
    headline: str
    best: str
    evidence: EvidenceReport
    original: Row
    rows: tuple[Row, ...]
    row_count: int
    """Of all rows; `rows` is a page of them."""
    clusters: tuple[ClusterReport, ...] = ()
    duplicates: dict[str, str] = field(default_factory=dict[str, str])
    """Candidates without a row, because the code is that of another one: id → that one's id."""
    summary: RunSummary


class RunProgress(Struct, frozen=True, kw_only=True):
    """How far a run is."""

    doing: str
    planned: int = 0
    generated: int = 0
    executed: int = 0
    passed: int = 0
    failures: int = 0
    best: str = ""
    cost_usd: float = 0.0


class RunReport(Struct, frozen=True, kw_only=True):
    """The answer of start_ensemble, get_run, cancel_run, and of score with an original."""

    run_id: str
    state: State
    function: str
    path: str
    progress: RunProgress
    result: Result | None = None
    next_offset: int | None = None
    """`offset` of the next page of rows."""
    failure: str = ""


class Change(Struct, frozen=True, kw_only=True):
    """The answer of apply_candidate."""

    run_id: str
    candidate: str
    rank: int | None
    path: str
    patch: str
    """As `git apply` takes it, relative to the workspace."""
    source: str
    """The new function, with what it needs beside it."""
    written: bool


class ComparisonAnswer(Struct, frozen=True, kw_only=True):
    """The answer of compare_candidates. `call` null: no difference was found."""

    a: str
    b: str
    inputs_tried: int
    call: str | None = None
    a_does: str = ""
    b_does: str = ""


class VariantLine(Struct, frozen=True, kw_only=True):
    name: str
    description: str
    goal: Goal
    origin: str
    used: bool
    """Whether it is used when none is named."""


class VariantList(Struct, frozen=True, kw_only=True):
    variants: tuple[VariantLine, ...]


class ModelLine(Struct, frozen=True, kw_only=True):
    name: str
    model: str
    """As LiteLLM calls it."""
    source: Literal["settings", "environment", "this machine"]
    """How it was found: configured, by a key in the environment, or on a server on loopback."""
    key_variable: str | None
    key_is_set: bool
    input_cost_per_token: float | None
    output_cost_per_token: float | None


class ModelList(Struct, frozen=True, kw_only=True):
    models: tuple[ModelLine, ...]
    note: str


class BackendLine(Struct, frozen=True, kw_only=True):
    name: str
    usable: bool
    is_default: bool
    isolation: IsolationLevel | None
    why: str = ""
    fix: str = ""


class BackendList(Struct, frozen=True, kw_only=True):
    backends: tuple[BackendLine, ...]
