"""Scores: correctness, speed of the reply, quality and efficiency in one number, of each task and overall.

An answer that does not pass has the points of its correctness alone. docs/datasets.md has the formulas.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import entry_points
from math import log
from statistics import fmean, median
from typing import NamedTuple, TypeAlias

from codeens_server.bench.records import Record
from codeens_server.bench.report.model import Ranked, Scores
from codeens_server.bench.statistics import Estimate, mean_of
from codeens_server.config.settings import Weights
from codeens_server.domain.measurement import Readability
from codeens_server.errors import InputError, unknown
from codeens_server.measuring.readability import readabilities
from codeens_server.ranking.score import ratio_value, shares
from codeens_server.ranking.scorers import load_scorer

GROUP = "codeens.bench_scorers"
HALF_REPLY_S = 10.0
"""A reply that takes so long has half of the points for speed."""
TIME_GRAIN_S = 0.01
MEMORY_GRAIN_BYTES = 1 << 20
"""Added to both sides: smaller differences are the interpreter's, not the program's."""

RecordScorer: TypeAlias = Callable[[Record], float]


class _Answer(NamedTuple):
    record: Record
    parts: dict[str, float | None]
    """Values from 0 to 1; None: not known."""


def load_record_scorers(names: Iterable[str]) -> dict[str, RecordScorer]:
    """Return scorers of installed distributions, by name.

    Raises:
        InputError: none registers one of the names.
        ConfigError: what is registered cannot be loaded.
    """
    known = {entry.name: entry for entry in entry_points(group=GROUP)}
    for name in names:
        if name not in known:
            raise InputError(unknown("scorer", name, list(known)))
    return {name: load_scorer(known[name]) for name in names}


async def scores_of(
    records: Iterable[Record],
    weights: Weights,
    scorers: Mapping[str, RecordScorer],
    scorer_weights: Mapping[str, float],
) -> Scores:
    """Return the scores of all that records say something of.

    Args:
        records: one of each item.
        weights: of the four parts, in any unit.
        scorers: further parts, by name: from a record that passes to a value from 0 to 1.
        scorer_weights: of these, in the same unit.

    Raises:
        ConfigError: the weights cannot be used.
    """
    counted = [record for record in records if record.counts]
    answers = list(map(_Answer, counted, await _built_in(counted)))
    notes = [note for name, scorer in scorers.items() if (note := _apply(name, scorer, answers))]
    systems = _grouped(answers, lambda record: f"{record.model} · {record.variant}")
    parts = {name for answer in answers for name in answer.parts}
    points = shares(weights, {name: weight for name, weight in scorer_weights.items() if name in parts})
    lacking = [name for name in points if not all(_is_known(name, group) for group in systems.values())]
    if lacking:
        notes.append(f"scores are without {', '.join(lacking)}, which is not known of every system")
        left = {name: share for name, share in points.items() if name not in lacking}
        points = {name: 100.0 * share / sum(left.values()) for name, share in left.items()}
    models = _grouped(answers, lambda record: record.model)
    return Scores(weights=points, systems=_ranked(systems, points), models=_ranked(models, points), notes=tuple(notes))


async def _built_in(records: Sequence[Record]) -> list[dict[str, float | None]]:
    sources = list({record.last.source: None for record in records if record.passed})
    quality = dict(zip(sources, await readabilities(sources), strict=True))
    run_s = _typical(records, lambda record: record.last.run_s)
    peak_bytes = _typical(records, lambda record: record.last.peak_bytes)
    return [
        {
            "correctness": 1.0 if record.passed else record.last.share,
            **_of_passing(
                record, quality.get(record.last.source), run_s.get(record.task_id), peak_bytes.get(record.task_id)
            ),
        }
        for record in records
    ]


def _of_passing(
    record: Record, read: Readability | None, run_s: float | None, peak_bytes: float | None
) -> dict[str, float | None]:
    """Return the parts that only an answer that passes can have points of.

    Args:
        record: the answer.
        read: how easily it reads; None: it cannot be told, and gets nothing for it.
        run_s: what answers to its task take that pass, in the median.
        peak_bytes: likewise.
    """
    if not record.passed:
        return {"quality": 0.0, "speed": 0.0, "efficiency": 0.0}
    last = record.last
    used = [_beside(run_s, last.run_s, TIME_GRAIN_S), _beside(peak_bytes, last.peak_bytes, MEMORY_GRAIN_BYTES)]
    known = [value for value in used if value is not None]
    asked = None if any(attempt.cached for attempt in record.attempts) else sum(one.ask_s for one in record.attempts)
    return {
        "quality": read.score / 100.0 if read else 0.0,
        "speed": None if asked is None else HALF_REPLY_S / (HALF_REPLY_S + asked),
        "efficiency": fmean(known) if known else None,
    }


def _typical(records: Iterable[Record], of: Callable[[Record], float | None]) -> dict[str, float]:
    """Return by task the median of what all answers take that pass."""
    values: defaultdict[str, list[float]] = defaultdict(list)
    for record in records:
        if record.passed and (value := of(record)) is not None:
            values[record.task_id].append(value)
    return {task: median(found) for task, found in values.items()}


def _beside(typical: float | None, own: float | None, grain: float) -> float | None:
    return None if typical is None or own is None else ratio_value(log((typical + grain) / (own + grain)))


def _apply(name: str, scorer: RecordScorer, answers: Sequence[_Answer]) -> str:
    """Add a part to all answers, or to none; then return why."""
    values: list[float] = []
    for record, _ in answers:
        try:
            value = float(scorer(record)) if record.passed else 0.0
        except Exception as error:  # noqa: BLE001 - code of another distribution can raise anything
            return f"scorer {name!r} left out: it raised {type(error).__name__}: {error}"
        if not 0.0 <= value <= 1.0:
            return f"scorer {name!r} left out: it returned {value:g}, which is not between 0 and 1"
        values.append(value)
    for answer, value in zip(answers, values, strict=True):
        answer.parts[name] = value
    return ""


def _grouped(answers: Iterable[_Answer], name: Callable[[Record], str]) -> dict[str, list[_Answer]]:
    groups: defaultdict[str, list[_Answer]] = defaultdict(list)
    for answer in answers:
        groups[name(answer.record)].append(answer)
    return groups


def _is_known(part: str, answers: Iterable[_Answer]) -> bool:
    """Return whether a part is known of one that passes, or none does."""
    passing = [answer for answer in answers if answer.record.passed]
    return not passing or any(answer.parts[part] is not None for answer in passing)


def _ranked(groups: Mapping[str, Sequence[_Answer]], points: Mapping[str, float]) -> tuple[Ranked, ...]:
    ranked = [_one(name, answers, points) for name, answers in groups.items()]
    return tuple(sorted(ranked, key=lambda one: (-one.score.value, one.name)))


def _one(name: str, answers: Sequence[_Answer], points: Mapping[str, float]) -> Ranked:
    """Return the score of a system or model. What is not known of one answer is taken to be as of its others."""
    means = {part: _mean_known(part, answers) for part in points}
    by_task: defaultdict[str, list[dict[str, float]]] = defaultdict(list)
    levels: dict[str, str] = {}
    for record, parts in answers:
        values = {part: means[part] if (value := parts[part]) is None else value for part in points}
        by_task[record.task_id].append({part: points[part] * value for part, value in values.items()})
        if record.difficulty is not None:
            levels[record.task_id] = record.difficulty
    parts_by_task = {
        task: {part: fmean(one[part] for one in found) for part in points} for task, found in by_task.items()
    }
    totals = {task: sum(found.values()) for task, found in parts_by_task.items()}
    return Ranked(
        name=name,
        score=_estimate(list(totals.values())),
        parts={part: fmean(found[part] for found in parts_by_task.values()) for part in points},
        by_difficulty={
            level: _estimate([totals[task] for task in totals if levels.get(task) == level])
            for level in ("easy", "medium", "hard", "extreme")
            if level in levels.values()
        },
        by_task=totals,
    )


def _mean_known(part: str, answers: Iterable[_Answer]) -> float:
    known = [value for answer in answers if answer.record.passed and (value := answer.parts[part]) is not None]
    return fmean(known) if known else 0.0


def _estimate(totals: Sequence[float]) -> Estimate:
    found = mean_of([total / 100.0 for total in totals])
    return Estimate(value=100 * found.value, low=100 * found.low, high=100 * found.high, tasks=found.tasks)
