"""Turns an input on which candidates differ into a case: somebody decides what is right on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio.to_thread

from codeens_sandbox_backends.executor import open_executor
from codeens_sandbox_backends.programs import Program
from codeens_sandbox_backends.registry import get_backend
from codeens_server.config.settings import Settings
from codeens_server.domain.document import DistinguishingInput, RunDocument
from codeens_server.domain.evidence import Case
from codeens_server.domain.terms import ORIGINAL
from codeens_server.errors import Hint, InputError
from codeens_server.run.events import CasePinned
from codeens_server.run.state import RunState
from codeens_server.text import plural
from codeens_server.workspace.edit import program_for
from codeens_server.workspace.environment import sandbox_spec

if TYPE_CHECKING:
    from codeens_server.store.runs import RunStore


async def pin(store: RunStore, run_id: str, number: int, right: int | None, *, settings: Settings) -> Case:
    """Hold the candidates of a finished run to an input on which they differ, and return it as a case.

    No verdict of before counts any more: the run is to be judged again.

    Args:
        store: where the run is kept.
        run_id: of the run.
        number: of the input, counted from 1 as `RunDocument.numbered_differences` does.
        right: the index of the cluster that is right; None: the original, when the run improved it.
        settings: of the run's workspace.

    Raises:
        InputError: there is no such run or input, the run did not come to an end, nobody says what is right on the
            input, or it is nothing to hold a candidate to.
        SandboxError: the sandbox failed.
    """
    state = await store.load(run_id)
    case = await _decided(finished(state), number, right, settings=settings, sandbox=state.request.sandbox)
    pinned = CasePinned(case=case)
    state.apply(pinned)
    await store.append(state, pinned)
    return case


def finished(state: RunState) -> RunDocument:
    """Return the document of a run.

    Raises:
        InputError: it did not come to an end.
    """
    if state.document is None:
        message = f"run {state.run_id} did not come to an end; it can be gone on with."
        raise InputError(message, code="run_not_finished", hint=Hint("runs", state.run_id))
    return state.document


async def _decided(run: RunDocument, number: int, right: int | None, *, settings: Settings, sandbox: str) -> Case:
    from codeens_server.judging.clusters import keep

    group, difference = _numbered(run, number)
    program = _program(run, _right_member(run, group, difference, right))
    spec = await anyio.to_thread.run_sync(sandbox_spec, run.target, settings)
    async with open_executor(get_backend(sandbox), spec, settings.parallel) as executor:
        return await keep(difference, program, sandbox=executor)


def _numbered(run: RunDocument, number: int) -> tuple[int, DistinguishingInput]:
    differences = run.numbered_differences()
    if 1 <= number <= len(differences):
        return differences[number - 1]
    message = f"run {run.run_id} has {plural(len(differences), 'input')} on which candidates differ, not {number}."
    raise InputError(message, code="no_such_difference")


def _right_member(run: RunDocument, group: int, difference: DistinguishingInput, right: int | None) -> str:
    groups = (group, difference.other)
    if right is None:
        if run.mode == "improve":
            return ORIGINAL
        message = f"say which group is right on this input, {groups[0]} or {groups[1]}."
        raise InputError(message, code="right_not_said", hint=Hint("option", "right"))
    if right not in groups:
        message = f"this input tells groups {groups[0]} and {groups[1]} apart; {right} is neither."
        raise InputError(message, code="right_is_neither", hint=Hint("option", "right"))
    cluster = next(cluster for cluster in run.clusters if cluster.index == right)
    return ORIGINAL if ORIGINAL in cluster.members else cluster.members[0]


def _program(run: RunDocument, member: str) -> Program:
    row = next((row for row in run.results if row.candidate.id == member), None)
    return program_for(run.target, None if row is None else row.candidate.replacement)
