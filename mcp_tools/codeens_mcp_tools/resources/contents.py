"""What resources hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio.to_thread
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError

from codeens import CodeensError
from codeens_mcp_tools.context import AppContext
from codeens_mcp_tools.errors import error_text
from codeens_mcp_tools.runs import LiveRun
from codeens_mcp_tools.tools.ensembles import found
from codeens_server.domain.terms import ORIGINAL
from codeens_server.store.documents import to_json
from codeens_server.views.run_view import view_of

if TYPE_CHECKING:
    from codeens import RunState

ARTIFACTS = ("solution", "prompt", "response", "payload", "diff", "result")
"""What is kept of a candidate."""


async def run(app: AppContext, run_id: str) -> str:
    """Return the document of a run; of one that has none, what is known.

    Raises:
        ResourceNotFoundError: there is none.
    """
    known, state = await _known(app, run_id)
    status = "running" if isinstance(known, LiveRun) and known.is_under_way else "interrupted"
    return await anyio.to_thread.run_sync(lambda: to_json(state.document or view_of(state, status=status)))


async def artifact(app: AppContext, run_id: str, candidate: str, name: str) -> str:
    """Return one artifact of a candidate, as text.

    Raises:
        ResourceNotFoundError: there is none.
        ResourceError: it cannot be made any more.
    """
    _, state = await _known(app, run_id)
    if name not in ARTIFACTS:
        raise ResourceNotFoundError(f"no artifact is called {name!r}. There are: {', '.join(ARTIFACTS)}.")
    session = await app.session()
    if candidate != ORIGINAL and candidate not in state.answers:
        raise ResourceNotFoundError(f"run {run_id} has no candidate {candidate!r}.")
    try:
        return await anyio.to_thread.run_sync(session.artifact, state, candidate, name)
    except Exception as error:
        raise ResourceError(error_text(error)) from error


def answer_part(app: AppContext, name: str, offset: str) -> str:
    """Return a part of an answer that was cut.

    Raises:
        ResourceNotFoundError: it is not kept any more, or the offset is no number.
    """
    part = app.whole.part(name, int(offset)) if offset.isdecimal() else None
    if part is None:
        raise ResourceNotFoundError("this answer is not kept any more, or the part is no number: call the tool again.")
    return part


async def variant(app: AppContext, name: str) -> str:
    """Return a variant's manifest.

    Raises:
        ResourceNotFoundError: there is none.
    """
    session = await app.session()

    def read() -> str:
        return to_json(session.used_variants([name])[0])

    try:
        return await anyio.to_thread.run_sync(read)
    except CodeensError as error:
        raise ResourceNotFoundError(str(error)) from None


async def variant_names(app: AppContext) -> list[str]:
    """Return the names of all variants."""
    return list(await anyio.to_thread.run_sync((await app.session()).variants))


async def candidate_ids(app: AppContext, run_id: str) -> list[str]:
    """Return the candidates of a run; none where it is not known."""
    try:
        return [ORIGINAL, *(await _known(app, run_id))[1].answers] if run_id else []
    except ResourceNotFoundError:
        return []


async def _known(app: AppContext, run_id: str) -> tuple[LiveRun | RunState, RunState]:
    try:
        known = await found(app, run_id)
    except CodeensError as error:
        raise ResourceNotFoundError(error_text(error)) from None
    state = known.state if isinstance(known, LiveRun) else known
    if state is None:
        raise ResourceNotFoundError(f"run {run_id} has not begun.")
    return known, state
