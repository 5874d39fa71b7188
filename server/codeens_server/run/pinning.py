"""Turns an input on which candidates differ into a case: somebody decides what is right on it."""

from __future__ import annotations

from codeens_sandbox_backends.base import Program
from codeens_sandbox_backends.executor import open_executor
from codeens_sandbox_backends.registry import get_backend
from codeens_server.config.settings import Settings
from codeens_server.domain import ORIGINAL, Case, Cluster, DistinguishingInput, Run
from codeens_server.errors import InputError
from codeens_server.judging.clusters import keep
from codeens_server.run.differences import numbered_differences
from codeens_server.text import plural
from codeens_server.workspace.edit import program_for
from codeens_server.workspace.environment import sandbox_spec


async def decided_case(run: Run, number: int, right: int | None, *, settings: Settings, sandbox: str) -> Case:
    """The case that says what is right on an input, as `numbered_differences` counts them from 1.

    Args:
        right: the index of the cluster that is right; None: the original, when the run improved it.

    Raises:
        InputError: there is no such input, nobody says what is right on it, or it is nothing to hold a candidate to.
        SandboxError: the sandbox failed.
    """
    group, difference = _numbered(run, number)
    program = _program(run, _right_member(run, group, difference, right))
    spec = sandbox_spec(run.target, settings)
    async with open_executor(get_backend(sandbox), spec, settings.parallel) as executor:
        return await keep(difference, program, sandbox=executor)


def _numbered(run: Run, number: int) -> tuple[int, DistinguishingInput]:
    differences = numbered_differences(run)
    if 1 <= number <= len(differences):
        return differences[number - 1]
    message = f"run {run.run_id} has {plural(len(differences), 'input')} on which candidates differ, not {number}."
    raise InputError(message)


def _right_member(run: Run, group: int, difference: DistinguishingInput, right: int | None) -> str:
    groups = (group, difference.other)
    if right is None:
        if run.mode == "improve":
            return ORIGINAL
        message = f"say which group is right on this input: --right {groups[0]} or --right {groups[1]}."
        raise InputError(message)
    if right not in groups:
        message = f"this input tells groups {groups[0]} and {groups[1]} apart; --right {right} is neither."
        raise InputError(message)
    cluster: Cluster = next(cluster for cluster in run.clusters if cluster.index == right)
    return ORIGINAL if ORIGINAL in cluster.members else cluster.members[0]


def _program(run: Run, member: str) -> Program:
    row = next((row for row in run.results if row.candidate.id == member), None)
    return program_for(run.target, None if row is None else row.candidate.replacement)
