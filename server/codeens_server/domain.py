"""The facts that codeens is about. Their JSON is every door's wire format; `docs/schema.json` is made from here."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct, field

from codeens_sandbox_backends.base import CallInput, Outcome, TestReport

SCHEMA_VERSION = 2
ORIGINAL = "original"
"""The id under which the original stands beside the candidates."""
OFFLINE = "offline"
"""The model's name of candidates that no model made."""

Goal: TypeAlias = Literal["balanced", "correctness", "speed", "memory", "readability"]
Mode: TypeAlias = Literal["improve", "repair", "implement"]
ModeRequest: TypeAlias = Literal["auto", "improve", "repair", "implement"]
Status: TypeAlias = Literal["passed", "failed", "error", "timeout", "refused"]
EvidenceGrade: TypeAlias = Literal["tests", "differential", "agreement", "none"]
Isolation: TypeAlias = Literal["separate", "shared", "none"]
"""`separate`: judged outside the process that ran the code; `shared`: the verdict came from it; `none`: not run."""
TargetKind: TypeAlias = Literal["function", "method", "classmethod", "staticmethod", "property", "nested"]
ParameterKind: TypeAlias = Literal["positional", "normal", "keyword", "var_positional", "var_keyword"]
StopReason: TypeAlias = Literal["cancelled", "timeout", "budget"]
"""Why a run ended before all was done."""
CaseOrigin: TypeAlias = Literal["doctest", "recorded", "generated", "test_case", "pinned"]


class Parameter(Struct, frozen=True, kw_only=True):
    """One parameter of the target's signature."""

    name: str
    kind: ParameterKind
    annotation: str | None = None
    has_default: bool = False


class Target(Struct, frozen=True, kw_only=True):
    """A function in a file, with all that must be known to ask for, run and replace it."""

    path: str
    """Absolute path of the file."""
    root: str
    """Absolute path of the workspace."""
    import_root: str
    """The folder that must be on `sys.path` for `module` to be imported."""
    module: str
    qualname: str
    """As Python writes it: `f`, `Class.f`, `outer.<locals>.f`."""
    kind: TargetKind
    is_async: bool = False
    is_generator: bool = False
    line: int
    """First line of the definition, decorators included; 1-based."""
    end_line: int
    source: str
    """The definition as it stands in the file, decorators included, indentation removed."""
    body_missing: bool = False
    """The body is only a docstring, `...`, `pass` or `raise NotImplementedError`."""
    docstring: str | None = None
    parameters: tuple[Parameter, ...] = ()
    returns: str | None = None
    file_sha256: str
    """Of the file's bytes when it was read."""


class Context(Struct, frozen=True, kw_only=True):
    """What a model is shown around the function."""

    imports: str = ""
    class_header: str = ""
    helpers: tuple[str, ...] = ()
    """Sources of functions, classes and constants of the same module that the function uses."""


class Replacement(Struct, frozen=True, kw_only=True):
    """New code for a target: the function, and what it needs beside it."""

    function: str
    """The definition, decorators included, no indentation."""
    imports: tuple[str, ...] = ()
    helpers: tuple[str, ...] = ()
    """Module-level definitions placed before the target, no indentation."""

    @property
    def source(self) -> str:
        """Imports, helpers and the function as one text, in the order in which a module would have them."""
        parts = ["\n".join(self.imports), *self.helpers, self.function.strip("\n")]
        return "\n\n\n".join(part for part in parts if part) + "\n"


class Candidate(Struct, frozen=True, kw_only=True):
    """One implementation. `source` is everything new: imports, helpers and the function, readable as a module part."""

    id: str
    model: str
    variant: str
    source: str
    replacement: Replacement
    sample: int = 0
    round: int = 0
    digest: str
    """Of the normalised syntax tree: equal digests are executed once."""
    same_as: tuple[str, ...] = ()
    """Labels (`model · variant`) of other answers with the same digest, credited together."""
    rationale: str = ""
    prompt: str = ""
    response: str = ""
    cost_usd: float | None = None
    """None: the price is not known. 0.0: nothing was paid."""
    tokens_in: int = 0
    tokens_out: int = 0
    cached: bool = False


class Case(Struct, frozen=True, kw_only=True):
    """One input to hold candidates to, and, where known, what must come out."""

    id: str
    origin: CaseOrigin
    input: CallInput
    expected: Outcome | None = None
    """None: nobody knows; only agreement between candidates can be seen."""
    value_only: bool = False
    """Nobody said how the arguments must be left, as in a docstring's example: only what is returned is compared."""
    label: str = ""
    """Where it is from: a test id, a doctest line, "generated"."""
    weight: float = 1.0


class Coverage(Struct, frozen=True, kw_only=True):
    """Lines of the original's body that all cases together run (measured with coverage.py)."""

    hit: int
    total: int

    @property
    def percent(self) -> float:
        """0 to 100; 100 when there is no line to hit."""
        return 100.0 * self.hit / self.total if self.total else 100.0


class Excluded(Struct, frozen=True, kw_only=True):
    """Evidence that was found and not used, with the reason and how much of it."""

    what: str
    count: int
    why: str


class Evidence(Struct, frozen=True, kw_only=True):
    """All that candidates are judged by. Never sent into a candidate's sandbox as a whole: only inputs are."""

    mode: Mode
    cases: tuple[Case, ...] = ()
    tests: tuple[TestReport, ...] = ()
    """The tests that reach the target, as they ended on the original."""
    indirect_tests: int = 0
    """How many of them reach it without naming it."""
    coverage: Coverage | None = None
    excluded: tuple[Excluded, ...] = ()
    notes: tuple[str, ...] = ()
    """Sentences for people: "only 3 inputs, which run 40 % of the lines"."""

    def count(self, origin: CaseOrigin) -> int:
        """How many cases are of an origin."""
        return sum(case.origin == origin for case in self.cases)


