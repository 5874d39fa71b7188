"""Improves the functions of a program that its time goes into, within one budget, and says what each win is worth."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread
from msgspec import Struct
from msgspec.structs import replace

from codeens_server.domain.document import RankedResult, RunDocument
from codeens_server.domain.target import Target
from codeens_server.errors import CodeensError
from codeens_server.programs.command import ProgramCommand
from codeens_server.programs.profiling import Profile, SlowFunction
from codeens_server.programs.recording import recorded_calls
from codeens_server.programs.worth import Worth, worth_of
from codeens_server.store.statistics import Statistics
from codeens_server.workspace.edit import program_for

if TYPE_CHECKING:
    from codeens import Session

LEAST_SHARE = 0.02
"""Of the program's time; a function with less is worth nothing even where it takes no time at all."""
_MOST_LOOKED_AT = 30
_RUN_AGAIN_S = 60.0


class RankedFunction(Struct, frozen=True, kw_only=True):
    """A function that could be improved."""

    target: Target
    share: float
    """Of the program's time in its own lines, 0 to 1: more than that cannot be saved."""
    chance: float
    """Of a proven win, by earlier runs."""


class Optimized(Struct, frozen=True, kw_only=True):
    """What came of one function."""

    function: str
    """`path::qualname`, the path relative to the workspace."""
    share: float
    chance: float
    run_id: str = ""
    headline: str = ""
    """What the run says; of a function that no run was made of, why."""
    speed: tuple[float, float, float] | None = None
    """How many times as fast the function is alone, with the ends of the interval; None: nothing new is advised."""
    worth: Worth | None = None
    """The same of the whole program; None: nothing new is advised, or it was not run again."""
    cost_usd: float = 0.0


async def rank(session: Session, root: Path, profile: Profile) -> list[RankedFunction]:
    """Return the functions of a profile that can be improved, by share times chance, the best first.

    The chance of one that was never tried is that of all runs in the workspace. Each run of its own that found
    nothing lowers it, as rule of succession has it: one more such run halves it, two leave a third.
    """
    statistics = (await session.opened_store()).statistics
    usual = await _chance(statistics, "")
    found: dict[str, RankedFunction] = {}
    for slow in profile.functions[:_MOST_LOOKED_AT]:
        if slow.own_share < LEAST_SHARE or (target := await _target(session, root, slow)) is None:
            continue
        name = f"{target.path}::{target.qualname}"
        earlier = found.get(name)
        share = slow.own_share + (earlier.share if earlier else 0.0)
        runs, wins = await _counts(statistics, name)
        found[name] = RankedFunction(target=target, share=share, chance=usual * (wins + 1) / (runs + 1))
    return sorted(found.values(), key=lambda one: -one.share * one.chance)


async def _target(session: Session, root: Path, slow: SlowFunction) -> Target | None:
    """Return the function as runs know it; None where it is none that could be replaced, or of another project."""
    try:
        target = await session.target(f"{slow.path}:{slow.line}")
    except CodeensError:
        return None
    return target if Path(target.root) == root and not target.body_missing else None


async def _chance(statistics: Statistics, text: str) -> float:
    runs, wins = await _counts(statistics, text)
    return (wins + 1) / (runs + 2)


async def _counts(statistics: Statistics, text: str) -> tuple[int, int]:
    """Return how many of the latest finished runs there are of a function, and how many advise something new."""
    ended = await statistics.runs(text=text, shown="finished", limit=100)
    won = await statistics.runs(text=text, shown="improved", limit=100)
    runs, wins = ([line for line in page.runs if not text or line.target == text] for page in (ended, won))
    return len(runs), len(wins)


async def optimized(
    session: Session,
    root: Path,
    ranked: Sequence[RankedFunction],
    program: ProgramCommand | None,
    *,
    budget_usd: float | None,
    run: Callable[[Target, float | None, tuple[str, ...]], Awaitable[RunDocument]],
) -> AsyncGenerator[tuple[Optimized, RunDocument | None]]:
    """Yield what came of each function, one after the other, until the budget is used up.

    Args:
        session: runs the program.
        root: the workspace.
        ranked: the functions, the best first.
        program: what is run again with each win; None: nothing is.
        budget_usd: for all functions; None: no cap.
        run: makes a run of a function with what is left of the budget, and with calls that the program makes of it.

    Raises:
        SandboxError: the sandbox failed.
    """
    spent = 0.0
    for one in ranked:
        left = None if budget_usd is None else budget_usd - spent
        if left is not None and left <= 0:
            yield _untried(one, root, "left out: the budget is used up"), None
            continue
        try:
            # What an earlier win changed in its file is there by now, where wins are written.
            target = await session.target(f"{one.target.path}::{one.target.qualname}")
            calls = await recorded_calls(session, root, program, target) if program else ()
            document = await run(target, left, calls)
        except CodeensError as error:
            yield _untried(one, root, f"no run: {error}"), None
            continue
        spent += document.summary.cost_usd
        yield await _told(session, root, replace(one, target=target), document, program), document


def _untried(one: RankedFunction, root: Path, why: str) -> Optimized:
    return Optimized(function=_name(one.target, root), share=one.share, chance=one.chance, headline=why)


def _name(target: Target, root: Path) -> str:
    return f"{Path(target.path).relative_to(root)}::{target.qualname}"


async def _told(
    session: Session, root: Path, one: RankedFunction, document: RunDocument, program: ProgramCommand | None
) -> Optimized:
    found = replace(_untried(one, root, document.headline), run_id=document.run_id, cost_usd=document.summary.cost_usd)
    best = next((row for row in document.results if row.candidate.id == document.best), None)
    if best is None:
        return found
    speed = (best.speed.ratio, best.speed.low, best.speed.high) if best.speed else None
    if program is None:
        return replace(found, speed=speed)
    changed = await anyio.to_thread.run_sync(_changed, one.target, best)
    worth = await worth_of(session, root, program, changed, wall_s=_RUN_AGAIN_S)
    return replace(found, speed=speed, worth=worth)


def _changed(target: Target, best: RankedResult) -> dict[str, str]:
    return {target.path: program_for(target, best.candidate.replacement).modules[0].source}
