"""What a sandbox can be asked to do, within which limits, and what it answers. Paired comparisons are in `races`."""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeAlias, TypeVar

from msgspec import Meta, Struct, structs

from codeens_sandbox_backends.programs import CallInput, Outcome, Program

# The upper bound keeps `inf` out, which TOML can write.
Seconds: TypeAlias = Annotated[float, Meta(gt=0, le=1e308)]
Count: TypeAlias = Annotated[int, Meta(gt=0)]


_TIMES_AS_LONG = 5.0
_SPARE_S = 10.0


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one job may use. Exceeding a limit is the code's failure, and the result names the limit."""

    wall_s: Seconds = 10.0
    """Seconds by the clock, without those in which the code could have run and no processor was free, where the
    machine tells (Linux, local)."""
    cpu_s: Seconds = 10.0
    call_s: Seconds = 5.0
    """The same for one call of a `CallsJob`; the calls after a hung one are run in a fresh worker."""
    memory_bytes: Count = 1 << 30
    processes: Count = 64
    output_bytes: Count = 1 << 20
    """Bytes kept of stdout and of stderr, each; the rest is dropped, and a note says so."""
    answer_bytes: Count = 64 << 20
    """Bytes of encoded answers a worker may send in one job."""
    disk_bytes: Count = 64 << 20

    def roomy(self, usage: Usage) -> Limits:
        """Return limits in which code gets done that takes some times what this took, start and imports included."""
        cpu_s = usage.wall_s if usage.cpu_s is None else usage.cpu_s
        return structs.replace(
            self,
            wall_s=max(self.wall_s, _TIMES_AS_LONG * usage.wall_s + _SPARE_S),
            cpu_s=max(self.cpu_s, _TIMES_AS_LONG * cpu_s + _SPARE_S),
        )


class Usage(Struct, frozen=True, kw_only=True):
    """What a job used, as the operating system reports it; None where it does not."""

    wall_s: float
    waited_s: float = 0.0
    """Of these, as far as known, for the start of processes and for a free processor."""
    cpu_s: float | None = None
    peak_rss_bytes: int | None = None


R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Job(Struct, Generic[R_co], frozen=True, kw_only=True):
    """Work for a sandbox; `R_co` is the type of its result. Its kinds are the subclasses here and in `races`."""

    limits: Limits | None = None
    """In place of the limits of the sandbox's specification."""
    exclusive: bool = False
    """Whether nothing else of the same executor may run meanwhile, because the job measures time."""


class CallsJob(Job["CallsResult"], frozen=True, kw_only=True):
    """Load a program in a fresh worker and call it once with each input, in order."""

    program: Program
    inputs: tuple[CallInput, ...]
    waits: tuple[int, ...] = ()
    """Indexes of inputs that are not sent before all earlier ones are answered, because they may be made of right
    answers, and a program can read all that has been sent."""
    memory: bool = False
    """Also report the peak of traced allocations per call (tracemalloc: slows the calls; not for timing)."""
    coverage: bool = False
    """Also report which lines of the target function ran."""
    counts: bool = False
    """Also report how often each line of the target function ran (traced: slows the calls; not for timing)."""
    effects: bool = False
    """Also report what each call leaves behind beside result and arguments, and which of its objects are one and the
    same; nothing that a call leaves, but output, is there for the next one."""
    in_turn: bool = False
    """With `effects`: what a call leaves in default arguments of the function itself is there for the next one."""
    loading: bool = False
    """Report what loading the program leaves, in place of effects of calls."""
    fresh: bool = False
    """Start an interpreter, with its own hash seed, for this job alone; other jobs may share one."""


class CallsResult(Struct, frozen=True, kw_only=True):
    """`outcomes[i]` belongs to `inputs[i]`. If loading failed, every outcome is that failure and `loaded` is False."""

    outcomes: tuple[Outcome, ...]
    loaded: bool
    failure: Outcome | None = None
    """Why loading failed."""
    holder: str = ""
    """Type of what stands under the function's name and holds it, as a command or a route does; the function itself
    was called. Empty where callers call the function by its name."""
    python: str = ""
    """Version of the interpreter, as `3.11`; empty where the program was not loaded."""
    usage: Usage
    took_s: tuple[float, ...] = ()
    """Wall seconds between the answers, about: what each call took, as far as inputs wait for all earlier ones."""
    stdout: str = ""
    stderr: str = ""
    variables: tuple[str, ...] = ()
    """Channels of the variables that were looked at after each call."""
    too_large: tuple[str, ...] = ()
    """Those that are too large for it."""
    loading: dict[str, str] = {}
    """Digests of all that loading has left, by channel of effects, where that was asked for."""
    peak_bytes: tuple[int, ...] = ()
    """Empty where the code kept its allocations from being watched."""
    watched: tuple[Outcome, ...] = ()
    """What the calls answered while their allocations were watched; `peak_bytes` is worth no more than these."""
    watched_rss_bytes: int | None = None
    """The most memory that the watched process had, as the operating system reports it."""
    lines_hit: tuple[int, ...] = ()
    lines_total: tuple[int, ...] = ()
    line_counts: tuple[tuple[int, int], ...] = ()
    """Lines of the module, and how often each ran, in their order; empty where that was not or could not be seen."""


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
    deselect: tuple[str, ...] = ()
    """Node ids, or beginnings of them, that are not run though they are selected."""
    record: bool = False
    """Trace which tests enter the target and record its calls (arguments before, outcome after)."""
    max_recorded: int = 500
    fresh: bool = False
    """Start an interpreter, with its own hash seed, for this job alone; other jobs may share one."""


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
    modules: tuple[str, ...] = ()
    """What was imported of installed packages and of the standard library; told where calls are recorded."""
    peeked: tuple[str, ...] = ()
    """Files of tests that the replaced modules' code has opened, without having been given them."""
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
    """Python source: `check(candidate)`, bare asserts that name the function, test functions as for pytest, or classes
    of unittest."""
    prelude: str = ""
    """Source run in the judge before the tests: helpers that the tests call. Never the candidate's."""
    name: str
    """The name that the tests call the function by."""


class CheckResult(Struct, frozen=True, kw_only=True):
    """Whether the tests ran to their end and raised nothing. Tests that call nothing have not passed."""

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
