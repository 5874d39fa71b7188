"""compare_candidates: the smallest input found on which two implementations differ."""

from __future__ import annotations

from collections.abc import Sequence

import anyio.to_thread
from msgspec import Struct

from codeens_mcp_tools.context import AppContext
from codeens_mcp_tools.errors import ToolError
from codeens_mcp_tools.tools.apply import finished_run
from codeens_mcp_tools.tools.arguments import CompareCandidates, GivenSource
from codeens_mcp_tools.tools.calls import read_call
from codeens_mcp_tools.tools.documents import Comparison
from codeens_mcp_tools.tools.framework import ToolAnswer, ToolCall
from codeens_mcp_tools.tools.given import candidate_for
from codeens_mcp_tools.tools.subjects import subject_of
from codeens_sandbox_backends.base import CallInput, CallsJob, Program, Sandbox
from codeens_sandbox_backends.values.compare import canonical_call
from codeens_sandbox_backends.values.render import render_call, render_outcome_pair
from codeens_server.config.settings import Settings
from codeens_server.domain import ORIGINAL, Replacement, Target
from codeens_server.evidence.strategies.draw import draw
from codeens_server.evidence.strategies.inputs import strategy_for
from codeens_server.judging.shrinking import Observation, shrink
from codeens_server.judging.static_checks import refusal
from codeens_server.text import plural
from codeens_server.workspace.edit import program_for
from codeens_server.workspace.environment import sandbox_spec
from codeens_server.workspace.text import snapshot

_SEARCH_S = 15.0


class _Pair(Struct, frozen=True, kw_only=True):
    """Two implementations of a function, and inputs to begin with."""

    target: Target
    settings: Settings
    here: Program
    there: Program
    inputs: tuple[CallInput, ...]


async def compare_candidates(app: AppContext, call: ToolCall[CompareCandidates]) -> ToolAnswer:
    """ToolAnswer a call.

    Raises:
        CodeensError: the arguments are wrong, or nothing is known of the function's inputs.
        SandboxError: the sandbox failed.
    """
    arguments = call.arguments
    pair = await (_of_run(app, arguments) if arguments.id is not None else _of_function(app, arguments))
    target, settings = pair.target, pair.settings
    await call.reporter.tell("making inputs")
    strategy = strategy_for(target, pair.inputs, snapshot(target).text)
    drawn: list[CallInput] = []
    if strategy is not None:
        seed = f"{target.module}:{target.qualname}"
        drawn = await anyio.to_thread.run_sync(lambda: draw(strategy, settings.max_inputs, seed=seed))
    inputs = list({canonical_call(call): call for call in (*pair.inputs, *drawn)}.values())
    if not inputs:
        raise ToolError("Nothing is known of the function's inputs: give `calls` to start from, or annotate it.")

    async def search(sandbox: Sandbox) -> Observation | None:
        differing = await _differing(pair.here, pair.there, inputs, sandbox)
        if differing is None:
            return None
        await call.reporter.tell("making the input smaller")
        return await shrink(differing, pair.here, pair.there, strategy=strategy, sandbox=sandbox, budget_s=_SEARCH_S)

    await call.reporter.tell(f"running both on {plural(len(inputs), 'input')}")
    spec = sandbox_spec(target, settings)
    async with app.sandboxes.executor(settings.sandbox, spec, settings.parallel) as executor:
        return _answer(arguments, target, await search(executor), len(inputs))


async def _of_run(app: AppContext, arguments: CompareCandidates) -> _Pair:
    if arguments.target or arguments.code or arguments.function:
        raise ToolError("Give either `id`, the run whose candidates they are, or the function that they implement.")
    run = await finished_run(app, arguments.id or "")
    replacements = {row.candidate.id: row.candidate.replacement for row in run.results}

    def of(side: GivenSource | str) -> Replacement | None:
        if isinstance(side, GivenSource):
            return candidate_for(run.target, side, app.kept).replacement
        if side != ORIGINAL and side not in replacements:
            known = ", ".join([ORIGINAL, *replacements][:20])
            raise ToolError(f"Run {run.run_id} has no candidate {side!r}. It has: {known}.")
        return replacements.get(side)

    def pair() -> _Pair:
        settings = app.settings(app.roots.first, backend=arguments.backend)
        inputs = (*_starts(arguments.calls), *(case.input for case in run.evidence.cases))
        return _pair(run.target, settings, of(arguments.a), of(arguments.b), inputs)

    return await anyio.to_thread.run_sync(pair)


async def _of_function(app: AppContext, arguments: CompareCandidates) -> _Pair:
    subject = await subject_of(
        app,
        target=arguments.target,
        code=arguments.code,
        function=arguments.function,
        backend=arguments.backend,
    )

    def of(side: GivenSource | str) -> Replacement | None:
        return None if side == ORIGINAL else candidate_for(subject.target, side, app.kept).replacement

    def pair() -> _Pair:
        return _pair(subject.target, subject.settings, of(arguments.a), of(arguments.b), _starts(arguments.calls))

    return await anyio.to_thread.run_sync(pair)


def _pair(
    target: Target, settings: Settings, a: Replacement | None, b: Replacement | None, inputs: Sequence[CallInput]
) -> _Pair:
    for name, side in (("a", a), ("b", b)):
        if side is not None and (why := refusal(target, side)):
            raise ToolError(f"Candidate `{name}` cannot stand in for {target.qualname}: {why}.")
    here, there = program_for(target, a), program_for(target, b)
    return _Pair(target=target, settings=settings, here=here, there=there, inputs=tuple(inputs))


def _starts(calls: Sequence[str]) -> tuple[CallInput, ...]:
    return tuple(read_call(call)[1] for call in calls)


async def _differing(
    here: Program, there: Program, inputs: Sequence[CallInput], sandbox: Sandbox
) -> Observation | None:
    """The smallest of the inputs on which both answer, and differ."""
    ours = await sandbox.run(CallsJob(program=here, inputs=tuple(inputs)))
    theirs = await sandbox.run(CallsJob(program=there, inputs=tuple(inputs)))
    seen = map(Observation, inputs, ours.outcomes, theirs.outcomes)
    return min((item for item in seen if item.is_distinguishing), key=lambda item: item.size, default=None)


def _answer(arguments: CompareCandidates, target: Target, seen: Observation | None, tried: int) -> ToolAnswer:
    a, b = (side if isinstance(side, str) else side.id for side in (arguments.a, arguments.b))
    if seen is None:
        text = f"{a} and {b} did the same on all {plural(tried, 'input')} tried. That is no proof that they always do."
        return ToolAnswer(text=text, document=Comparison(a=a, b=b, inputs_tried=tried))
    call = render_call(target.qualname.rpartition("<locals>.")[2], seen.input)
    ours, theirs = render_outcome_pair(seen.here, seen.there)
    text = f"{a} and {b} differ on {call}:\n- {a}: {ours}\n- {b}: {theirs}"
    return ToolAnswer(
        text=text, document=Comparison(a=a, b=b, inputs_tried=tried, call=call, a_does=ours, b_does=theirs)
    )
