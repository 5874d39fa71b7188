"""`codeens score`: judge given candidates on a task file."""

from __future__ import annotations

from pathlib import Path

import anyio
import click
from rich.table import Table
from rich.text import Text

from codeens_server.cli import options
from codeens_server.cli.report import console, plain_table, verdict_text
from codeens_server.cli.session import session_here, settings_of, unless_interrupted
from codeens_server.errors import InputError
from codeens_server.files import read_regular
from codeens_server.store.documents import to_json
from codeens_server.tasks.schema import ScoreReport, Task
from codeens_server.text import one_line
from codeens_server.views.cells import is_unsafe

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
    task = Task.from_file(task_file)
    sources = {(path.name if _is_only(path, candidates) else str(path)): _source(path) for path in candidates}
    session = session_here(trust=trust_workspace, sandbox=sandbox)
    settings_of(session)

    async def judge() -> ScoreReport:
        async with session:
            return (await session.judge(task, sources, author="")).document

    report = anyio.run(unless_interrupted, judge, "the scoring was ended before it was done.")
    if as_json:
        click.echo(to_json(report, indent=2))
    else:
        console().print(_table(report))


def _is_only(path: Path, others: tuple[Path, ...]) -> bool:
    return sum(other.name == path.name for other in others) == 1


def _source(path: Path) -> str:
    try:
        return read_regular(path, _MAX_SOURCE_BYTES).decode("utf-8-sig")
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}."
        raise InputError(message) from None
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8."
        raise InputError(message) from None


def _table(report: ScoreReport) -> Table:
    table = plain_table("", "candidate", "score", "verdict")
    for result in report.results:
        verdict = result.verdict
        said = f"{verdict.passed}/{verdict.total} checks" if verdict.status == "passed" else one_line(result.reason)
        unsafe = is_unsafe(verdict)
        table.add_row(
            "-" if result.rank is None else str(result.rank),
            Text(one_line(result.candidate.id)),
            f"{result.weight_passed:g}/{result.weight_total:g}",
            verdict_text(verdict.status, f"{said}, NOT ISOLATED" if unsafe else said, unsafe=unsafe),
        )
    return table
