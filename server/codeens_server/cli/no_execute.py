"""`--no-execute`: answers that nobody runs, in the order in which a selector would trust them."""

from __future__ import annotations

import click
from click.core import ParameterSource
from msgspec import Struct
from rich.table import Table

from codeens import Code, RunKeywords, Session
from codeens_server.config.settings import Settings
from codeens_server.domain.target import Target
from codeens_server.errors import Hint, InputError
from codeens_server.ranking.selector.features import Submission
from codeens_server.ranking.selector.model import Selector, chosen_selector
from codeens_server.text import money, one_line, plural, visible

NOT_RUN = "not run"
TITLE = "not run, not proven"
_MAY_GO_WITH = {
    *("target", "mode", "models", "variants", "samples", "budget_usd"),
    *("no_execute", "selector", "results", "trust_workspace", "as_json"),
}


class NotRun(Struct, frozen=True, kw_only=True):
    """An answer that nobody ran."""

    id: str
    model: str
    variant: str
    sample: int
    source: str
    probability: float
    """How likely it is right, by what a selector has learnt of other answers."""
    same_as: str | None = None
    """The answer with the same code that stands above it."""
    status: str = NOT_RUN


class NotRunDocument(Struct, frozen=True, kw_only=True):
    """What was asked for, and not run."""

    function: str
    mode: str
    candidates: tuple[NotRun, ...]
    failures: tuple[str, ...]
    cost_usd: float
    cost_known: bool


def needed_selector(settings: Settings) -> Selector:
    """Return the selector that answers are ranked by. Blocks.

    Raises:
        InputError: none is named, or it is none.
    """
    found = chosen_selector(settings)
    if found is None:
        message = "what is not run is ranked by a selector, which `codeens selector train` makes; name its file."
        raise InputError(message, code="no_selector", hint=Hint("option", "selector"))
    return found


def refuse_what_needs_running(ctx: click.Context) -> None:
    """Refuse options that say how to run what is not run.

    Raises:
        UsageError: one was given.
    """
    given = [
        parameter.opts[0]
        for parameter in ctx.command.params
        if parameter.name not in _MAY_GO_WITH
        and ctx.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(f"{given[0]} cannot go with --no-execute, which runs nothing.", ctx)


async def ranked_without_running(
    session: Session, target: Target | Code | str, asked: RunKeywords, selector: Selector
) -> NotRunDocument:
    """Ask for other implementations, and rank them by a selector.

    Raises:
        InputError: the arguments are wrong, or there is nobody to ask.
        NothingGenerated: nobody gave a usable answer.
    """
    made = await session.generate(
        target,
        mode=asked.get("mode"),
        models=asked.get("models") or (),
        variants=asked.get("variants") or (),
        samples=asked.get("samples") or 1,
        budget_usd=asked.get("budget_usd"),
    )
    pool = [Submission(code=one.source, model=one.model, variant=one.variant) for one in made.candidates]
    ranked = sorted(
        zip(made.candidates, selector.probabilities(pool), strict=True), key=lambda pair: (-pair[1], pair[0].id)
    )
    first: dict[str, str] = {}
    rows = [
        NotRun(
            id=one.id,
            model=one.model,
            variant=one.variant,
            sample=one.sample,
            source=one.source,
            probability=probability,
            same_as=None if (above := first.setdefault(one.digest, one.id)) == one.id else above,
        )
        for one, probability in ranked
    ]
    return NotRunDocument(
        function=made.function,
        mode=made.mode,
        candidates=tuple(rows),
        failures=made.failures,
        cost_usd=made.cost_usd,
        cost_known=made.cost_known,
    )


def table_of(document: NotRunDocument) -> Table:
    """Return the answers as a table, the likeliest first."""
    cost = f"{'' if document.cost_known else 'at least '}{money(document.cost_usd)}"
    title = f"{document.function}: {plural(len(document.candidates), 'answer')}, {cost}; {TITLE}"
    table = Table("id", "model", "variant", "likely right", "verdict", "same as", title=title, title_justify="left")
    for one in document.candidates:
        cells = (one.id, one.model, one.variant, f"{100 * one.probability:.0f} %", one.status, one.same_as or "")
        table.add_row(*(visible(cell) for cell in cells))
    for why in document.failures:
        click.echo(f"failed: {one_line(why)}", err=True)
    return table
