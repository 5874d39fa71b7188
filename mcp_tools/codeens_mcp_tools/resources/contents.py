"""What resources hold."""

from __future__ import annotations

from collections.abc import Callable

import anyio.to_thread
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError

from codeens_mcp_tools.context import AppContext
from codeens_mcp_tools.errors import ToolError, error_text
from codeens_mcp_tools.tools.ensembles import known_ids, stored_run
from codeens_mcp_tools.tools.subjects import home
from codeens_server.domain import ORIGINAL, Candidate
from codeens_server.errors import unknown
from codeens_server.run.state import RunState
from codeens_server.store.documents import to_json
from codeens_server.views.run_view import view_of
from codeens_server.workspace.edit import program_for, unified_diff


async def run(app: AppContext, run_id: str) -> str:
    """The document of a run; of one that has none yet, what is known.

    Raises:
        ResourceNotFoundError: there is none.
    """
    state = await _stored(app, run_id)
    known = state.document or view_of(state, status="interrupted")
    return await anyio.to_thread.run_sync(to_json, known)


async def artifact(app: AppContext, run_id: str, candidate: str, name: str) -> str:
    """One artifact of a candidate, as text.

    Raises:
        ResourceNotFoundError: there is none.
        ResourceError: it cannot be made any more.
    """
    stored = await _stored(app, run_id)
    if name not in _ARTIFACTS:
        raise ResourceNotFoundError(unknown("artifact", name, list(_ARTIFACTS)))
    found = stored.answers
    if candidate != ORIGINAL and candidate not in found:
        raise ResourceNotFoundError(unknown("candidate", candidate, [ORIGINAL, *found]))
    try:
        return await anyio.to_thread.run_sync(_ARTIFACTS[name], stored, found.get(candidate))
    except Exception as error:
        raise ResourceError(error_text(error)) from error


async def variant(app: AppContext, name: str) -> str:
    """A variant's manifest.

    Raises:
        ResourceNotFoundError: there is none.
    """
    found = await anyio.to_thread.run_sync(lambda: app.variants(home(app)))
    if name not in found:
        raise ResourceNotFoundError(unknown("variant", name, list(found)))
    return to_json(found[name].variant)


async def variant_names(app: AppContext) -> list[str]:
    """All variants."""
    return list(await anyio.to_thread.run_sync(lambda: app.variants(home(app))))


async def run_ids(app: AppContext) -> list[str]:
    """All runs, the latest first."""
    return await known_ids(app)


async def candidate_ids(app: AppContext, run_id: str) -> list[str]:
    """The candidates of a run; none where it is not known."""
    try:
        return [ORIGINAL, *(await _stored(app, run_id)).answers] if run_id else []
    except ResourceNotFoundError:
        return []


async def _stored(app: AppContext, run_id: str) -> RunState:
    try:
        return await stored_run(app, run_id)
    except ToolError as error:
        raise ResourceNotFoundError(str(error)) from None


def _solution(stored: RunState, candidate: Candidate | None) -> str:
    return stored.target.source if candidate is None else candidate.source


def _prompt(_: RunState, candidate: Candidate | None) -> str:
    return "" if candidate is None else candidate.prompt


def _response(_: RunState, candidate: Candidate | None) -> str:
    return "" if candidate is None else candidate.response


def _payload(stored: RunState, candidate: Candidate | None) -> str:
    return program_for(stored.target, None if candidate is None else candidate.replacement).modules[0].source


def _diff(stored: RunState, candidate: Candidate | None) -> str:
    return "" if candidate is None else unified_diff(stored.target, candidate.replacement)


def _result(stored: RunState, candidate: Candidate | None) -> str:
    rows = () if stored.document is None else (stored.document.original, *stored.document.results)
    wanted = ORIGINAL if candidate is None else candidate.id
    row = next((row for row in rows if row.candidate.id == wanted), None)
    if row is None:
        raise ToolError(f"{wanted} has no row of its own: the run has no result, or its code is another one's.")
    return to_json(row)


_ARTIFACTS: dict[str, Callable[[RunState, Candidate | None], str]] = {
    "solution": _solution,
    "prompt": _prompt,
    "response": _response,
    "payload": _payload,
    "diff": _diff,
    "result": _result,
}
