"""The contract between codeens and anything that can run code in isolation.

A backend opens sandboxes; a sandbox runs jobs; a job's result says what the code did.
What the *sandbox* did wrong is raised as `SandboxError` and is never part of a result.

Values cross the boundary encoded (as JSON, see `worker/values/grammar.py`): no object made by a candidate
is ever rebuilt on the judge's side, and no expected value ever enters a sandbox.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, Protocol, TypeAlias, TypeVar

from msgspec import Meta, Struct, field

Encoded: TypeAlias = Any
"""An encoded value: JSON whose lists are tagged with the exact type (`["list", 1, 2]`, `["tuple"]`, `["set", …]`)."""


# The upper bound keeps `inf` out, which TOML can write.
Seconds: TypeAlias = Annotated[float, Meta(gt=0, le=1e308)]
Count: TypeAlias = Annotated[int, Meta(gt=0)]


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one job may use. Exceeding a limit is the code's failure, and the result names the limit."""

    wall_s: Seconds = 10.0
    cpu_s: Seconds = 10.0
    call_s: Seconds = 5.0
    """Wall seconds for one call of a `CallsJob`; the calls after a hung one are run in a fresh worker."""
    memory_bytes: Count = 1 << 30
    processes: Count = 64
    output_bytes: Count = 1 << 20
    """Bytes kept of stdout and of stderr, each; the rest is dropped, and a note says so."""
    answer_bytes: Count = 64 << 20
    """Bytes of encoded answers a worker may send in one job."""
    disk_bytes: Count = 64 << 20


class SandboxSpec(Struct, frozen=True, kw_only=True):
    """What a sandbox must offer: an interpreter and the folders that may be read."""

    python: str
    """Absolute path of the interpreter that runs the code."""
    readable: tuple[str, ...] = ()
    """Absolute paths, readable at the same place inside; everything else of the machine is absent."""
    hidden: tuple[str, ...] = ()
    """Absolute paths under `readable` that only suite jobs can read, because they hold the answers (the original, its
    history). Missing paths are ignored."""
    limits: Limits = field(default_factory=Limits)


class IsolationLevel(Struct, frozen=True, kw_only=True):
    """What a backend isolates. Stated with every result."""

    filesystem: bool
    network: bool
    processes: bool
    kernel: bool
    label: str
    """One phrase for people: "bubblewrap: own namespaces, no network, unprivileged user"."""


class ModuleSource(Struct, frozen=True, kw_only=True):
    """A module served from memory in place of the file of that name."""

    name: str
    source: str
    path: str | None = None
    """What `__file__` says; the file of that path need not exist inside."""


class Program(Struct, frozen=True, kw_only=True):
    """Code to load: where imports are found, the modules replaced, and the function to call."""

    module: str
    qualname: str
    """Dotted path inside the module; `Outer.method` and `outer.<locals>.inner` as Python writes them."""
    modules: tuple[ModuleSource, ...] = ()
    sys_path: tuple[str, ...] = ()


class CallInput(Struct, frozen=True, kw_only=True):
    """The encoded arguments of one call. A method's instance is `args[0]`."""

    args: tuple[Encoded, ...] = ()
    kwargs: dict[str, Encoded] = field(default_factory=dict[str, Any])


class Returned(Struct, frozen=True, kw_only=True, tag="returned", tag_field="kind"):
    """The call returned. `args` and `kwargs` are the arguments after the call, which may have changed them."""

    value: Encoded
    args: tuple[Encoded, ...] = ()
    kwargs: dict[str, Encoded] = field(default_factory=dict[str, Any])


class Raised(Struct, frozen=True, kw_only=True, tag="raised", tag_field="kind"):
    """The call, or loading the code, raised."""

    type: str
    """`ValueError` for builtins, else `module:qualname`."""
    message: str = ""
    traceback: str = ""
    """Bounded; frames of the worker left out."""
    args: tuple[Encoded, ...] = ()
    kwargs: dict[str, Encoded] = field(default_factory=dict[str, Any])


class Unencodable(Struct, frozen=True, kw_only=True, tag="unencodable", tag_field="kind"):
    """The call returned, or left in its arguments, a value that has no exact encoding."""

    type: str
    where: str
    """`value`, or the argument's position or name."""


class TimedOut(Struct, frozen=True, kw_only=True, tag="timeout", tag_field="kind"):
    """No answer within the limit."""

    limit: Literal["wall", "cpu", "call"]
    seconds: float


class Died(Struct, frozen=True, kw_only=True, tag="died", tag_field="kind"):
    """The worker ended, or broke the protocol, instead of answering."""

    reason: Literal["exit", "signal", "memory", "answers", "output", "protocol"]
    """`output`: a script printed more than is kept, so that its whole output is unknown."""
    detail: str = ""


