"""`codeens variants`: the ways to ask."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from codeens_server.cli import options
from codeens_server.cli.report import console, plain_table
from codeens_server.cli.session import session_here, settings_of
from codeens_server.errors import InputError, unknown
from codeens_server.run.variants import is_used, switch_variant
from codeens_server.store.documents import to_json
from codeens_server.text import one_line, visible
from codeens_variants.manifest import ManifestError
from codeens_variants.registry import FoundVariant, validate_file


@click.group()
def variants() -> None:
    """List, show, check and switch prompt variants."""


@variants.command("list")
@options.trust_workspace
@options.as_json
def list_variants(trust_workspace: bool, as_json: bool) -> None:
    """List the variants found, and which are used when none is named."""
    session = session_here(trust=trust_workspace)
    found, settings = session.variants(), settings_of(session)
    used = {name for name, item in found.items() if is_used(item.variant, settings)}
    if as_json:
        rows = [
            {
                "name": name,
                "description": item.variant.description,
                "goal": item.variant.goal,
                "origin": item.origin,
                "path": str(item.path),
                "used": name in used,
            }
            for name, item in found.items()
        ]
        click.echo(to_json(rows, indent=2))
        return
    table = plain_table("used", "name", "goal", "from", "description")
    for name, item in found.items():
        text = Text(one_line(item.variant.description))
        table.add_row("yes" if name in used else "no", name, item.variant.goal, item.origin, text)
    console().print(table)


@variants.command()
@click.argument("name")
@options.trust_workspace
@options.as_json
def show(name: str, trust_workspace: bool, as_json: bool) -> None:
    """Show a variant with its prompt."""
    item = _named(name, trust=trust_workspace)
    if as_json:
        click.echo(to_json(item.variant, indent=2))
        return
    variant = item.variant
    click.echo(f"{variant.name}: {visible(variant.description)}")
    click.echo(f"goal {variant.goal}, temperature {variant.temperature}, from {item.origin}: {visible(str(item.path))}")
    if variant.rewrites:
        click.echo(f"offline rewrites: {', '.join(variant.rewrites)}")
    click.echo(f"\n{visible(variant.prompt)}")


@variants.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
def validate(files: tuple[Path, ...]) -> None:
    """Check manifest files; all problems are told."""
    problems: list[str] = []
    for path in files:
        try:
            click.echo(f"{visible(str(path))}: variant {validate_file(path).name} is valid")
        except ManifestError as error:
            problems.append(str(error))
    if problems:
        raise InputError("\n".join(problems))


@variants.command()
@click.argument("name")
@options.trust_workspace
def enable(name: str, trust_workspace: bool) -> None:
    """Use a variant again when none is named."""
    item = _named(name, trust=trust_workspace)
    if not item.variant.enabled:
        message = (
            f"the manifest of {name} says enabled = false; change it in {item.path}, or name it: --variant {name}."
        )
        raise InputError(message)
    _switch(name, disabled=False)


@variants.command()
@click.argument("name")
@options.trust_workspace
def disable(name: str, trust_workspace: bool) -> None:
    """Do not use a variant unless it is named."""
    _named(name, trust=trust_workspace)
    _switch(name, disabled=True)


def _switch(name: str, *, disabled: bool) -> None:
    """Change the user's own list only; what a workspace or the environment says stands before it."""
    path = switch_variant(name, disabled=disabled)
    click.echo(f"{name} is {'disabled' if disabled else 'enabled'} in {path}")
    if (name in settings_of(session_here()).disabled_variants) is not disabled:
        click.echo("warning: disabled_variants of the environment or of this workspace says otherwise", err=True)


def _named(name: str, *, trust: bool) -> FoundVariant:
    found = session_here(trust=trust).variants()
    if name not in found:
        raise InputError(unknown("variant", name, list(found)))
    return found[name]
