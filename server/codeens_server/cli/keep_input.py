"""`codeens runs keep-input`: decide what is right on an input where candidates differ, and judge them all by it."""

from __future__ import annotations

import anyio
import click
from msgspec.structs import replace

from codeens_sandbox_backends.base import Program
from codeens_sandbox_backends.registry import get_backend
from codeens_server.cli import options
from codeens_server.cli.engine_room import Job, job_of_stored_run, run_job
from codeens_server.cli.report import numbered_differences, print_run
from codeens_server.cli.table import console
from codeens_server.cli.text import plural
from codeens_server.domain import Case, Cluster, Difference, Run
from codeens_server.errors import InputError
from codeens_server.executor import open_executor
from codeens_server.judging.keep import keep
from codeens_server.progress import ORIGINAL
from codeens_server.store.documents import to_json
from codeens_server.store.opening import open_store
from codeens_server.workspace.environment import sandbox_spec
from codeens_server.workspace.program import program_for


@click.command("keep-input")
@click.argument("run_id", metavar="ID")
@click.argument("number", metavar="N", type=int)
@click.option(
    "--right", type=int, metavar="G", help="The group that is right. Default: the original, when it was improved."
)
@options.results
@options.trust_workspace
@options.as_json
def keep_input(
    run_id: str, number: int, right: int | None, results: str | None, trust_workspace: bool, as_json: bool
) -> None:
    """Hold all candidates to input N of `codeens runs show ID`, and rank them again. No model is asked."""
    job, stored = job_of_stored_run(run_id, results, trust=trust_workspace)
    if stored.run is None:
        message = f"run {stored.run_id} did not come to an end. Go on with it: codeens run --resume {stored.run_id}"
        raise InputError(message)
    case = anyio.run(_decided_case, stored.run, number, right, job)
    with open_store(job.settings) as store:
        anyio.run(store.keep_case, stored.run_id, case)
    document = anyio.run(lambda: run_job(replace(job, judge_again=True), quiet=as_json))
    if as_json:
        click.echo(to_json(document, indent=2))
    else:
        print_run(document, console())


async def _decided_case(run: Run, number: int, right: int | None, job: Job) -> Case:
    """The case that says what is right on an input."""
    group, difference = _numbered(run, number)
    program = _program(run, _right_member(run, group, difference, right))
    spec = sandbox_spec(run.target, job.settings)
    async with open_executor(get_backend(job.request.sandbox), spec, job.settings.parallel) as executor:
        return await executor.run(lambda sandbox: keep(difference, program, sandbox=sandbox))


def _numbered(run: Run, number: int) -> tuple[int, Difference]:
    differences = numbered_differences(run)
    if 1 <= number <= len(differences):
        return differences[number - 1]
    message = f"run {run.run_id} has {plural(len(differences), 'input')} on which candidates differ, not {number}."
    raise InputError(message)


def _right_member(run: Run, group: int, difference: Difference, right: int | None) -> str:
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
