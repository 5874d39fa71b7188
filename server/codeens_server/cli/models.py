"""`codeens models`: who wins on the code of this workspace, and who is asked where that is left to it."""

from __future__ import annotations

import anyio
import click
from msgspec import Struct

from codeens import Session
from codeens_server.cli import options
from codeens_server.cli.report import console, plain_table
from codeens_server.cli.session import session_here, settings_of
from codeens_server.domain.systems import Share
from codeens_server.domain.terms import OFFLINE
from codeens_server.generation.models.resolve import AUTO, choose_models
from codeens_server.run.variants import chosen_variants
from codeens_server.search.learning import records_of, shares_of
from codeens_server.store.documents import to_json
from codeens_server.store.statistics import SystemLine
from codeens_server.text import money


class SystemShown(Struct, frozen=True, kw_only=True):
    """A model with a variant."""

    model: str
    variant: str
    runs: int = 0
    won: Share = Share.of(0, 0)
    """Of these runs: its code was the one to take."""
    usd_per_win: float | None = None
    """None: it has not won."""
    asked: float = 0.0
    """How often `auto` would ask it, 0 to 1; 0 also where it cannot be asked."""


@click.command()
@click.option("--everywhere", is_flag=True, help="On all code of the store, not of this workspace alone.")
@options.results
@options.trust_workspace
@options.as_json
def models(everywhere: bool, results: str | None, trust_workspace: bool, as_json: bool) -> None:
    """Say who wins on your code, what a win costs, and how often `--model auto` would ask each."""
    session = session_here(trust=trust_workspace, results=results)
    found = anyio.run(_looked_up, session, everywhere)
    if as_json:
        click.echo(to_json(found, indent=2))
        return
    table = plain_table("model", "variant", "runs", "wins", "$ a win", "auto asks")
    for each in found:
        wins = f"{each.won.value:.0%} [{100 * each.won.low:.0f}, {100 * each.won.high:.0f}]" if each.runs else "-"
        price = money(each.usd_per_win) if each.usd_per_win is not None else "-"
        table.add_row(each.model, each.variant, str(each.runs), wins, price, f"{each.asked:.0%}")
    console().print(table)


async def _looked_up(session: Session, everywhere: bool) -> list[SystemShown]:
    async with session:
        settings = settings_of(session)
        asked = await choose_models((AUTO,), settings, session.environ, editor=False)
        installed = {name: found.variant for name, found in session.variants().items()}
        variants = chosen_variants((), settings, installed)
        statistics = (await session.opened_store()).statistics
        lines = await statistics.systems("" if everywhere else str(session.root))
    shares = shares_of([(model.name, variant.name) for model in asked for variant in variants], records_of(lines))
    known = [_shown(line, shares.pop((line.model, line.variant), 0.0)) for line in lines if line.model != OFFLINE]
    new = [SystemShown(model=model, variant=variant, asked=share) for (model, variant), share in shares.items()]
    return known + new


def _shown(line: SystemLine, share: float) -> SystemShown:
    return SystemShown(
        model=line.model,
        variant=line.variant,
        runs=line.runs,
        won=line.won,
        usd_per_win=line.usd_per_win,
        asked=share,
    )
