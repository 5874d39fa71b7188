"""`codeens bench report`: what the records of benchmarks come to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

import anyio
import click
import msgspec

from codeens_server.bench.records import Record
from codeens_server.bench.report.build import build_report, latest
from codeens_server.bench.report.model import BenchReport, Scores
from codeens_server.bench.report.page import as_page
from codeens_server.bench.report.pictures import Theme, write_pictures
from codeens_server.bench.report.scores import load_record_scorers, scores_of
from codeens_server.bench.report.text import as_markdown, as_table
from codeens_server.bench.results import read_records
from codeens_server.cli import options
from codeens_server.cli.report import console
from codeens_server.config.settings import Weights
from codeens_server.errors import Hint, InputError, unknown

_FORMATS = ("terminal", "md", "html", "png", "pdf", "json")
_PICTURES = ("png", "pdf")


def _weights(_: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, float]:
    found: dict[str, float] = {}
    for text in given:
        name, _sign, number = text.partition("=")
        try:
            found[name] = float(number)
        except ValueError:
            raise click.BadParameter(f"{text!r} is not of the form {parameter.metavar}.") from None
    return found


@click.command("report")
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "kind", type=click.Choice(_FORMATS), help="Default: what --out ends in, or terminal.")
@click.option("--out", metavar="FILE", type=options.file_to_write, help="Write it there; pictures need it.")
@click.option("--against", metavar="RESULTS", type=click.Path(path_type=Path), help="Compare with an earlier run.")
@click.option("--scores", is_flag=True, help="Add scores: correctness 40, quality 25, speed 20, efficiency 15.")
@click.option("--weight", "weights", multiple=True, metavar="PART=N", callback=_weights, help="Weigh scores otherwise.")
@click.option("--scorer", "scorers", multiple=True, metavar="NAME=N", callback=_weights, help="Add a part of your own.")
@click.option("--theme", type=click.Choice(get_args(Theme)), default="light", help="Of pictures.")
def report(
    results: tuple[Path, ...],
    kind: str | None,
    out: Path | None,
    against: Path | None,
    scores: bool,
    weights: dict[str, float],
    scorers: dict[str, float],
    theme: Theme,
) -> None:
    """Show pass@k with intervals, who beats whom, cost, speed and failures of the RESULTS of `codeens bench run`."""
    form = kind or (out.suffix[1:] if out and out.suffix[1:] in _FORMATS else "terminal")
    if form in _PICTURES and out is None:
        message = f"a {form} is a file; name it."
        raise InputError(message, hint=Hint("fix", f"The option is --out report.{form}."))
    records = latest(_records(results))
    scored = _scores(records, weights, scorers) if scores or weights or scorers else None
    whole = build_report(records, read_records(against) if against else (), scored)
    if not whole.systems:
        message = f"{', '.join(map(str, results))}: there are no records."
        raise InputError(message)
    if form in _PICTURES and out is not None:
        write_pictures(whole, out, theme)
    elif form == "terminal" and out is None:
        console().print(as_table(whole))
    else:
        _write(_text(whole, form, results), out)


def _scores(records: Sequence[Record], given: dict[str, float], scorers: dict[str, float]) -> Scores:
    parts = list(msgspec.structs.asdict(Weights()))
    for name in given:
        if name not in parts:
            raise InputError(unknown("part of the score", name, parts))
    weights = msgspec.structs.replace(Weights(), **given)
    return anyio.run(scores_of, records, weights, load_record_scorers(scorers), scorers)


def _records(paths: Sequence[Path]) -> Iterator[Record]:
    for path in paths:
        yield from read_records(path)


def _text(whole: BenchReport, form: str, paths: Sequence[Path]) -> str:
    if form == "html":
        return as_page(whole, _records(paths))
    return msgspec.json.encode(whole).decode() + "\n" if form == "json" else as_markdown(whole)


def _write(text: str, out: Path | None) -> None:
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"{out} cannot be written: {error.strerror}."
        raise InputError(message) from None
