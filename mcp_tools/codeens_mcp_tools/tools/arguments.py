"""What the tools are called with. The texts are what an agent reads to fill them in."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from codeens import Task
from codeens_server.domain import Goal, ModeRequest

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
CandidateId: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$")]
Backend: TypeAlias = Annotated[
    str, Meta(description="Name of a sandbox (list_backends); default: as configured. Never needed to get a result.")
]
Positive: TypeAlias = Annotated[float, Meta(gt=0)]
ShortTime: TypeAlias = Annotated[float, Meta(gt=0, le=120)]
LongTime: TypeAlias = Annotated[float, Meta(gt=0, le=3600)]
Names: TypeAlias = tuple[str, ...]
RunId: TypeAlias = Annotated[str, Meta(description="A run's id, as start_ensemble and score give it.")]
Call: TypeAlias = Annotated[
    str, Meta(description="A call as Python writes it, with literal arguments: solve([1, 2], key={'a': (3, None)})")
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

    id: CandidateId
    source: Annotated[
        str, Meta(description="The complete function, with the imports and helpers it needs. For a script: all of it.")
    ]


Given: TypeAlias = Annotated[
    tuple[GivenSource | CandidateId, ...],
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
    """Run code, in one of three ways: `calls`, `tests` with `function`, or as a script with `stdin` and `argv`."""

    code: Code
    calls: Annotated[tuple[Call, ...], Meta(description="Calls to make, each answered by its outcome.")] = ()
    tests: Annotated[
        str | None, Meta(description="Python source: asserts that call the function, or check(candidate).")
    ] = None
    function: Annotated[str | None, Meta(description="The function that the tests are about.")] = None
    stdin: Annotated[
        str | tuple[str, ...] | None, Meta(description="Run the code as a script with this input, or once for each.")
    ] = None
    argv: Annotated[Names, Meta(description="Arguments of the script.")] = ()
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
    backend: Backend | None = None


class StartEnsemble(Subject, frozen=True, kw_only=True):
    """Start a run that generates, judges, measures and ranks."""

    goal: Annotated[Goal | None, Meta(description="What better means; default: as configured.")] = None
    mode: Annotated[
        ModeRequest, Meta(description="improve: the code is right. repair: it is not. implement: it has no body.")
    ] = "auto"
    variants: Annotated[Names, Meta(description="Ways to ask (list_variants); default: all that are enabled.")] = ()
    models: Annotated[Names, Meta(description="Models to ask (list_models); default: all that are configured.")] = ()
    samples: Annotated[int, Meta(description="Answers per model and variant.", ge=1, le=20)] = 1
    rounds: Annotated[int, Meta(description="Ask again with what failed, up to so many rounds.", ge=1, le=5)] = 1
    tests: Annotated[Names, Meta(description="Judge by these tests of the workspace; default: all that reach it.")] = ()
    budget_usd: Annotated[
        Positive | None, Meta(description="Spend no more than this; never more than the user's own limit.")
    ] = None
    timeout_s: Annotated[LongTime | None, Meta(description="End after this long and keep what was found.")] = None
    backend: Backend | None = None


class GetRun(Arguments, frozen=True, kw_only=True):
    """Ask how a run goes, or for its result."""

    id: RunId
    wait_seconds: Annotated[
        float, Meta(description="Wait so long for its end; 0 answers at once. 50 is good.", ge=0, le=600)
    ] = 0
    offset: Annotated[int, Meta(description="Rows of the result to leave out, for the next page.", ge=0)] = 0
    limit: Annotated[int, Meta(description="Rows of the result at the most.", ge=1, le=100)] = 10


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
        GivenSource | CandidateId, Meta(description="The one: {id, source}, a candidate's id, or the id original.")
    ]
    b: Annotated[GivenSource | CandidateId, Meta(description="The other, likewise.")]
    id: Annotated[str | None, Meta(description="The run whose candidates they are, in place of a function.")] = None
    calls: Annotated[
        tuple[Call, ...], Meta(description="Calls to start from, where types and docstring say little.")
    ] = ()
    backend: Backend | None = None


class ListVariants(Arguments, frozen=True, kw_only=True):
    """List the ways to ask."""


class ListModels(Arguments, frozen=True, kw_only=True):
    """List the models."""


class ListBackends(Arguments, frozen=True, kw_only=True):
    """List the sandboxes."""
