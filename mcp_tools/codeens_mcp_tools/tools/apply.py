"""apply_candidate: the change that a row stands for; written only into the file that the run was about."""

from __future__ import annotations

from pathlib import Path

import anyio.to_thread

from codeens_mcp_tools.context import AppContext
from codeens_mcp_tools.errors import ToolError
from codeens_mcp_tools.tools.arguments import ApplyCandidate
from codeens_mcp_tools.tools.documents import Change
from codeens_mcp_tools.tools.ensembles import stored_run
from codeens_mcp_tools.tools.framework import ToolAnswer, ToolCall
from codeens_mcp_tools.tools.given_code import is_given_code
from codeens_mcp_tools.tools.subjects import home_settings
from codeens_server.domain import ORIGINAL, RankedResult, RunDocument
from codeens_server.workspace.edit import apply_edit, unified_diff


async def apply_candidate(app: AppContext, call: ToolCall[ApplyCandidate]) -> ToolAnswer:
    """ToolAnswer a call.

    Raises:
        CodeensError: there is no such row, the file changed since the run, or may not be written.
    """
    arguments = call.arguments
    run = await finished_run(app, arguments.id)
    row = _row(run, arguments.rank)
    change = await anyio.to_thread.run_sync(_change, app, run, row, arguments.write_to)
    where = f"written into {change.path}" if change.written else "nothing was written"
    text = f"Candidate {change.candidate} of run {run.run_id}, {where}.\n\n{change.patch}"
    if not change.written and not is_given_code(Path(change.path), home_settings(app)):
        text += f"\nTo write it: the same call with write_to={change.path!r}."
    return ToolAnswer(text=text, document=change)


async def finished_run(app: AppContext, run_id: str) -> RunDocument:
    """The document of a run.

    Raises:
        ToolError: there is no such run, or it has no result.
    """
    live = app.runs.get(run_id)
    run = live.run if live is not None else (await stored_run(app, run_id)).document
    if run is None:
        raise ToolError(f"Run {run_id} has no result yet. Call get_run(id={run_id!r}, wait_seconds=50) first.")
    return run


def _row(run: RunDocument, wanted: int | str | None) -> RankedResult:
    ranked = [row for row in run.results if row.rank is not None]
    chosen = run.best if wanted is None else wanted
    if chosen in (ORIGINAL, 0):
        numbers = f" Another row: rank=1 to {len(ranked)}." if ranked else ""
        raise ToolError(f"The original stays best: there is nothing to change.{numbers}")
    for place, row in enumerate(ranked, start=1):
        if chosen in (place, row.candidate.id):
            return row
    rejected = next((row for row in run.results if row.candidate.id == chosen), None)
    if rejected is not None:
        raise ToolError(f"Candidate {chosen} was rejected: {rejected.reason}. Take one that has a rank.")
    has = f"It has ranks 1 to {len(ranked)}." if ranked else "No candidate passed."
    raise ToolError(f"Run {run.run_id} has no row {chosen!r}. {has}")


def _change(app: AppContext, run: RunDocument, row: RankedResult, write_to: str | None) -> Change:
    replacement = row.candidate.replacement
    patch = unified_diff(run.target, replacement)
    if write_to is not None:
        _check_file(app, run, write_to)
        apply_edit(run.target, replacement)
    return Change(
        run_id=run.run_id,
        candidate=row.candidate.id,
        rank=row.rank,
        path=run.target.path,
        patch=patch,
        source=row.candidate.source,
        written=write_to is not None,
    )


def _check_file(app: AppContext, run: RunDocument, write_to: str) -> None:
    path = app.roots.resolve(write_to)
    if path != Path(run.target.path).resolve():
        raise ToolError(
            f"Run {run.run_id} was about {run.target.path}, not {path}, and its change is written there or nowhere. "
            "For code that was given as text: put the new source in yourself."
        )