Outcome: TypeAlias = Returned | Raised | Unencodable | TimedOut | Died


class Usage(Struct, frozen=True, kw_only=True):
    """What a job used, as the operating system reports it; None where it does not."""

    wall_s: float
    cpu_s: float | None = None
    peak_rss_bytes: int | None = None


R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Job(Struct, Generic[R_co], frozen=True, kw_only=True):
    """Work for a sandbox; `R_co` is the type of its result. The kinds are the subclasses below, and no others."""

    limits: Limits | None = None
    """In place of the limits of the sandbox's specification."""
    exclusive: bool = False
    """Whether nothing else of the same executor may run meanwhile, because the job measures time."""


class CallsJob(Job["CallsResult"], frozen=True, kw_only=True):
    """Load a program in a fresh worker and call it once with each input, in order."""

    program: Program
    inputs: tuple[CallInput, ...]
    memory: bool = False
    """Also report the peak of traced allocations per call (tracemalloc: slows the calls; not for timing)."""
    coverage: bool = False
    """Also report which lines of the target function ran."""
    fresh: bool = False
    """Start an interpreter, with its own hash seed, for this job alone; other jobs may share one."""


class CallsResult(Struct, frozen=True, kw_only=True):
    """`outcomes[i]` belongs to `inputs[i]`. If loading failed, every outcome is that failure and `loaded` is False."""

    outcomes: tuple[Outcome, ...]
    loaded: bool
    usage: Usage
    stdout: str = ""
    stderr: str = ""
    peak_bytes: tuple[int, ...] = ()
    lines_hit: tuple[int, ...] = ()
    lines_total: tuple[int, ...] = ()


class TimingJob(Job["TimingResult"], frozen=True, kw_only=True):
    """Run a paired benchmark: two programs on the same inputs, interleaved, with the clock outside both.

    Each pair starts a fresh worker for `a` and one for `b`. Each sample forks the loaded worker, so that no state
    outlives it, and times `inner` loops over all inputs; `inner` is chosen so that a sample of `a` takes at least
    `min_sample_s`. After the clock has stopped, the outputs of one loop, drawn at random, are returned. Where `inner`
    is above 1, three more kinds of samples time a single loop: `single` in a fork that has run nothing (first call),
    `cold` in one that has run the smallest input (set up, but without results to remember), and `again` in one that
    has run all inputs (repeat). `again` against `cold` shows what a program remembers of results.

    The worker, in which the code runs, stops all of these clocks, and could stop them early. So each fresh worker
    begins with a `whole` loop, timed end to end: from sending the inputs to receiving the last output. What it takes
    beyond the others was hidden from them. Where `b` seems to save more than `confirm_s` and the quickest end-to-end
    loops of a side disagree, pairs of nothing but such loops follow.
    """

    a: Program
    b: Program
    inputs: tuple[CallInput, ...]
    pairs: int = 7
    samples: int = 5
    min_sample_s: float = 0.005
    budget_s: float = 20.0
    """Wall seconds after which no new pair starts (at least three pairs run)."""
    confirm_s: float = 0.005
    exclusive: bool = True


class TimingPair(Struct, frozen=True, kw_only=True):
    """Seconds per loop over all inputs; `a[i]` and `b[i]` were measured next to each other.

    Both are empty where only an end-to-end loop was timed.
    """

    a: tuple[float, ...] = ()
    b: tuple[float, ...] = ()
    cold_a: tuple[float, ...] = ()
    cold_b: tuple[float, ...] = ()
    again_a: tuple[float, ...] = ()
    again_b: tuple[float, ...] = ()
    single_a: tuple[float, ...] = ()
    single_b: tuple[float, ...] = ()
    """First loops of a fork that has run nothing; where `inner` is 1, `a` and `b` are these."""
    whole_a: float = 0.0
    whole_b: float = 0.0
    """End-to-end seconds of the worker's first loop; 0.0 where it was not timed."""
    load_a: float = 0.0
    load_b: float = 0.0
    """Seconds from requesting the program until a fork of it was ready for that loop."""


class TimingResult(Struct, frozen=True, kw_only=True):
    """All pairs that were measured, and `outcomes_a[i]`, `outcomes_b[i]` for `inputs[i]`."""

    pairs: tuple[TimingPair, ...]
    inner: int
    alone_s: float = 0.0
    """Seconds per loop of `a` before any `b` ran; 0.0 where unknown."""
    outcomes_a: tuple[Outcome, ...]
    outcomes_b: tuple[Outcome, ...]
    failure: Outcome | None = None
    """Set when a side stopped answering; `failed_side` says which."""
    failed_side: Literal["a", "b"] | None = None


