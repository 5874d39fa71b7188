"""`codeens runs pin-input`: decide what is right on an input where candidates differ, and judge them all by it."""

from __future__ import annotations

import anyio
import click
from msgspec.structs import replace

from codeens_server.cli import options
from codeens_server.cli.engine_room import job_of_stored_run, run_job
from codeens_server.cli.report import print_run
from codeens_server.cli.table import console
from codeens_server.run.pinning import finished, pin
from codeens_server.store.documents import to_json
from codeens_server.store.opening import open_store


@click.command("pin-input")
@click.argument("run_id", metavar="ID")
@click.argument("number", metavar="N", type=int)
@click.option(
    "--right", type=int, metavar="G", help="The group that is right. Default: the original, when it was improved."
)
@options.results
@options.trust_workspace
@options.as_json
def pin_input(
    run_id: str, number: int, right: int | None, results: str | None, trust_workspace: bool, as_json: bool
) -> None:
    """Hold all candidates to input N of `codeens runs show ID`, and rank them again. No model is asked."""
    job, stored = job_of_stored_run(run_id, results, trust=trust_workspace)
    finished(stored)
    with open_store(job.settings) as store:
        anyio.run(lambda: pin(store, stored.run_id, number, right, settings=job.settings))
    document = anyio.run(lambda: run_job(replace(job, judge_again=True), quiet=as_json))
    if as_json:
        click.echo(to_json(document, indent=2))
    else:
        print_run(document, console())
