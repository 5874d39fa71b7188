"""What the tools answer with: the domain's facts, without the bulk that a context window has no room for."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from msgspec import Struct, field

from codeens import (
    Coverage,
    DiffSize,
    EnvironmentSpeed,
    Excluded,
    Interval,
    Memory,
    Message,
    MutationScore,
    Readability,
    Verdict,
)
from codeens_sandbox_backends.base import IsolationLevel
from codeens_sandbox_backends.jobs import StdioRun, Usage
from codeens_sandbox_backends.programs import Encoded
from codeens_server.domain.document import RunSummary, Score
from codeens_server.domain.terms import EvidenceGrade, Goal, Mode

OutcomeKind: TypeAlias = Literal["returned", "raised", "unencodable", "timeout", "died"]
State: TypeAlias = Literal["running", "finished", "failed", "interrupted"]


class ToolAnswer(Struct, frozen=True, kw_only=True):
    """What a tool answers."""

    text: str
    """A summary for a context window, that is enough to go on with."""
    document: Struct | dict[str, Any]
    """The same for programs; a table: it was read from the store."""
    links: tuple[tuple[str, str], ...] = ()
    """Resources with the rest: (URI, what it is)."""
    summary: str | None = None
    """What the document says beside its facts, for clients that show nothing else; None: the text."""


class GeneratedCandidate(Struct, frozen=True, kw_only=True):
    """An answer, and where it is from. It was not run."""

    id: str
    """For `score` and `compare_candidates`, as long as the server runs."""
    model: str
    variant: str
    sample: int
    source: str
    rationale: str
    receipt: tuple[str, ...] = ()
    """What of the reply was left out, taken off or renamed."""
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
    value_size: int | None = None
    """Characters of a value that is left out."""
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
    values: tuple[str | None, ...] = ()
    """For each script the value of its last expression, as Python shows it."""
    installed: tuple[str, ...] = ()
    """Packages that code can import: where they were asked for, or where one was not there."""
    tests: TestsReport | None = None
    stdout: str = ""
    stderr: str = ""
    cut: bool = False
    """Some output is not here because it was long."""
    usage: Usage | None = None


class HotFunction(Struct, frozen=True, kw_only=True):
    """A function of the workspace that costs time."""

    target: str
    """As start_ensemble takes it."""
    line: int
    percent: float
    """Of the processor time, with what it calls."""
    own_percent: float
    """In its own lines, and what they call outside of the workspace."""


class HotLine(Struct, frozen=True, kw_only=True):
    """A line of the workspace that costs time."""

    path: str
    line: int
    percent: float
    """Of the time of all lines, as far as they were watched."""
    source: str


class SlowReport(Struct, frozen=True, kw_only=True):
    """The answer of find_slow."""

    samples: int
    """One for 2 ms of processor time, but while lines are timed."""
    wall_s: float
    cpu_s: float
    ended: str
    """How, where not by itself."""
    notes: tuple[str, ...] = ()
    """What could not be seen, and why."""
    functions: tuple[HotFunction, ...]
    lines: tuple[HotLine, ...]
    stdout: str = ""


class EvidenceReport(Struct, frozen=True, kw_only=True):
    """What candidates were held to."""

    cases: int
    """Inputs; `with_known_outcome` of them say what must come out."""
    with_known_outcome: int
    outside_domain: int = 0
    """Inputs that nothing known of the function's use has; tried, and told apart."""
    tests: int
    coverage: Coverage | None = None
    mutation: MutationScore | None = None
    excluded: tuple[Excluded, ...] = ()
    notes: tuple[str, ...] = ()


class Counterexample(Struct, frozen=True, kw_only=True):
    """An input on which a candidate did not do what must come out."""

    call: str
    expected: str
    got: str


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
    speeds: tuple[EnvironmentSpeed, ...] = ()
    """For each interpreter asked for; `speed` is then the least of them."""
    memory: Memory | None = None
    readability: Readability | None = None
    diff: DiffSize
    cost_usd: float | None = None
    score: Score | None = None
    tied: bool = False
    cluster: int | None = None
    reason: str = ""
    receipt: tuple[str, ...] = ()
    """What of the text that it came in was left out, taken off or renamed."""
    counterexamples: tuple[Counterexample, ...] = ()
    """Of a rejected one, the smallest first, five at the most; those of tests are in `reason` alone."""


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
    passed: int
    """Rows with a rank, of all pages."""
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
    conditional: int = 0
    """Passed on conditions; not counted in `passed`."""
    failures: int = 0
    best: str = ""
    cost_usd: float = 0.0


class RunReport(Struct, frozen=True, kw_only=True):
    """The answer of start_ensemble, get_run, cancel_run, of score with an original, and of any call handed over."""

    run_id: str
    state: State
    function: str
    """Of a call that is about none: the tool's name."""
    path: str
    progress: RunProgress
    result: Result | None = None
    next_offset: int | None = None
    """`offset` of the next page of rows."""
    failure: str = ""


class Tried(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A candidate of a run, in short, and what became of it; `get_run` has all of its row."""

    id: str
    model: str
    variant: str
    round: int = 0
    parent: str = ""
    """Id of the candidate that it was made from, of this run or an earlier one."""
    status: str
    """As verdicts say it; `waiting` for one, `not_run`, or the `same` code as `same_as`."""
    same_as: str = ""
    number: int | None = None
    """What apply_candidate calls it, among those with a rank."""
    speed: str = ""
    """Times as fast as the original, with its 95 % interval."""
    reason: str = ""
    counterexamples: tuple[Counterexample, ...] = ()
    """Where it is wrong, the smallest first, five at the most."""


class ListedRun(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run, or a call that was handed over, in a list."""

    run_id: str
    created: str
    """UTC."""
    function: str
    """`path.py::qualname`; of a call that is about none: the tool's name."""
    state: State
    headline: str = ""
    candidates: tuple[Tried, ...] = ()
    """Of a list of one function's runs."""
    candidate_count: int = 0
    """How many there are; `get_run` has those that are not here."""


class RunList(Struct, frozen=True, kw_only=True):
    """The answer of list_runs, the latest first."""

    runs: tuple[ListedRun, ...]
    next_offset: int | None = None


class Patch(Struct, frozen=True, kw_only=True):
    """The answer of apply_candidate."""

    run_id: str
    candidate: str
    rank: int | None
    path: str
    patch: str
    """As `git apply` takes it, relative to the workspace."""
    source: str
    """The new function, with what it needs beside it."""
    conditions: str = ""
    """On what it passes that is not equal to the original on all inputs."""
    written: bool


class ComparisonAnswer(Struct, frozen=True, kw_only=True):
    """The answer of compare_candidates. `call` null: no difference was found."""

    a: str
    b: str
    inputs_tried: int
    call: str | None = None
    a_does: str = ""
    b_does: str = ""


class OfferedVariant(Struct, frozen=True, kw_only=True):
    name: str
    description: str
    goal: Goal
    origin: str
    used: bool
    """Whether it is used when none is named."""


class VariantList(Struct, frozen=True, kw_only=True):
    variants: tuple[OfferedVariant, ...]


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