class SuiteJob(Job["SuiteResult"], frozen=True, kw_only=True):
    """Run the user's own tests (`pytest`) or the target's doctests (`doctest`) beside the code, in one process.

    Its report comes from the process that ran the code, which could forge it: isolation "shared".
    """

    kind: Literal["pytest", "doctest"]
    root: str
    program: Program
    """The target and the replaced modules; without `modules` the files run as they are."""
    selection: tuple[str, ...] = ()
    """Files, folders or node ids relative to `root`, for `pytest`."""
    record: bool = False
    """Trace which tests enter the target and record its calls (arguments before, outcome after)."""
    max_recorded: int = 500


class TestReport(Struct, frozen=True, kw_only=True):
    """One test of a suite."""

    id: str
    outcome: Literal["passed", "failed", "error", "skipped"]
    message: str = ""
    entered: int = 0
    """How often the target was entered while this test ran (0 when not recorded)."""
    seconds: float = 0.0


class RecordedCall(Struct, frozen=True, kw_only=True):
    """A call of the target seen while its tests ran, and its outcome.

    An iterator is recorded as `Unencodable`: reading it would have taken its items from the test.
    """

    test: str
    input: CallInput
    outcome: Outcome


class SuiteResult(Struct, frozen=True, kw_only=True):
    """Every test that ended, in order, and the calls of the target seen meanwhile."""

    tests: tuple[TestReport, ...]
    recorded: tuple[RecordedCall, ...] = ()
    recorded_dropped: int = 0
    """Calls seen and not kept: over the bound, duplicates not counted."""
    unencodable_types: tuple[str, ...] = ()
    """Types that prevented calls from being recorded exactly."""
    failure: Outcome | None = None
    """Set when the suite as a whole did not run to its end (no pytest, collection crashed, limit)."""
    usage: Usage
    stdout: str = ""
    stderr: str = ""


class CheckJob(Job["CheckResult"], frozen=True, kw_only=True):
    """Run test source against a program that lives in another process.

    The test source runs in a judge process of its own sandbox. It sees the program's function only as a proxy.
    """

    program: Program
    tests: str
    """Python source; defines `check(candidate)`, or holds bare asserts that name the function."""
    prelude: str = ""
    """Source run in the judge before the tests: helpers that the tests call. Never the candidate's."""
    name: str
    """The name that the tests call the function by."""


class CheckResult(Struct, frozen=True, kw_only=True):
    """Whether the tests ran to their end and raised nothing."""

    passed: bool
    failure: Outcome | None = None
    """What the test raised, or how the candidate's process ended."""
    calls: int = 0
    usage: Usage


class StdioJob(Job["StdioResult"], frozen=True, kw_only=True):
    """Run a program text as a script: stdin to stdout, once per input."""

    source: str
    stdins: tuple[str, ...]
    argv: tuple[str, ...] = ()


class StdioRun(Struct, frozen=True, kw_only=True):
    """What the script did with one input."""

    stdout: str
    stderr: str
    ending: Outcome | None
    """None if the script ended by itself with exit code 0."""
    usage: Usage


class StdioResult(Struct, frozen=True, kw_only=True):
    """`runs[i]` belongs to `stdins[i]`."""

    runs: tuple[StdioRun, ...]


class Sandbox(Protocol):
    """An open sandbox."""

    @property
    def isolation(self) -> IsolationLevel: ...

    async def run(self, job: Job[R]) -> R:
        """Run a job on fresh processes. Cancelling ends them before this returns.

        Args:
            job: One of the kinds in this module.

        Returns:
            What the code did, failures of the code included.

        Raises:
            SandboxBroken: the sandbox failed; the job can be run again in a new one.
            SandboxUnavailable: this machine, or the service, no longer isolates that way.
        """
        ...

    async def aclose(self) -> None:
        """End every process of this sandbox. Safe to call twice."""
        ...


class Readiness(Struct, frozen=True, kw_only=True):
    """Whether a backend can be used here, found out by trying."""

    name: str
    usable: bool
    isolation: IsolationLevel
    why: str = ""
    fix: str = ""


class Backend(Protocol):
    """A kind of sandbox. Registered under the entry-point group `codeens.sandbox_backends`; built with no arguments."""

    name: str

    async def probe(self) -> Readiness:
        """Try what the isolation promises, in a real sandbox, within seconds.

        Returns:
            Whether the backend can be used here; if not, why, and how to mend it. It does not raise for that.
        """
        ...

    async def open(self, spec: SandboxSpec) -> Sandbox:
        """Open a sandbox.

        Args:
            spec: The interpreter, what of this machine can be read, and the limits of jobs that bring none.

        Returns:
            A sandbox that the caller closes.

        Raises:
            SandboxUnavailable: this machine cannot isolate that way.
            SandboxBroken: it could, and does not now.
        """
        ...
