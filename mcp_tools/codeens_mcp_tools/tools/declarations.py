"""All tools, with what an agent reads of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from mcp_types import ToolAnnotations
from msgspec import Struct

from codeens import ScoreReport
from codeens_mcp_tools.context import AppContext
from codeens_mcp_tools.tools import arguments, documents
from codeens_mcp_tools.tools.apply import apply_candidate
from codeens_mcp_tools.tools.compare import compare_candidates
from codeens_mcp_tools.tools.ensembles import cancel_run, get_run, start_ensemble
from codeens_mcp_tools.tools.framework import Handler, StructTool, ToolAnswer, ToolCall, make_tool
from codeens_mcp_tools.tools.generate import generate_variants
from codeens_mcp_tools.tools.listing import list_backends, list_models, list_variants
from codeens_mcp_tools.tools.run_code import run_in_sandbox
from codeens_mcp_tools.tools.score import score

A = TypeVar("A", bound=Struct)
VIEW = "ui://codeens/run"


def tools_of(app: AppContext) -> list[StructTool]:
    """The tools."""

    def at(handle: Callable[[AppContext, ToolCall[A]], Awaitable[ToolAnswer]]) -> Handler[A]:
        return partial(handle, app)

    return [
        make_tool(
            "generate_variants",
            arguments.GenerateVariants,
            at(generate_variants),
            title="Generate candidates",
            description="Ask several models, each in several ways, for another implementation of one Python function; "
            "gives their source, who made it and what it cost. Nothing is run: call score next. With "
            "prompts_only=true no model is asked and no key is needed: you get the prompts, write the candidates "
            "yourself, and call score. To do all of it in one go, use start_ensemble.",
            answers=(documents.GeneratedAnswer,),
            annotations=_hints(read_only=True, open_world=True),
        ),
        make_tool(
            "run_in_sandbox",
            arguments.RunInSandbox,
            at(run_in_sandbox),
            title="Run code in a sandbox",
            description="Run Python code that nobody trusts, without network or access to the machine, and get what it "
            "did: for `calls` each return value or exception, for `tests` whether they pass, else the output of the "
            "code as a script; with time, memory, and how it was isolated. Use it to try code; to judge several "
            "candidates use score.",
            answers=(documents.SandboxReport,),
            annotations=_hints(read_only=True),
        ),
        make_tool(
            "score",
            arguments.ScoreCandidates,
            at(score),
            title="Judge and rank candidates",
            description="Judge candidate implementations by running them in a sandbox. By `task` (test cases or "
            "check(candidate) tests): which pass, and for the others the first input that they get wrong. Against the "
            "function as it is (`target` in the workspace, or `original` with `function`): whether they behave the "
            "same on its tests, examples and generated inputs, and which are measurably faster, smaller or easier to "
            "read, as a ranking with intervals and reasons. Takes milliseconds by a task, up to a minute against an "
            "original.",
            answers=(ScoreReport, documents.RunReport),
            annotations=_hints(read_only=True),
            view=VIEW,
        ),
        make_tool(
            "start_ensemble",
            arguments.StartEnsemble,
            at(start_ensemble),
            title="Start an ensemble run",
            description="Improve, repair or implement one Python function from start to end: ask models and offline "
            "rewrites for candidates, run each in a sandbox, judge, measure and rank them. Takes minutes, so it "
            "answers at once with a run id: follow it with get_run, end it with cancel_run, take the result with "
            "apply_candidate. Writes into no file.",
            answers=(documents.RunReport,),
            annotations=_hints(open_world=True),
            view=VIEW,
        ),
        make_tool(
            "get_run",
            arguments.GetRun,
            at(get_run),
            title="Follow a run",
            description="How a run goes, and its ranked result when it is done. wait_seconds waits for the end. More "
            "rows by offset; code, prompts and evidence are in the resource run://{id}.",
            answers=(documents.RunReport,),
            annotations=_hints(read_only=True),
            view=VIEW,
        ),
        make_tool(
            "cancel_run",
            arguments.CancelRun,
            at(cancel_run),
            title="End a run",
            description="End a run's model calls and sandboxes at once. What was found so far is ranked and kept.",
            answers=(documents.RunReport,),
            annotations=_hints(idempotent=True),
        ),
        make_tool(
            "apply_candidate",
            arguments.ApplyCandidate,
            at(apply_candidate),
            title="Take a candidate",
            description="The change that a candidate of a finished run stands for, as a patch; by default of the best. "
            "Writes nothing unless write_to names the file that the run was about, and refuses when the file changed "
            "since.",
            answers=(documents.Change,),
            annotations=_hints(destructive=True),
        ),
        make_tool(
            "compare_candidates",
            arguments.CompareCandidates,
            at(compare_candidates),
            title="Find where two candidates differ",
            description="The smallest input found on which two implementations of a function do something else, and "
            "what each does. For two candidates of a run (`id`), or any two of a function; `original` stands for the "
            "function as it is.",
            answers=(documents.ComparisonAnswer,),
            annotations=_hints(read_only=True),
        ),
        make_tool(
            "list_variants",
            arguments.ListVariants,
            at(list_variants),
            title="List variants",
            description="The ways in which candidates can be asked for: for speed, less memory, readability, …",
            answers=(documents.VariantList,),
            annotations=_hints(read_only=True),
        ),
        make_tool(
            "list_models",
            arguments.ListModels,
            at(list_models),
            title="List models",
            description="The models that can be asked for candidates here, with their prices.",
            answers=(documents.ModelList,),
            annotations=_hints(read_only=True),
        ),
        make_tool(
            "list_backends",
            arguments.ListBackends,
            at(list_backends),
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
