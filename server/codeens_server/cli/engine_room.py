"""Runs the engine for a command: shows how it goes, and ends it cleanly at Ctrl-C."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from codeens_server.cli.live import live_view
from codeens_server.cli.manifests import found_variants
from codeens_server.cli.signals import interruptible
from codeens_server.cli.table import console
from codeens_server.domain import Run, RunFinished, RunRequest
from codeens_server.engine import Engine
from codeens_server.errors import RunError
from codeens_server.settings import Settings
from codeens_server.store.opening import open_store


class Job(Struct, frozen=True, kw_only=True):
    """One run to be made."""

    settings: Settings
    request: RunRequest
    root: Path
    """The workspace."""
    trust: bool = False
    resume: str | None = None


async def run_job(job: Job, *, quiet: bool) -> Run:
    """Run it and give back its document.

    Raises:
        InputError: the request is wrong; nothing was written.
        RunError: the run could not be completed, or was ended before it found anything.
        SandboxUnavailable: the sandbox asked for can not isolate here.
    """
    document: Run | None = None
    with open_store(job.settings) as store:
        variants = {name: item.variant for name, item in found_variants(job.root, trust=job.trust).items()}
        engine = Engine(job.settings, store, cwd=job.root, variants=variants)
        async with interruptible() as interruption:
            with live_view(console(stderr=True), quiet=quiet) as view:
                async with engine.run(job.request, resume=job.resume) as stream:
                    interruption.at_first(stream.stop)
                    async for event in stream:
                        view.show(event)
                        if isinstance(event, RunFinished):
                            document = event.run
    if document is None:
        message = "the run was ended before it came to a result; `codeens runs list` shows what was kept."
        raise RunError(message)
    return document
