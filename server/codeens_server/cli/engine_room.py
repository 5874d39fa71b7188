"""Runs the engine for a command: shows how it goes, and ends it cleanly at Ctrl-C."""

from __future__ import annotations

from pathlib import Path

import anyio
from msgspec import Struct

from codeens_server.cli.live import live_view
from codeens_server.cli.setup import is_trusted, settings_for
from codeens_server.cli.signals import interruptible
from codeens_server.cli.table import console
from codeens_server.config.settings import Settings
from codeens_server.domain import RunDocument, Target
from codeens_server.errors import RunError
from codeens_server.run.engine import Engine
from codeens_server.run.events import RunFinished
from codeens_server.run.request import RunRequest
from codeens_server.run.state import RunState
from codeens_server.run.variants import found_variants
from codeens_server.store.opening import open_store, results_folder


class Job(Struct, frozen=True, kw_only=True):
    """One run to be made."""

    settings: Settings
    request: RunRequest
    target: Target
    root: Path
    """The workspace."""
    trust: bool = False
    resume: str | None = None
    judge_again: bool = False
    """Only judge again what the run has, with the inputs kept since."""


def job_of_stored_run(run_id: str, results: str | None, *, trust: bool) -> tuple[Job, RunState]:
    """To go on with a stored run: by the settings of its own workspace, in the store that it was found in.

    Raises:
        InputError: no such run, or several.
    """
    here = settings_for(trust=trust, results=results)
    with open_store(here) as store:
        stored = anyio.run(store.load, run_id)
    root = Path(stored.target.root)
    settings = settings_for(root, trust=trust, results=str(results_folder(here)), database_url=here.database_url)
    return Job(
        settings=settings, request=stored.request, target=stored.target, root=root, trust=trust, resume=stored.run_id
    ), stored


async def run_job(job: Job, *, quiet: bool) -> RunDocument:
    """Run it and give back its document.

    Raises:
        InputError: the request is wrong; nothing was written.
        RunError: the run could not be completed, or was ended before it found anything.
        SandboxUnavailable: the sandbox asked for cannot isolate here.
    """
    document: RunDocument | None = None
    with open_store(job.settings) as store:
        variants = {
            name: item.variant for name, item in found_variants(job.root, trusted=is_trusted(flag=job.trust)).items()
        }
        engine = Engine(job.settings, store, variants=variants)
        if job.resume is None:
            made = engine.start(job.request, job.target)
        else:
            made = engine.rejudge(job.resume) if job.judge_again else engine.resume(job.resume)
        async with interruptible() as interruption:
            with live_view(console(stderr=True), quiet=quiet) as view:
                async with made as stream:
                    interruption.at_first(stream.stop)
                    async for event in stream:
                        view.show(event, stream.state)
                        if isinstance(event, RunFinished):
                            document = event.run
    if document is None:
        message = "the run was ended before it came to a result; `codeens runs list` shows what was kept."
        raise RunError(message)
    return document
