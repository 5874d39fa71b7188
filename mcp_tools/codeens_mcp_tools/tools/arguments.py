"""What the tools are called with. The texts are what an agent reads to fill them in."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from codeens import Task
from codeens_server.domain.terms import Effort, Goal, ModeRequest

Code: TypeAlias = Annotated[str, Meta(description="Python source: a module that holds the function.")]
FunctionName: TypeAlias = Annotated[
    str,
    Meta(description="Name of the function in the code, as Python writes it: f, Class.f. Not needed if there is one."),
]
FileTarget: TypeAlias = Annotated[
    str,
    Meta(
        description="A function of a file in the workspace, in place of code: path.py::function, path.py::Class.method "
        "or path.py:LINE. Its tests, docstring and imports are then part of the evidence."
    ),
]
CANDIDATE_ID = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}"
CandidateId: TypeAlias = Annotated[str, Meta(pattern=f"^{CANDIDATE_ID}$")]
SourceOrId: TypeAlias = Annotated[str, Meta(min_length=1)]
Backend: TypeAlias = Annotated[
    str, Meta(description="Name of a sandbox (list_backends); default: as configured. Never needed to get a result.")
]
Positive: TypeAlias = Annotated[float, Meta(gt=0)]
ShortTime: TypeAlias = Annotated[float, Meta(gt=0, le=120)]
LongTime: TypeAlias = Annotated[float, Meta(gt=0, le=3600)]
Names: TypeAlias = tuple[str, ...]
Versions: TypeAlias = Annotated[
    tuple[Annotated[str, Meta(pattern=r"^3\.[0-9]{1,2}$")], ...],
    Meta(description='Python versions that candidates must hold in, as "3.12"; default: as configured.'),
]
RunId: TypeAlias = Annotated[str, Meta(description="An id that start_ensemble gave, or a call that was handed over.")]
Call: TypeAlias = Annotated[
    str, Meta(description="A call as Python writes it, with literal arguments: solve([1, 2], key={'a': (3, None)})")
]


OwnCalls: TypeAlias = Annotated[
    tuple[str, ...],
    Meta(description="Inputs of your own to judge and time by, as calls: solve(list(range(10_000)), key=None)"),
]


class Arguments(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of a tool."""


class Subject(Arguments, frozen=True, kw_only=True):
    """Which function it is about: `target`, or `code` and `function`."""

    target: FileTarget | None = None
    code: Code | None = None
    function: FunctionName | None = None


