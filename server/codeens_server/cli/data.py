"""`codeens data`: prepare data sets."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from codeens_server.bench.etl import Sampled, convert
from codeens_server.cli import options
from codeens_server.text import plural

_EVERY = 500


@click.group()
def data() -> None:
    """Prepare data sets for `codeens bench`."""


@data.group()
def etl() -> None:
    """Extract from a data set what codeens needs of it."""


@etl.command("code_contests")
@click.argument("source", metavar="SRC", type=click.Path(path_type=Path, exists=True))
@click.option("--out", "target", metavar="DST.jsonl", required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--share", type=click.FloatRange(0, 1, min_open=True), default=1.0, help="Share of the problems, drawn.")
@click.option("--seed", type=int, default=0, help="Draws them.")
@click.option("--max", "most", type=click.IntRange(1), metavar="N", help="The first N of those.")
@click.option("--solutions", "most_solutions", type=click.IntRange(1), default=20, metavar="N", help="Of each problem.")
@options.as_json
def code_contests(
    source: Path, target: Path, share: float, seed: int, most: int | None, most_solutions: int, as_json: bool
) -> None:
    """Write CodeContests' problems with their programs in Python 3, a line each.

    SRC is a parquet file of the data set, or a folder of them. `codeens bench run code_contests --data DST.jsonl` reads
    what comes out.
    """

    def say(read: int, written: int) -> None:
        if not as_json and not written % _EVERY:
            click.echo(f"{read} read, {written} written", err=True)

    counted = convert(source, target, Sampled(share=share, seed=seed, most=most, most_solutions=most_solutions), say)
    if as_json:
        click.echo(msgspec.json.encode(counted).decode())
        return
    click.echo(
        f"{plural(counted.written, 'problem')} of {counted.read} written to {target}, "
        f"{counted.without_solution} of them without a program in Python 3"
    )
