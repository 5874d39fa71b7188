"""`codeens selector`: which answer is likely right, without running any."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import msgspec
from rich.table import Table

from codeens_server.bench.selector.choosing import Likely, in_order
from codeens_server.bench.selector.training import Evaluation, evaluate, load_labelled, train
from codeens_server.bench.statistics import Estimate
from codeens_server.cli import options
from codeens_server.cli.no_execute import TITLE
from codeens_server.cli.report import console
from codeens_server.errors import InputError
from codeens_server.ranking.selector.model import load_selector
from codeens_server.text import plural, visible


@click.group()
def selector() -> None:
    """Say which answer is likely right without running any, learnt from labelled answers."""


@selector.command("train")
@click.argument("labelled", type=click.Path(path_type=Path))
@click.option("--out", required=True, metavar="FILE", type=options.file_to_write, help="The selector, as JSON.")
def train_command(labelled: Path, out: Path) -> None:
    """Learn from LABELLED: results of `codeens bench run`, or answers that are labelled.

    These are JSONL with `task_id`, `code`, `model`, `style` and `label` (`pass` is right).
    """
    found = train(load_labelled(labelled))
    try:
        out.write_bytes(msgspec.json.format(msgspec.json.encode(found)))
    except OSError as error:
        message = f"{out} cannot be written: {error.strerror}."
        raise InputError(message) from None
    console().print(f"learnt from {plural(found.answers, 'answer')} to {plural(found.tasks, 'task')}; kept in {out}")


@selector.command("eval")
@click.argument("labelled", type=click.Path(path_type=Path))
@click.option("--folds", type=click.IntRange(2), default=5, show_default=True, help="Groups of tasks.")
@options.as_json
def eval_command(labelled: Path, folds: int, as_json: bool) -> None:
    """Say how often its choice is right, each task chosen by what was learnt from other tasks."""
    found = evaluate(load_labelled(labelled), folds)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        _show(found)


@selector.command("choose")
@click.argument("trained", metavar="SELECTOR", type=click.Path(path_type=Path))
@click.argument("answers", type=click.Path(path_type=Path))
@options.as_json
def choose_command(trained: Path, answers: Path, as_json: bool) -> None:
    """Put the answers to each task in ANSWERS in the order of how likely they are right; none is run.

    SELECTOR is what `train` wrote; ANSWERS is JSONL with `task_id`, `code`, `model` and `style`, or results of
    `codeens bench run`.
    """
    show_likely(in_order(answers, load_selector(trained)), as_json=as_json)


def show_likely(found: Sequence[Likely], *, as_json: bool) -> None:
    """Print answers that nobody ran, of each task the likeliest first."""
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    table = Table("task", "line", "model", "style", "likely right", "verdict", title=TITLE, title_justify="left")
    for one in found:
        cells = (one.task_id, str(one.line), one.model, one.style, f"{100 * one.probability:.0f} %", one.status)
        table.add_row(*(visible(cell) for cell in cells))
    console().print(table)


def _show(found: Evaluation) -> None:
    title = f"right choices in % of {plural(found.tasks, 'task')}, one of {found.pool} answers, with 95 % intervals"
    table = Table("way", "right", "the selector is better by", title=title, title_justify="left")
    for name, estimate in found.top1.items():
        over = found.over.get(name)
        table.add_row(name, _told(estimate), _told(over) if over else "")
    console().print(table)
    console().print(f"calibration error {found.calibration_error:.3f}, Brier score {found.brier:.3f}", highlight=False)


def _told(estimate: Estimate) -> str:
    return f"{100 * estimate.value:.1f} ({100 * estimate.low:.1f} to {100 * estimate.high:.1f})"
