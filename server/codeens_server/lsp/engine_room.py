"""Runs the engine for the language server. Takes long to import, so that it is imported by the first run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from codeens_server.config.settings import Settings
from codeens_server.domain import Case, Run, Target
from codeens_server.errors import InputError, RunError
from codeens_server.files import private_folder, safe_name, write_private
from codeens_server.generation.models.exchange import EditorModel
from codeens_server.run.engine import Engine
from codeens_server.run.events import RunEvent
from codeens_server.run.pinning import decided_case
from codeens_server.run.request import RunRequest
from codeens_server.run.variants import found_variants
from codeens_server.store.opening import open_store, results_folder
from codeens_server.store.stored import StoredRun


class Job(Struct, frozen=True, kw_only=True):
    """A run to be made."""

    settings: Settings
    request: RunRequest
    target: Target
    trusted: bool
    judge_again: str | None = None
    """Id of a run whose candidates are judged again, with the inputs kept since; nothing new is asked for."""


async def run_job(
    job: Job,
    *,
    editor_model: EditorModel | None,
    at_start: Callable[[Callable[[], None]], None],
    take: Callable[[RunEvent], None],
) -> None:
    """Run it to its end.

    Args:
        editor_model: asks the models of the editor.
        at_start: gets what ends the work and keeps what was found.
        take: gets every event.

    Raises:
        InputError: the request is wrong; nothing was written.
        RunError: the run could not be completed.
        SandboxError: the sandbox asked for cannot isolate here.
    """
    root = Path(job.target.root)
    found = found_variants(root, trusted=job.trusted)
    variants = {name: item.variant for name, item in found.items()}
    with open_store(job.settings) as store:
        engine = Engine(job.settings, store, cwd=root, variants=variants, editor_model=editor_model)
        again = job.judge_again
        async with engine.run(job.request, target=job.target, resume=again, judge_again=again is not None) as stream:
            at_start(stream.stop)
            async for event in stream:
                take(event)


async def pin_input(run: Run, number: int, right: int | None, *, settings: Settings, sandbox: str) -> Case:
    """Decide what is right on an input where candidates differ, and keep it with the run.

    Raises:
        InputError: there is no such input, or nobody says what is right on it.
        SandboxError: the sandbox failed.
    """
    case = await decided_case(run, number, right, settings=settings, sandbox=sandbox)
    with open_store(settings) as store:
        await store.pin_case(run.run_id, case)
    return case


async def finished_run(run_id: str, settings: Settings) -> tuple[StoredRun, Run]:
    """What the store has of a run, whoever made it, and its document.

    Raises:
        InputError: there is no such run, or it did not come to an end.
        RunError: the store cannot be read.
    """
    with open_store(settings) as store:
        stored = await store.load(run_id)
    if stored.run is None:
        raise InputError(f"run {stored.run_id} did not come to an end. Go on: codeens run --resume {stored.run_id}")
    return stored, stored.run


def write_artifact(settings: Settings, run_id: str, name: str, text: str) -> Path:
    """Write a file beside those of a run, for the editor to show.

    Raises:
        RunError: the results folder cannot be written.
    """
    try:
        path = private_folder(results_folder(settings) / f"run_{safe_name(run_id)}") / safe_name(name)
        write_private(path, text)
    except OSError as error:
        raise RunError(f"{error.filename} cannot be written: {error.strerror}.") from error
    return path
