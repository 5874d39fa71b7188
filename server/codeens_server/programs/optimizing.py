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
from codeens_server.measuring.parts import LIKE_KNOWN
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
    on_calls: tuple[float, float, float] | None = None
    """The same on inputs like known calls, those that the program makes among them; None: there are none that can be
    written down and take long enough."""
    worth: Worth | None = None
    """The same of the whole program; None: nothing new is advised, or it was not run again."""
    note: str = ""
    """What was wanted of what is advised and could not be done: measured in the program, or written; and why."""
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
    ends: bool = True,
    budget_usd: float | None,
    run: Callable[[Target, float | None, tuple[str, ...]], Awaitable[RunDocument]],
) -> AsyncGenerator[tuple[Optimized, RunDocument | None]]:
    """Yield what came of each function, one after the other, until the budget is used up or a run is cancelled.

    Args:
        session: runs the program.
        root: the workspace.
        ranked: the functions, the best first.
        program: what is run again with each win; None: nothing is.
        ends: whether the program came to its end when it was profiled; else nothing is run again.
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
            calls = (await recorded_calls(session, root, program, target)).calls if program else ()
            document = await run(target, left, calls)
        except CodeensError as error:
            yield _untried(one, root, f"no run: {error}"), None
            continue
        spent += document.summary.cost_usd
        is_over = document.summary.stopped == "cancelled"
        told = _told(replace(one, target=target), root, document, has_calls=bool(calls))
        if program is not None and told.speed is not None and not is_over:
            told = await _in_program(session, root, told, target, document, program if ends else None)
        yield told, document
        if is_over:
            return


def _untried(one: RankedFunction, root: Path, why: str) -> Optimized:
    return Optimized(function=_name(one.target, root), share=one.share, chance=one.chance, headline=why)


def _name(target: Target, root: Path) -> str:
    return f"{Path(target.path).relative_to(root)}::{target.qualname}"


def _told(one: RankedFunction, root: Path, document: RunDocument, *, has_calls: bool) -> Optimized:
    found = replace(_untried(one, root, document.headline), run_id=document.run_id, cost_usd=document.summary.cost_usd)
    best = _best(document)
    if best is None or best.speed is None:
        return found
    parts = [part for part in best.speed.parts if part.of == LIKE_KNOWN] if has_calls else []
    on_calls = (parts[0].ratio, parts[0].low, parts[0].high) if parts else None
    return replace(found, speed=(best.speed.ratio, best.speed.low, best.speed.high), on_calls=on_calls)


def _best(document: RunDocument) -> RankedResult | None:
    return next((row for row in document.results if row.candidate.id == document.best), None)


async def _in_program(
    session: Session,
    root: Path,
    told: Optimized,
    target: Target,
    document: RunDocument,
    program: ProgramCommand | None,
) -> Optimized:
    """Return what is told with what it is worth in a program, or why nobody knows; None is one that does not end."""
    best = _best(document)
    assert best is not None, "it is what is told"
    if program is None:
        return replace(
            told, note="its worth in the program is not known: the program does not come to its end by itself"
        )
    try:
        changed = await anyio.to_thread.run_sync(_changed, target, best)
        worth = await worth_of(session, root, program, changed, wall_s=_RUN_AGAIN_S)
    except CodeensError as error:
        return replace(told, note=f"its worth in the program is not known: {error}")
    note = "" if worth else "its worth in the program is not known: the program takes too long to be run often"
    return replace(told, worth=worth, note=note)


def _changed(target: Target, best: RankedResult) -> dict[str, str]:
    return {target.path: program_for(target, best.candidate.replacement).modules[0].source}
