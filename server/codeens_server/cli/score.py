"""`codeens score`: judge given candidates on a task file."""

from __future__ import annotations

from pathlib import Path

import anyio
import click
from rich.table import Table
from rich.text import Text

from codeens_sandbox_backends.base import SandboxSpec
from codeens_sandbox_backends.executor import open_executor
from codeens_sandbox_backends.registry import get_backend
from codeens_server.cli import options
from codeens_server.cli.setup import settings_for, workspace_here
from codeens_server.cli.signals import interruptible
from codeens_server.cli.table import console, verdict_text
from codeens_server.config.settings import Settings
from codeens_server.errors import InputError, RunError
from codeens_server.store.documents import to_json
from codeens_server.tasks.reading import load_task
from codeens_server.tasks.schema import ScoredCandidate, ScoreReport, Task
from codeens_server.tasks.scoring import score_task
from codeens_server.text import one_line
from codeens_server.workspace.environment import interpreter_for

_MAX_SOURCE_BYTES = 1 << 20


@click.command()
@click.argument("task_file", metavar="TASK.json", type=click.Path(path_type=Path))
@click.argument("candidates", metavar="CANDIDATE.py...", nargs=-1, required=True, type=click.Path(path_type=Path))
@options.sandbox
@options.trust_workspace
@options.as_json
def score(
    task_file: Path, candidates: tuple[Path, ...], sandbox: str | None, trust_workspace: bool, as_json: bool
) -> None:
    """Judge each candidate file by all that the task demands. The task may be JSON or YAML."""
    task = load_task(task_file)
    scored = [ScoredCandidate(id=path.name, source=_source(path)) for path in candidates]
    settings = settings_for(trust=trust_workspace, sandbox=sandbox)
    report = anyio.run(_score, task, scored, settings)
    if as_json:
        click.echo(to_json(report, indent=2))
    else:
        console().print(_table(report))


async def _score(task: Task, candidates: list[ScoredCandidate], settings: Settings) -> ScoreReport:
    python = interpreter_for(workspace_here(), settings)
    spec = SandboxSpec(python=str(python), limits=settings.limits)
    async with interruptible(), open_executor(get_backend(settings.sandbox), spec, settings.parallel) as executor:
        return await score_task(
            task, candidates, sandbox=executor, sandbox_label=executor.label, limits=settings.limits
        )
    message = "the scoring was ended before it was done."
    raise RunError(message)


def _source(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_SOURCE_BYTES + 1)
        if len(data) > _MAX_SOURCE_BYTES:
            message = f"{path} is larger than {_MAX_SOURCE_BYTES} bytes, which no candidate needs to be."
            raise InputError(message)
        return data.decode("utf-8-sig")
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}."
        raise InputError(message) from None
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8."
        raise InputError(message) from None


def _table(report: ScoreReport) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("", "candidate", "score", "verdict"):
        table.add_column(heading, overflow="fold")
    for result in report.results:
        table.add_row(
            "-" if result.rank is None else str(result.rank),
            Text(one_line(result.candidate.id)),
            f"{result.weight_passed:g}/{result.weight_total:g}",
            verdict_text(result.verdict, f"{result.verdict.passed}/{result.verdict.total} checks", result.reason),
        )
    return table
