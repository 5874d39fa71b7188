"""apply_candidate: the change that a row stands for; written only into the file that the run was about."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread

from codeens_mcp_tools.context import AppContext
from codeens_mcp_tools.errors import ToolError
from codeens_mcp_tools.runs import LiveRun
from codeens_mcp_tools.tools.arguments import ApplyCandidate
from codeens_mcp_tools.tools.documents import Patch, ToolAnswer
from codeens_mcp_tools.tools.ensembles import found
from codeens_mcp_tools.tools.framework import ToolCall
from codeens_server.domain.terms import ORIGINAL
from codeens_server.text import one_line

if TYPE_CHECKING:
    from codeens import RankedResult, Run


async def apply_candidate(app: AppContext, call: ToolCall[ApplyCandidate]) -> ToolAnswer:
    """Answer a call.

    Raises:
        CodeensError: there is no such row, the file changed since the run, or may not be written.
    """
    arguments = call.arguments
    session = await app.session()
    run = await finished_run(app, arguments.id)
    row = _row(run, arguments.rank)
    change = await anyio.to_thread.run_sync(_change, app, run, row, arguments.write_to)
    where = f"written into {change.path}" if change.written else "nothing was written"
    on = f" It passes {change.conditions}." if change.conditions else ""
    text = f"Candidate {change.candidate} of run {run.run_id}, {where}.{on}\n\n{change.patch}"
    if not change.written and not await anyio.to_thread.run_sync(session.is_code, run.document.target):
        text += f"\nTo write it: the same call with write_to={change.path!r}."
    return ToolAnswer(text=text, document=change)


async def finished_run(app: AppContext, run_id: str) -> Run:
    """Return a run that has a result.

    Raises:
        CodeensError: there is no such run, or it has none yet.
    """
    from codeens import Run

    known = await found(app, run_id)
    state = known.state if isinstance(known, LiveRun) else known
    if state is None or state.document is None:
        raise ToolError(f"Run {run_id} has no result yet. Call get_run(id={run_id!r}, wait_seconds=50) first.")
    return Run(state.document)


def _row(run: Run, wanted: int | str | None) -> RankedResult:
    rows = run.document.results
    ranked = [row for row in rows if row.rank is not None]
    chosen = run.document.best if wanted is None else wanted
    if chosen in (ORIGINAL, 0):
        numbers = f" Another row: rank=1 to {len(ranked)}." if ranked else ""
        raise ToolError(f"The original stays best: there is nothing to change.{numbers}")
    for place, row in enumerate(ranked, start=1):
        if chosen in (place, row.candidate.id):
            return row
    rejected = next((row for row in rows if row.candidate.id == chosen), None)
    if rejected is not None:
        raise ToolError(f"Candidate {chosen} was rejected: {rejected.reason}. Take one that has a rank.")
    has = f"It has ranks 1 to {len(ranked)}." if ranked else "No candidate passed."
    raise ToolError(f"Run {run.run_id} has no row {chosen!r}. {has}")


def _change(app: AppContext, run: Run, row: RankedResult, write_to: str | None) -> Patch:
    candidate = row.candidate
    patch = run.diff(candidate.id)
    if write_to is not None:
        _check_file(app, run, write_to)
        run.apply(candidate.id)
    return Patch(
        run_id=run.run_id,
        candidate=candidate.id,
        rank=row.rank,
        path=run.document.target.path,
        patch=patch,
        source=candidate.source,
        conditions=one_line(row.verdict.conditions_text),
        written=write_to is not None,
    )


def _check_file(app: AppContext, run: Run, write_to: str) -> None:
    path, own = app.roots.resolve(write_to), run.document.target.path
    if path != Path(own).resolve():
        raise ToolError(
            f"Run {run.run_id} was about {own}, not {path}, and its change is written there or nowhere. "
            "For code that was given as text: put the new source in yourself."
        )