class GivenSource(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A candidate that the caller wrote."""

    id: CandidateId | None = None
    source: Annotated[
        str, Meta(description="The complete function, with the imports and helpers it needs. For a script: all of it.")
    ]
    parent: Annotated[str | None, Meta(description="Id of the earlier one that it mends.")] = None


Given: TypeAlias = Annotated[
    tuple[GivenSource | SourceOrId, ...],
    Meta(description="Candidates: {id, source} of your own, or an id that generate_variants gave.", min_length=1),
]


class GenerateVariants(Subject, frozen=True, kw_only=True):
    """Ask for other implementations of a function."""

    task: Annotated[Task | None, Meta(description="A task in place of a function: its prompt says what to write.")] = (
        None
    )
    mode: Annotated[
        ModeRequest, Meta(description="improve: the code is right. repair: it is not. implement: it has no body.")
    ] = "auto"
    variants: Annotated[Names, Meta(description="Ways to ask (list_variants); default: all that are enabled.")] = ()
    models: Annotated[Names, Meta(description="Models to ask (list_models); default: all that are configured.")] = ()
    samples: Annotated[int, Meta(description="Answers per model and variant.", ge=1, le=20)] = 1
    budget_usd: Annotated[
        Positive | None, Meta(description="Spend no more than this; never more than the user's own limit.")
    ] = None
    prompts_only: Annotated[
        bool,
        Meta(
            description="Give the prompts and ask no model: you write the candidates, then call score. No key needed."
        ),
    ] = False


class RunLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the code may use."""

    wall_s: Annotated[ShortTime | None, Meta(description="Seconds for all of it.")] = None
    call_s: Annotated[ShortTime | None, Meta(description="Seconds for one call.")] = None
    memory_mb: Annotated[int, Meta(ge=64, le=4096)] | None = None


class RunInSandbox(Arguments, frozen=True, kw_only=True):
    """Run code, in one of three ways: `calls`, `tests` with `function`, or as a script."""

    code: Code | None = None
    calls: Annotated[tuple[Call, ...], Meta(description="Calls to make, each answered by its outcome.")] = ()
    tests: Annotated[
        str | None,
        Meta(description="Python source: asserts that call the function, test functions, or check(candidate)."),
    ] = None
    function: Annotated[str | None, Meta(description="The function that the tests are about.")] = None
    stdin: Annotated[
        str | tuple[str, ...] | None, Meta(description="Run the code as a script with this input, or once for each.")
    ] = None
    argv: Annotated[Names, Meta(description="Arguments of the script.")] = ()
    files: Annotated[
        dict[str, str], Meta(description="Files beside the script, by relative name: modules, data, tests.")
    ] = {}
    pytest: Annotated[
        Names, Meta(description="Test files to run by pytest, of `files` or, with `workspace`, of the workspace.")
    ] = ()
    workspace: Annotated[bool, Meta(description="Let the script import the workspace's modules.")] = False
    session: Annotated[
        str | None,
        Meta(description="Any name: earlier scripts of that session that ended well are run first, unseen."),
    ] = None
    installed: Annotated[bool, Meta(description="List the packages that code can import.")] = False
    limits: RunLimits = RunLimits()
    backend: Backend | None = None


class ScoreCandidates(Subject, frozen=True, kw_only=True):
    """Judge candidates: by a task, or against the original function."""

    candidates: Given
    task: Annotated[
        Task | None, Meta(description="Test cases or tests that say what is right; in place of the original.")
    ] = None
    original: Annotated[
        Code | None, Meta(description="The module with the original function (`function` names it).")
    ] = None
    goal: Annotated[Goal | None, Meta(description="What better means; default: as configured.")] = None
    mode: Annotated[
        ModeRequest, Meta(description="improve: the original is right. repair: the tests of its workspace are.")
    ] = "auto"
    evidence: Annotated[
        Names, Meta(description="With target: judge by these tests of the workspace; default: all that reach it.")
    ] = ()
    deselect: Annotated[Names, Meta(description="Tests to leave out, beginnings of ids too.")] = ()
    calls: OwnCalls = ()
    environments: Versions = ()
    backend: Backend | None = None


class StartEnsemble(Subject, frozen=True, kw_only=True):
    """Start a run that generates, judges, measures and ranks."""

    goal: Annotated[Goal | None, Meta(description="What better means; default: as configured.")] = None
    effort: Annotated[Effort | None, Meta(description="How much time to take to be sure; default: as configured.")] = (
        None
    )
    mode: Annotated[
        ModeRequest, Meta(description="improve: the code is right. repair: it is not. implement: it has no body.")
    ] = "auto"
    variants: Annotated[Names, Meta(description="Ways to ask (list_variants); default: all that are enabled.")] = ()
    models: Annotated[Names, Meta(description="Models to ask (list_models); default: all that are configured.")] = ()
    samples: Annotated[int, Meta(description="Answers per model and variant.", ge=1, le=20)] = 1
    rounds: Annotated[int, Meta(description="Ask again with what failed, up to so many rounds.", ge=1, le=5)] = 1
    tests: Annotated[Names, Meta(description="Judge by these tests of the workspace; default: all that reach it.")] = ()
    deselect: Annotated[Names, Meta(description="Tests to leave out, beginnings of ids too.")] = ()
    calls: OwnCalls = ()
    bench: Annotated[
        Names,
        Meta(description="Time on inputs of these: path.py::test_x that calls it, or a function that makes them."),
    ] = ()
    environments: Versions = ()
    budget_usd: Annotated[
        Positive | None, Meta(description="Spend no more than this; never more than the user's own limit.")
    ] = None
    budget_calls: Annotated[
        Annotated[int, Meta(ge=1)] | None, Meta(description="Pay for no more answers of models than this.")
    ] = None
    timeout_s: Annotated[LongTime | None, Meta(description="End after this long and keep what was found.")] = None
    backend: Backend | None = None


class GetRun(Arguments, frozen=True, kw_only=True):
    """Ask how a run goes, or for its result."""

    id: RunId
    wait_seconds: Annotated[
        float, Meta(description="Wait so long for its end, 45 at the most; 0 answers at once.", ge=0, le=600)
    ] = 0
    offset: Annotated[int, Meta(description="Rows of the result to leave out, for the next page.", ge=0)] = 0
    limit: Annotated[int, Meta(description="Rows of the result at the most.", ge=1, le=100)] = 10


class ListRuns(Arguments, frozen=True, kw_only=True):
    """List what was begun."""

    function: Annotated[
        str | None,
        Meta(
            description="Only runs of this function, with what was tried in each: path.py::function, or the id of one."
        ),
    ] = None
    offset: Annotated[int, Meta(description="Runs to leave out, for the next page.", ge=0)] = 0
    limit: Annotated[int, Meta(description="Runs at the most.", ge=1, le=100)] = 20


class CancelRun(Arguments, frozen=True, kw_only=True):
    """End a run."""

    id: RunId


class ApplyCandidate(Arguments, frozen=True, kw_only=True):
    """Get the change that a row of a result stands for."""

    id: RunId
    rank: Annotated[
        int | CandidateId | None,
        Meta(description="Rank as get_run numbers the rows, or a candidate's id; default: best."),
    ] = None
    write_to: Annotated[
        str | None,
        Meta(description="Write the change into this file: the one that the run was about. Without it: nothing."),
    ] = None


class CompareCandidates(Subject, frozen=True, kw_only=True):
    """Find an input on which two implementations differ."""

    a: Annotated[
        GivenSource | SourceOrId, Meta(description="The one: {id, source}, a candidate's id, or the id original.")
    ]
    b: Annotated[GivenSource | SourceOrId, Meta(description="The other, likewise.")]
    id: Annotated[str | None, Meta(description="The run whose candidates they are, in place of a function.")] = None
    calls: Annotated[
        tuple[Call, ...], Meta(description="Calls to start from, where types and docstring say little.")
    ] = ()
    backend: Backend | None = None


class FindSlow(Arguments, frozen=True, kw_only=True):
    """Find what costs time."""

    path: Annotated[str | None, Meta(description="A script or a test file of the workspace.")] = None
    command: Annotated[
        str | None, Meta(description="Or: python bench.py 100, python -m package, pytest tests/test_a.py.")
    ] = None


class ListVariants(Arguments, frozen=True, kw_only=True):
    """List the ways to ask."""


class ListModels(Arguments, frozen=True, kw_only=True):
    """List the models."""


class ListBackends(Arguments, frozen=True, kw_only=True):
    """List the sandboxes."""