class Failure(Struct, frozen=True, kw_only=True):
    """The first thing a candidate did wrong, told so that a person can check it."""

    where: str
    """A call as one would write it, or a test id."""
    expected: str = ""
    got: str = ""
    traceback: str = ""


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


class Interval(Struct, frozen=True, kw_only=True):
    """Original's time divided by the candidate's, with its 95 % interval; above 1 is faster."""

    ratio: float
    low: float
    high: float
    original_s: float = 0.0
    """Median seconds of one pass of the original over the inputs."""
    candidate_s: float = 0.0
    inputs: int = 0
    pairs: int = 0
    note: str = ""
    """For instance that the candidate remembers results between calls and the ratio is of first calls."""

    @property
    def faster(self) -> bool:
        """Whether a speed-up may be claimed."""
        return self.low > 1.0

    @property
    def slower(self) -> bool:
        return self.high < 1.0


class Memory(Struct, frozen=True, kw_only=True):
    """Peak of traced allocations over the inputs; `ratio` is candidate / original, below 1 is less."""

    peak_bytes: int
    ratio: float | None = None


class Readability(Struct, frozen=True, kw_only=True):
    """Metrics of the source alone. `score` is 0 to 100, higher reads easier; its formula is in docs/ranking.md."""

    cyclomatic: int
    cognitive: int
    lines: int
    findings: int
    """ruff findings."""
    score: float


class DiffSize(Struct, frozen=True, kw_only=True):
    added: int = 0
    removed: int = 0


class Measurement(Struct, frozen=True, kw_only=True):
    """What was measured of one candidate; None is not measured, and `notes` says why."""

    mismatch: bool = False
    """It answered otherwise when it was timed than it must: it is not right, whatever the judge saw."""

    speed: Interval | None = None
    memory: Memory | None = None
    readability: Readability | None = None
    diff: DiffSize = field(default_factory=DiffSize)
    notes: tuple[str, ...] = ()


class Score(Struct, frozen=True, kw_only=True):
    """0 to 100, and the parts it is made of (already weighted)."""

    total: float
    parts: dict[str, float] = field(default_factory=dict[str, float])


class DistinguishingInput(Struct, frozen=True, kw_only=True):
    """The smallest input found on which two clusters differ."""

    other: int
    """Index of the other cluster."""
    input: CallInput
    call: str
    """The call as one would write it."""
    here: str
    """What this cluster does, as text."""
    there: str


class Cluster(Struct, frozen=True, kw_only=True):
    """Candidates that did the same on all inputs tried."""

    index: int
    members: tuple[str, ...]
    """Candidate ids; `original` where the original is one of them."""
    weight: int
    """Answers behind it, identical ones included."""
    differences: tuple[DistinguishingInput, ...] = ()


class RankedResult(Struct, frozen=True, kw_only=True):
    """One row of the result. Row 0 is the original; rejected rows have rank None and a reason."""

    rank: int | None
    candidate: Candidate
    verdict: Verdict
    judged: bool = True
    """Whether anything is known of the code; False: nobody could run it, and `reason` says why."""
    measurement: Measurement = field(default_factory=Measurement)
    cost_usd: float | None = None
    score: Score | None = None
    tied: bool = False
    """No measured difference from the row above."""
    cluster: int | None = None
    reason: str = ""
    """Why it stands where it stands, in one line."""

    @property
    def speed(self) -> Interval | None:
        """How fast it is beside the original."""
        return self.measurement.speed

    @property
    def memory(self) -> Memory | None:
        """What it allocates at its peak."""
        return self.measurement.memory

    @property
    def readability(self) -> Readability | None:
        """How easily it reads."""
        return self.measurement.readability

    @property
    def diff(self) -> DiffSize:
        """How much of the file it changes."""
        return self.measurement.diff


class RunSummary(Struct, frozen=True, kw_only=True):
    """Totals of a run."""

    generated: int = 0
    executed: int = 0
    passed: int = 0
    cost_usd: float = 0.0
    cost_known: bool = True
    wall_s: float = 0.0
    stopped: StopReason | None = None
    """Why it ended before all was done; None when complete."""
    failures: tuple[str, ...] = ()
    """Model calls and sandboxes that failed, a line each."""


class RunDocument(Struct, frozen=True, kw_only=True):
    """The document of a run: CLI `--json`, MCP structured content, HTTP and `runs show`."""

    schema_version: int = SCHEMA_VERSION
    run_id: str
    target: Target
    mode: Mode
    goal: Goal
    evidence: Evidence
    original: RankedResult
    results: tuple[RankedResult, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    best: str
    """Id of the candidate to take; `original` when nothing measured speaks against keeping it."""
    headline: str
    """Which is best and why, in one sentence."""
    summary: RunSummary = field(default_factory=RunSummary)

    def numbered_differences(self) -> list[tuple[int, DistinguishingInput]]:
        """Return each pair of clusters once, as (index of the cluster that tells it, difference), in a fixed order."""
        told = {(cluster.index, difference.other) for cluster in self.clusters for difference in cluster.differences}
        return [
            (cluster.index, difference)
            for cluster in self.clusters
            for difference in cluster.differences
            if difference.other > cluster.index or (difference.other, cluster.index) not in told
        ]
