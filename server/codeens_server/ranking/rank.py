"""Puts a run's candidates in order without claiming more than was measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set

import msgspec
from msgspec import Struct

from codeens_server.config.settings import Settings, Weights
from codeens_server.domain.document import RankedResult, RunDocument
from codeens_server.domain.measurement import Measurement
from codeens_server.domain.target import Candidate, Target
from codeens_server.domain.terms import ORIGINAL, TOLERATED, ConditionKind, Equality, Goal, StopReason
from codeens_server.domain.verdict import Verdict
from codeens_server.ranking import wording
from codeens_server.ranking.score import (
    BUILT_IN,
    READABILITY_NOISE,
    VERIFIED,
    Standing,
    correctness,
    memory_change,
    readability_change,
    shares,
    standing,
    weights_for,
)
from codeens_server.ranking.scorers import Scorer, apply_scorer

SCORE_NOISE = 0.5
"""Points within which two scores say the same."""
MARGIN = 1.0
"""Points by which a candidate must beat the original where the goal is not a single measure."""


class Entry(Struct, frozen=True, kw_only=True):
    """What is known of a candidate, or of the original, when ranking begins."""

    candidate: Candidate
    verdict: Verdict
    measurement: Measurement | None = None
    cluster: int | None = None
    agreement: float | None = None
    """See `RankedResult`."""
    not_run: str = ""
    """Why nobody could run it, for instance that the sandbox failed; the verdict then says nothing of the code."""


class Votes(Struct, frozen=True, kw_only=True):
    """How many of the answers that passed, identical ones included, are in each cluster."""

    of_cluster: dict[int, int]
    total: int

    @classmethod
    def of(cls, passed: Sequence[Entry | RankedResult]) -> Votes:
        answers: Counter[int] = Counter()
        for item in passed:
            if item.cluster is not None:
                answers[item.cluster] += 1 + len(item.candidate.same_as)
        return cls(of_cluster=dict(answers), total=sum(answers.values()))

    def told(self, cluster: int | None) -> str:
        """Return the share in words; empty where there is nothing to share."""
        if cluster is None or self.total < 2:
            return ""
        return f"agrees with {self.of_cluster[cluster]} of {self.total} answers"


class Ranking(Struct, frozen=True, kw_only=True):
    """The order, best first, rejected candidates last."""

    original: RankedResult
    results: tuple[RankedResult, ...]
    best: str
    """Candidate id, or `original`."""
    headline: str
    notes: tuple[str, ...] = ()
    """Scorers that failed, a line each."""


def rank(
    original: Entry,
    entries: Sequence[Entry],
    *,
    target: Target,
    goal: Goal,
    settings: Settings,
    scorers: Sequence[Scorer] = (),
    stopped: StopReason | None = None,
) -> Ranking:
    """Rank by the goal's weights. Whether the original passes decides between improving it and replacing it.

    `stopped` says why the run ended before all was done, if it did.

    Scorers are foreign code and may take their time: call this in a worker thread when there are any.

    Raises:
        ConfigError: the weights cannot be used.
    """
    first = _row(original, wording.original_reason(original.verdict))
    votes = Votes.of([entry for entry in entries if entry.verdict.passes])
    rows = [_reasoned(entry, first, votes) for entry in entries]
    weights = weights_for(goal, settings)
    return _ranking(
        first,
        rows,
        target=target,
        goal=goal,
        weights=weights,
        scorers=scorers,
        stopped=stopped,
        equality=settings.equality,
    )


def rerank(
    run: RunDocument, *, goal: Goal, weights: Weights | None = None, scorers: Sequence[Scorer] = ()
) -> RunDocument:
    """Rank a run again for another goal or other weights, from its document alone; by default with built-in weights.

    Raises:
        ConfigError: the weights cannot be used.
    """
    ranking = _ranking(
        run.original,
        run.results,
        target=run.target,
        goal=goal,
        weights=weights or BUILT_IN[goal],
        scorers=scorers,
        stopped=run.summary.stopped,
        equality=run.equality,
    )
    return msgspec.structs.replace(
        run,
        goal=goal,
        original=ranking.original,
        results=ranking.results,
        best=ranking.best,
        headline=ranking.headline,
    )


def _row(entry: Entry, reason: str) -> RankedResult:
    return RankedResult(
        rank=None,
        candidate=entry.candidate,
        verdict=entry.verdict,
        judged=not entry.not_run,
        measurement=entry.measurement or Measurement(),
        cost_usd=entry.candidate.cost_usd,
        cluster=entry.cluster,
        agreement=entry.agreement,
        reason=reason,
    )


def _reasoned(entry: Entry, original: RankedResult, votes: Votes) -> RankedResult:
    if entry.not_run:
        return _row(entry, f"not run: {entry.not_run}")
    if not entry.verdict.passes:
        return _row(entry, wording.rejection(entry.verdict))
    notes = entry.measurement.notes if entry.measurement else ("not measured",)
    row = _row(entry, "")
    agreeing = "" if original.verdict.status == "passed" else votes.told(entry.cluster)
    reason = "; ".join(filter(None, [row.verdict.conditions_text, agreeing, wording.merits(row, original, notes)]))
    return msgspec.structs.replace(row, reason=reason)


def _ranking(
    original: RankedResult,
    rows: Sequence[RankedResult],
    *,
    target: Target,
    goal: Goal,
    weights: Weights,
    scorers: Sequence[Scorer],
    stopped: StopReason | None,
    equality: Equality,
) -> Ranking:
    improving = original.verdict.status == "passed"
    passed = [row for row in rows if row.verdict.passes]
    rejected = [
        msgspec.structs.replace(row, rank=None, score=None, tied=False) for row in rows if not row.verdict.passes
    ]
    contenders = [original, *passed] if improving else passed
    votes = Votes.of(passed)
    standings, notes = _standings(contenders, original, target=target, weights=weights, scorers=scorers)
    base = standings.pop(0) if improving else None
    better = [
        base is not None and _beats_original(row, original, place, base, goal)
        for row, place in zip(passed, standings, strict=True)
    ]
    ordered = _numbered(passed, standings, better)
    results = (*ordered, *sorted(rejected, key=_failure))
    eligible = {row.candidate.id for row, is_better in zip(passed, better, strict=True) if is_better or not improving}
    allowed = TOLERATED[equality]
    first = next((row for row in ordered if row.candidate.id in eligible), None)
    best = next((row for row in ordered if row.candidate.id in eligible and _is_tolerated(row, allowed)), None)
    return Ranking(
        original=msgspec.structs.replace(original, rank=0, score=base.score if base else None),
        results=results,
        best=best.candidate.id if best else ORIGINAL,
        headline=wording.headline(
            best,
            results,
            barred=first if best is None else None,
            goal=goal,
            improving=improving,
            outweighed=any(_is_known(row) and _gains(row, original, goal) for row in passed),
            agreeing=votes.told(best.cluster) if best else "",
            stopped=stopped,
        ),
        notes=notes,
    )


def _is_tolerated(row: RankedResult, allowed: Set[ConditionKind]) -> bool:
    """Return whether all conditions on which a row passes are such that it may be best all the same."""
    return all(condition.kind in allowed for condition in row.verdict.conditions)


def _standings(
    rows: Sequence[RankedResult],
    original: RankedResult,
    *,
    target: Target,
    weights: Weights,
    scorers: Sequence[Scorer],
) -> tuple[list[Standing], tuple[str, ...]]:
    values: dict[str, list[float]] = {}
    notes: list[str] = []
    for scorer in scorers:
        found, note = apply_scorer(scorer, target, rows)
        if note:
            notes.append(note)
        else:
            values[scorer.name] = found
    points = shares(weights, {scorer.name: scorer.weight for scorer in scorers if scorer.name in values})
    correct = [correctness(row.verdict) for row in rows]
    improving = bool(rows) and rows[0] is original
    if improving:
        # It is what the others were held to: no evidence can speak better of a candidate.
        correct[0] = max(correct)
    return [
        standing(
            row,
            original,
            correct=correct[index],
            extra={name: found[index] for name, found in values.items()},
            points=points,
            trust=1.0 if improving or row.agreement is None else row.agreement,
        )
        for index, row in enumerate(rows)
    ], tuple(notes)


def _beats_original(row: RankedResult, original: RankedResult, place: Standing, base: Standing, goal: Goal) -> bool:
    """Return whether the candidate is better on the goal beyond uncertainty, and known to do what the original does.

    What it may have left out, for nobody could look at it, is no merit.
    """
    gain = place.score.total - base.score.total
    least = MARGIN if goal in {"balanced", "correctness"} else 0.0
    return gain > least and _is_known(row) and _gains(row, original, goal)


def _is_known(row: RankedResult) -> bool:
    return row.verdict.evidence in VERIFIED and not row.verdict.uncompared


def _gains(row: RankedResult, original: RankedResult, goal: Goal) -> bool:
    """Return whether a row is better in what the goal is about; where that is everything, not known to be slower."""
    match goal:
        case "speed":
            return row.speed is not None and row.speed.faster
        case "memory":
            return memory_change(row.memory) < 0
        case "readability":
            return readability_change(row, original) >= READABILITY_NOISE
        case "balanced" | "correctness":
            # What was not timed may be any amount slower.
            return row.speed is not None and not row.speed.slower


def _numbered(
    rows: Sequence[RankedResult], standings: Sequence[Standing], better: Sequence[bool]
) -> list[RankedResult]:
    """Return rows in order with their ranks; a row that cannot be told from all of its rank is tied with them.

    What passes on conditions stands below all that passes without. Of what is not verified, agreement chooses: that one
    of two is faster says nothing where neither is known to be right.
    """
    classes = [
        (bool(row.verdict.conditions), not above, -_chosen_by(row)) for row, above in zip(rows, better, strict=True)
    ]
    order = sorted(range(len(rows)), key=lambda at: (*classes[at], -standings[at].score.total, _effort(rows[at])))
    numbered: list[RankedResult] = []
    group: list[int] = []
    for position, at in enumerate(order, start=1):
        tied = bool(group) and all(
            classes[at] == classes[other] and _same(standings[at], standings[other]) for other in group
        )
        group = [*group, at] if tied else [at]
        number = position - len(group) + 1
        numbered.append(msgspec.structs.replace(rows[at], rank=number, score=standings[at].score, tied=tied))
    return numbered


def _chosen_by(row: RankedResult) -> float:
    """Return what decides before all points, 0 to 1: agreement, where nothing better speaks for a row."""
    return 1.0 if row.verdict.evidence in VERIFIED or row.agreement is None else row.agreement


def _same(a: Standing, b: Standing) -> bool:
    return a.low <= b.high + SCORE_NOISE and b.low <= a.high + SCORE_NOISE


def _effort(row: RankedResult) -> tuple[int, float, str]:
    """Order rows of equal score: the smaller edit first, then the cheaper answer."""
    return row.diff.added + row.diff.removed, row.cost_usd or 0.0, row.candidate.id


def _failure(row: RankedResult) -> tuple[float, str]:
    """Order rejected rows: the smaller share of failed checks first; those without any check last."""
    return -row.verdict.passed / row.verdict.total if row.verdict.total else 1.0, row.candidate.id
