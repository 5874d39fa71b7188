"""Options that several commands share, and values that answer a wrong one with the nearest right one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import click

from codeens_server.cli.report import BEST
from codeens_server.domain.terms import Effort, Goal, ModeRequest
from codeens_server.errors import unknown

GOALS: tuple[str, ...] = get_args(Goal)
EFFORTS: tuple[str, ...] = get_args(Effort)
MODES: tuple[str, ...] = get_args(ModeRequest)


def one_of(kind: str, known: tuple[str, ...]) -> Callable[[str], str]:
    """Return a type of option that takes one of these names."""

    def check(text: str) -> str:
        if text not in known:
            raise click.BadParameter(unknown(kind, text, list(known)))
        return text

    return check


def file_to_write(text: str) -> Path:
    """Read the path of a file that is written at the end: it must be one that can be, before anything is done."""
    path = Path(text)
    folder = path.absolute().parent
    if path.is_dir():
        raise click.BadParameter(f"{text!r} is a folder.")
    if not folder.is_dir():
        raise click.BadParameter(f"there is no folder {folder}.")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise click.BadParameter(f"{text!r} cannot be written.")
    return path


def rank(text: str) -> int | str:
    """Read the number of a row, or the word for the best one."""
    if text == BEST:
        return BEST
    if not text.isascii() or not text.isdecimal():
        raise click.BadParameter(f"{text!r} is not a rank. Write a number, and the target before this option.")
    return int(text)


def _from_here(ctx: click.Context, parameter: click.Parameter, given: str | None) -> str | None:
    del ctx, parameter
    return str(Path(given).absolute()) if given else None


as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document, and nothing else.")
selector = click.option(
    "--selector",
    metavar="FILE",
    callback=_from_here,
    help="What `codeens selector train` made: of answers that wait, the likeliest to be right runs first.",
)
engine = click.option(
    "--engine",
    metavar="ray[://HOST:PORT]",
    help="Judge on the nodes of a Ray cluster: of CODEENS_RAY_ADDRESS, else on this machine, or of this address.",
)
results = click.option("--results", metavar="DIR", help="Keep runs in this folder instead of the user's data folder.")
trust_workspace = click.option(
    "--trust-workspace",
    is_flag=True,
    help="Take from the workspace's settings also what can run code, move data or spend money.",
)
sandbox = click.option("--sandbox", metavar="NAME", help="Where candidates run: one that `codeens sandbox list` names.")
