"""compare_candidates: the smallest input found on which two implementations differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codeens_mcp_tools.candidates import is_source
from codeens_mcp_tools.context import AppContext
from codeens_mcp_tools.errors import ToolError
from codeens_mcp_tools.tools.apply import finished_run
from codeens_mcp_tools.tools.arguments import CompareCandidates, GivenSource
from codeens_mcp_tools.tools.documents import ComparisonAnswer, ToolAnswer
from codeens_mcp_tools.tools.framework import ToolCall
from codeens_server.domain.terms import ORIGINAL
from codeens_server.text import plural

if TYPE_CHECKING:
    from codeens import Candidate, Run, Target


async def compare_candidates(app: AppContext, call: ToolCall[CompareCandidates]) -> ToolAnswer:
    """Answer a call.

    Raises:
        CodeensError: the arguments are wrong, or nothing is known of the function's inputs.
        SandboxError: the sandbox failed.
    """
    arguments = call.arguments
    session = await app.session()
    run = None if arguments.id is None else await _run(app, arguments, arguments.id)
    of: Run | Target
    if run is None:
        of = target = await session.subject(arguments.target, arguments.code, arguments.function)
    else:
        of, target = run, run.document.target
    await session.limits_for(target, arguments.backend)
    sides = [_side(app, side, run) for side in (arguments.a, arguments.b)]
    async with call.reporter.telling() as tell:
        found = await session.compare(*sides, of=of, calls=arguments.calls, sandbox=arguments.backend, on_progress=tell)
    a, b = (_called(side, name) for side, name in ((arguments.a, "a"), (arguments.b, "b")))
    document = ComparisonAnswer(
        a=a, b=b, inputs_tried=found.inputs_tried, call=found.call or None, a_does=found.a_does, b_does=found.b_does
    )
    return ToolAnswer(text=_text(document), document=document)


async def _run(app: AppContext, arguments: CompareCandidates, run_id: str) -> Run:
    if arguments.target or arguments.code or arguments.function:
        raise ToolError("Give either `id`, the run whose candidates they are, or the function that they implement.")
    return await finished_run(app, run_id)


def _called(side: GivenSource | str, otherwise: str) -> str:
    name = side.id if isinstance(side, GivenSource) else side
    return otherwise if name is None or is_source(name) else name


def _side(app: AppContext, side: GivenSource | str, run: Run | None) -> str | Candidate:
    """Return one side as the library takes it, by whom a text is taken for a source unless it is an id."""
    source = side.source if isinstance(side, GivenSource) else side
    if isinstance(side, GivenSource) or is_source(source):
        # No id ends with a line: what the caller wrote is never taken for one.
        return f"{source}\n"
    if side == ORIGINAL:
        return side
    return app.kept.get(side) if run is None else run.row(side).candidate


def _text(found: ComparisonAnswer) -> str:
    a, b = found.a, found.b
    if found.call is None:
        tried = plural(found.inputs_tried, "input")
        return f"{a} and {b} did the same on all {tried} tried. That is no proof that they always do."
    return f"{a} and {b} differ on {found.call}:\n- {a}: {found.a_does}\n- {b}: {found.b_does}"
