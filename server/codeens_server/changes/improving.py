"""Looks for a faster version of each function that a change of a repository changes or brings, within one budget."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from codeens_server.domain.measurement import Interval
from codeens_server.domain.target import Target
from codeens_server.errors import CodeensError
from codeens_server.ranking.wording import evidence, label

if TYPE_CHECKING:
    from codeens import Run, Session


class BetterVersion(Struct, frozen=True, kw_only=True):
    """What came of looking for a faster version of one function, as it is now."""

    function: str
    """As of `CheckedFunction`."""
    headline: str
    """What the run says; of a function that no run was made of, why."""
    run_id: str = ""
    speed: Interval | None = None
    """The function's time divided by that of the version that is advised; None: none is."""
    evidence: str = ""
    """What it rests on."""
    by: str = ""
    """Who wrote it."""
    diff: str = ""
    """Unified, from the file as it is now."""
    cost_usd: float = 0.0


async def improved(
    session: Session,
    root: Path,
    names: Sequence[str],
    *,
    budget_usd: float | None,
    run: Callable[[Target, float | None], Awaitable[Run]],
) -> AsyncGenerator[BetterVersion]:
    """Yield what comes of each function, one after the other.

    Args:
        session: finds them.
        root: the repository.
        names: `path::qualname`, the path relative to the repository.
        budget_usd: for all of them; None: no cap.
        run: makes a run of a function with what is left of the budget.

    Raises:
        SandboxError: no sandbox works here.
    """
    spent = 0.0
    for name in names:
        left = None if budget_usd is None else budget_usd - spent
        if left is not None and left <= 0:
            yield BetterVersion(function=name, headline="left out: the budget is used up")
            continue
        try:
            found = await run(await session.target(f"{root}/{name}"), left)
        except CodeensError as error:
            yield BetterVersion(function=name, headline=f"no run: {error}")
            continue
        spent += found.document.summary.cost_usd
        yield _told(name, found)


def _told(name: str, run: Run) -> BetterVersion:
    document, best = run.document, run.best
    is_win = best.speed is not None and best.speed.faster
    return BetterVersion(
        function=name,
        headline=document.headline,
        run_id=document.run_id,
        speed=best.speed if is_win else None,
        evidence=evidence(best.verdict, improving=True) if is_win else "",
        by=label(best.candidate) if is_win else "",
        diff=run.diff() if is_win else "",
        cost_usd=document.summary.cost_usd,
    )
