"""All tools, with what an agent reads of them."""

from __future__ import annotations

from functools import partial

from mcp_types import ToolAnnotations

from codeens import ScoreReport
from codeens_mcp_tools.context import AppContext
from codeens_mcp_tools.tools import arguments, documents
from codeens_mcp_tools.tools.apply import apply_candidate
from codeens_mcp_tools.tools.compare import compare_candidates
from codeens_mcp_tools.tools.ensembles import cancel_run, get_run, start_ensemble
from codeens_mcp_tools.tools.find_slow import find_slow
from codeens_mcp_tools.tools.framework import StructTool, make_tool
from codeens_mcp_tools.tools.generate import generate_variants
from codeens_mcp_tools.tools.history import list_runs
from codeens_mcp_tools.tools.listing import list_backends, list_models, list_variants
from codeens_mcp_tools.tools.run_code import run_in_sandbox
from codeens_mcp_tools.tools.score import score

VIEW = "ui://codeens/run"
_OF_CALLS = (
    documents.RunReport,
    documents.GeneratedAnswer,
    documents.SandboxReport,
    documents.ComparisonAnswer,
    documents.SlowReport,
    ScoreReport,
)
"""What a run id can stand for: runs, and calls of all tools that take long."""


def tools_of(app: AppContext) -> list[StructTool]:
    """The tools."""
    return [*_of_candidates(app), *_of_runs(app), *_of_results(app), *_of_choices(app)]


def _of_candidates(app: AppContext) -> list[StructTool]:
    """Make code, run it and judge it."""
    make = partial(make_tool, whole=app.whole)
    return [
        make(
            "generate_variants",
            arguments.GenerateVariants,
            partial(generate_variants, app),
            title="Generate candidates",
            description="Ask several models, each in several ways, for another implementation of one Python function; "
            "gives their source, who made it and what it cost. Nothing is run: call score next. With "
            "prompts_only=true no model is asked and no key is needed: you get the prompts, write the candidates "
            "yourself, and call score. To do all of it in one go, use start_ensemble.",
            answers=(documents.GeneratedAnswer, documents.RunReport),
            desk=app.desk,
            annotations=_hints(read_only=True, open_world=True),
            hidden=[
                f"task.{name}"
                for name in ("test_cases", "checker", "tests", "reference_solution", "difficulty", "metadata")
            ],
        ),
        make(
            "run_in_sandbox",
            arguments.RunInSandbox,
            partial(run_in_sandbox, app),
            title="Run code in a sandbox",
            description="Run Python code that nobody trusts, without network or access to the machine, and get what it "
            "did: for `calls` each return value or exception, for `tests` whether they pass, else the output of the "
            "code as a script; with time, memory, and how it was isolated. Use it to try code; to judge several "
            "candidates use score.",
            answers=(documents.SandboxReport, documents.RunReport),
            desk=app.desk,
            annotations=_hints(read_only=True),
        ),
        make(
            "score",
            arguments.ScoreCandidates,
            partial(score, app),
            title="Judge and rank candidates",
            description="Judge candidate implementations by running them in a sandbox. By `task` (test cases or "
            "check(candidate) tests): which pass, and for the others the first input that they get wrong. Against the "
            "function as it is (`target` in the workspace, or `original` with `function`): whether they behave the "
            "same on its tests, examples and generated inputs, and which are measurably faster, smaller or easier to "
            "read, as a ranking with intervals and reasons. What takes longer than 40 s "
            "goes on by a run id: follow it with get_run.",
            answers=(ScoreReport, documents.RunReport),
            desk=app.desk,
            annotations=_hints(read_only=True),
            view=VIEW,
        ),
    ]


