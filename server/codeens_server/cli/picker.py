"""`codeens run` without a target, in a terminal: asks for the target, models and variants, and shows sources after."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from rich.syntax import Syntax

from codeens import RunKeywords, Session
from codeens_server.cli.report import console
from codeens_server.domain.document import RunDocument
from codeens_server.generation.models.resolve import resolve_models
from codeens_server.workspace.functions import functions_in
from codeens_server.workspace.text import parse_source

_MOST = 30


def picked(session: Session, asked: RunKeywords) -> tuple[str, RunKeywords]:
    """Return the target and options that a person picks. Blocks until they have answered."""
    choices = _functions(session.workspace)
    if choices:
        _listed(choices)
    target = click.prompt("Function, its number, or a task as humaneval/17")
    if target.isdecimal() and 0 < int(target) <= len(choices):
        target = choices[int(target) - 1]
    options = RunKeywords(**asked)
    models = [model.name for model in resolve_models((), session.settings(), session.environ)]
    if not asked.get("models") and len(models) > 1:
        options["models"] = _several("Models", models)
    if not asked.get("variants"):
        options["variants"] = _several("Variants", [variant.name for variant in session.used_variants()])
    return target, options


def show_sources(document: RunDocument) -> None:
    """Show the source of any row that a person names, until they name none."""
    ranked = {str(row.rank): row for row in document.results if row.rank is not None}
    while (answer := click.prompt("Source of rank", default="", show_default=False)) in ranked:
        console().print(Syntax(ranked[answer].candidate.source, "python", background_color="default"))


def _several(what: str, names: Sequence[str]) -> tuple[str, ...]:
    _listed(names)
    answer = click.prompt(f"{what}, as 1,3", default="all")
    numbers = [part.strip() for part in answer.split(",")]
    chosen = tuple(names[int(part) - 1] for part in numbers if part.isdecimal() and 0 < int(part) <= len(names))
    return chosen or tuple(names)


def _listed(names: Sequence[str]) -> None:
    for number, name in enumerate(names, start=1):
        click.echo(f"{number:3}  {name}")


def _functions(folder: Path) -> list[str]:
    """Return functions of the folder's own modules; those of folders below are for the person to write out."""
    found: list[str] = []
    for path in sorted(folder.glob("*.py")):
        try:
            module = parse_source(path.read_text(encoding="utf-8"), path.name)
        except Exception:  # noqa: BLE001, S112  a file that cannot be read offers nothing
            continue
        found += [f"{path.name}::{site.qualname}" for site in functions_in(module) if not site.is_nested]
    return found[:_MOST]
