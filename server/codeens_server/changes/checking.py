"""Judges each function that a change of a repository changes against what it was."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Literal, TypeAlias

import anyio.to_thread
from msgspec import Struct
from msgspec.structs import replace

from codeens_server.changes.finding import AUTHOR, NOW, ChangedFunction, Changes
from codeens_server.changes.improving import BetterVersion
from codeens_server.domain.document import RankedResult, RunDocument
from codeens_server.domain.measurement import Interval
from codeens_server.domain.terms import ORIGINAL, TOLERATED, Effort
from codeens_server.domain.verdict import Verdict
from codeens_server.errors import CodeensError
from codeens_server.judging.static_checks import refusal
from codeens_server.ranking.score import VERIFIED
from codeens_server.ranking.wording import evidence, growth

if TYPE_CHECKING:
    from codeens import Session

Behaviour: TypeAlias = Literal["same", "differs", "unknown"]


class ChangedBehaviour(Struct, frozen=True, kw_only=True):
    """Something on which a function does not do what it did; the smallest that was found."""

    call: str
    """As one would write it; or a test."""
    before: str = ""
    now: str = ""


class CheckedFunction(Struct, frozen=True, kw_only=True):
    """What a change does to one function."""

    function: str
    """`path::qualname`, the path relative to the repository."""
    line: int
    """Where it stands now."""
    behaviour: Behaviour
    """`same`: on all that is known of it; `unknown`: `why` says why nothing is."""
    evidence: str = ""
    """What "same" rests on."""
    conditions: str = ""
    """On what it is only nearly the same."""
    why: str = ""
    difference: ChangedBehaviour | None = None
    speed: Interval | None = None
    """The old one's time divided by the new one's; None: not measured."""
    growth: str = ""
    """How differently its time grows, in words; empty where no difference was seen."""
    run_id: str = ""


class CheckDocument(Struct, frozen=True, kw_only=True):
    """What `codeens check --json` prints."""

    since: str
    """The commit that functions are compared with."""
    functions: tuple[CheckedFunction, ...]
    added: int
    """New functions, which can be held against nothing."""
    left_out: tuple[str, ...] = ()
    """Changed functions beyond the number that was asked for."""
    better: tuple[BetterVersion, ...] = ()
    """Of changed and new functions, where faster versions were looked for."""


async def checked(
    session: Session, changes: Changes, *, most: int, effort: Effort | None = None
) -> AsyncGenerator[CheckedFunction]:
    """Yield what a change does to each function, one after the other.

    Args:
        session: whose sandbox.
        changes: see `find_changes`.
        most: so many functions at the most.
        effort: of each run; None: as configured.

    Raises:
        SandboxError: no sandbox works here.
    """
    for one in changes.functions[:most]:
        yield await _checked(session, one, effort)


async def _checked(session: Session, one: ChangedFunction, effort: Effort | None) -> CheckedFunction:
    unknown = CheckedFunction(function=one.name, line=one.line, behaviour="unknown", why=one.why)
    if one.target is None or one.now is None:
        return unknown
    # What is refused for its text alone needs no evidence, which takes longest.
    if why := await anyio.to_thread.run_sync(refusal, one.target, one.now.replacement):
        return replace(unknown, why=why)
    try:
        run = await session.judge(one.target, [one.now], author=AUTHOR, mode="improve", goal="speed", effort=effort)
    except CodeensError as error:
        return replace(unknown, why=str(error))
    document = run.document
    return _told(replace(unknown, run_id=document.run_id), document, run.row(NOW))


def _told(unknown: CheckedFunction, document: RunDocument, row: RankedResult) -> CheckedFunction:
    verdict = row.verdict
    if not row.judged or verdict.status == "refused":
        return replace(unknown, why=row.reason)
    if not verdict.passes:
        return replace(unknown, behaviour="differs", why=row.reason, difference=_smallest(document, verdict))
    if verdict.evidence not in VERIFIED:
        return replace(unknown, why="nothing is known that it could be held to")
    kinds = {condition.kind for condition in verdict.conditions}
    told = replace(
        unknown,
        behaviour="same" if kinds <= TOLERATED[document.equality] else "differs",
        evidence=evidence(verdict, improving=True),
        conditions=verdict.conditions_text,
        speed=row.speed,
        growth=growth(row.measurement.growth),
    )
    return replace(told, difference=_smallest(document, verdict)) if told.behaviour == "differs" else told


def _smallest(document: RunDocument, verdict: Verdict) -> ChangedBehaviour | None:
    """Return the smallest input on which the two differ; else what the verdict rests on."""
    own = next((each.index for each in document.clusters if ORIGINAL in each.members), None)
    for index, found in document.numbered_differences():
        before, now = (found.here, found.there) if index == own else (found.there, found.here)
        return ChangedBehaviour(call=found.call, before=before, now=now)
    failure = verdict.failure
    return ChangedBehaviour(call=failure.where, before=failure.expected, now=failure.got) if failure else None