def _of_runs(app: AppContext) -> list[StructTool]:
    """Begin a run and follow it."""
    make = partial(make_tool, whole=app.whole)
    return [
        make(
            "start_ensemble",
            arguments.StartEnsemble,
            partial(start_ensemble, app),
            title="Start an ensemble run",
            description="Improve, repair or implement one Python function from start to end: ask models and offline "
            "rewrites for candidates, run each in a sandbox, judge, measure and rank them. Takes minutes, so it "
            "answers at once with a run id: follow it with get_run, end it with cancel_run, take the result with "
            "apply_candidate. Writes into no file.",
            answers=(documents.RunReport,),
            desk=app.desk,
            annotations=_hints(open_world=True),
            view=VIEW,
        ),
        make(
            "get_run",
            arguments.GetRun,
            partial(get_run, app),
            title="Follow a run",
            description="How a run, or a call that was handed over, goes, and its result when it is done. More rows by "
            "offset; code, prompts and evidence are in the resource run://{id}.",
            answers=_OF_CALLS,
            annotations=_hints(read_only=True),
            view=VIEW,
        ),
        make(
            "list_runs",
            arguments.ListRuns,
            partial(list_runs, app),
            title="List runs",
            description="What was begun here or by other servers of the same store, failed runs too. With `function`: "
            "the history of its rounds: each candidate's author, parent, outcome, counterexamples and speed.",
            answers=(documents.RunList,),
            annotations=_hints(read_only=True),
        ),
        make(
            "cancel_run",
            arguments.CancelRun,
            partial(cancel_run, app),
            title="End a run",
            description="End a run's model calls and sandboxes at once. What was found so far is ranked and kept.",
            answers=(
                documents.RunReport,
                documents.GeneratedAnswer,
                documents.SandboxReport,
                documents.ComparisonAnswer,
            ),
            annotations=_hints(idempotent=True),
        ),
    ]


def _of_results(app: AppContext) -> list[StructTool]:
    """Take what was found, tell what it does otherwise, and find what to improve next."""
    make = partial(make_tool, whole=app.whole)
    return [
        make(
            "apply_candidate",
            arguments.ApplyCandidate,
            partial(apply_candidate, app),
            title="Take a candidate",
            description="The change that a candidate of a finished run stands for, as a patch; by default of the best. "
            "Writes nothing unless write_to names the file that the run was about, and refuses when the file changed "
            "since.",
            answers=(documents.Patch,),
            annotations=_hints(destructive=True),
        ),
        make(
            "compare_candidates",
            arguments.CompareCandidates,
            partial(compare_candidates, app),
            title="Find where two candidates differ",
            description="The smallest input found on which two implementations of a function do something else, and "
            "what each does. For two candidates of a run (`id`), or any two of a function; `original` stands for the "
            "function as it is.",
            answers=(documents.ComparisonAnswer, documents.RunReport),
            desk=app.desk,
            annotations=_hints(read_only=True),
        ),
        make(
            "find_slow",
            arguments.FindSlow,
            partial(find_slow, app),
            title="Find slow code",
            description="Run a program of the workspace under a sampler in the sandbox, for 30 s at the most: the "
            "functions and lines that cost processor time. Use it to choose what to improve.",
            answers=(documents.SlowReport, documents.RunReport),
            desk=app.desk,
            annotations=_hints(read_only=True),
        ),
    ]


def _of_choices(app: AppContext) -> list[StructTool]:
    """Tell what there is to choose from."""
    make = partial(make_tool, whole=app.whole)
    return [
        make(
            "list_variants",
            arguments.ListVariants,
            partial(list_variants, app),
            title="List variants",
            description="The ways in which candidates can be asked for: for speed, less memory, readability, …",
            answers=(documents.VariantList,),
            annotations=_hints(read_only=True),
        ),
        make(
            "list_models",
            arguments.ListModels,
            partial(list_models, app),
            title="List models",
            description="The models that can be asked for candidates here, with their prices.",
            answers=(documents.ModelList,),
            annotations=_hints(read_only=True),
        ),
        make(
            "list_backends",
            arguments.ListBackends,
            partial(list_backends, app),
            title="List sandboxes",
            description="The sandboxes that code can run in, found out by trying each: whether it works here, what it "
            "keeps apart, and what to do where it does not. Takes seconds.",
            answers=(documents.BackendList,),
            annotations=_hints(read_only=True),
        ),
    ]


def _hints(
    *, read_only: bool = False, destructive: bool = False, idempotent: bool = False, open_world: bool = False
) -> ToolAnnotations:
    return ToolAnnotations(
        read_only_hint=read_only,
        destructive_hint=destructive,
        idempotent_hint=read_only or idempotent,
        open_world_hint=open_world,
    )
