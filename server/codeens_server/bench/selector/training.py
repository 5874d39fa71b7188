"""Train a selector by scikit-learn (the extra `selector`), and say on tasks it has not seen what it is worth."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct

from codeens_sandbox_backends.extras import installing_extra
from codeens_server.bench.selector.answers import answers_of
from codeens_server.bench.statistics import Estimate, mean_of
from codeens_server.errors import Hint, InputError
from codeens_server.ranking.selector.features import NAMES, Submission, features_of, shape_of
from codeens_server.ranking.selector.model import Rates, Selector, rates_of

POOL = 8
"""Answers of one draw: an ensemble's size."""
DRAWS = 20
"""Draws of each task."""
_LEAST_RATE = 1e-3


class Labelled(Struct, frozen=True, kw_only=True):
    """An answer with what its tests said."""

    task_id: str
    answer: Submission
    right: bool


class Evaluation(Struct, frozen=True, kw_only=True):
    """What ways of choosing come to on tasks that nothing was learnt from."""

    tasks: int
    answers: int
    pool: int
    top1: dict[str, Estimate]
    """How often the chosen answer is right, by way of choosing."""
    over: dict[str, Estimate]
    """By how much the selector is more often right than each other way, paired by task."""
    calibration_error: float
    """Mean distance between the probability that was said and what came, in ten bins of equal size."""
    brier: float
    """Mean squared error of the probability."""
    bins: tuple[tuple[float, float, int], ...]
    """Said, came, how many."""


_Pool: TypeAlias = list[Labelled]
_Way: TypeAlias = Callable[[_Pool], Sequence[float]]


def load_labelled(path: Path) -> list[Labelled]:
    """Return labelled answers.

    Args:
        path: JSONL with `task_id`, `code`, `model`, `style` and `label`, `pass` where it is right; or results of
            `codeens bench run`, of which what was not judged is left out.

    Raises:
        InputError: the file cannot be read, or a line is of another form (named).
    """
    found = [
        Labelled(task_id=one.task_id, answer=one.answer, right=one.right)
        for one in answers_of(path)
        if one.right is not None
    ]
    if len({one.right for one in found}) < 2:
        message = f"{path} must have answers that are right and answers that are wrong."
        raise InputError(message)
    return found


def train(labelled: Sequence[Labelled]) -> Selector:
    """Return a selector.

    Raises:
        InputError: scikit-learn is not installed.
    """
    try:
        # Without types of its own.
        linear: Any = import_module("sklearn.linear_model")
        preprocessing: Any = import_module("sklearn.preprocessing")
    except ImportError:
        message = "training needs scikit-learn."
        raise InputError(message, hint=Hint("fix", installing_extra("selector"))) from None
    rows: list[list[float]] = []
    rights: list[bool] = []
    for task, answers in _by_task(labelled).items():
        # A rate that holds the answer's own task would tell what is to be learnt.
        rates = _rates([one for one in labelled if one.task_id != task])
        for pool in _draws(task, answers):
            rows += features_of([one.answer for one in pool], [rates.of(one.answer) for one in pool])
            rights += [one.right for one in pool]
    scaler = preprocessing.StandardScaler().fit(rows)
    fitted = linear.LogisticRegression(max_iter=1000).fit(scaler.transform(rows), rights)
    return Selector(
        names=NAMES,
        means=tuple(map(float, scaler.mean_)),
        scales=tuple(map(float, scaler.scale_)),
        weights=tuple(map(float, fitted.coef_[0])),
        bias=float(fitted.intercept_[0]),
        rates=_rates(labelled),
        tasks=len(_by_task(labelled)),
        answers=len(labelled),
    )


def evaluate(labelled: Sequence[Labelled], folds: int) -> Evaluation:
    """Return how often ways of choosing are right, each task by what was learnt from the tasks of the other folds.

    Raises:
        InputError: there are fewer tasks than folds, or scikit-learn is not installed.
    """
    tasks = _by_task(labelled)
    if len(tasks) < folds or folds < 2:
        message = f"{folds} folds need at least as many tasks, and two; there are {len(tasks)} tasks."
        raise InputError(message)
    order = sorted(tasks)
    random.Random(0).shuffle(order)  # noqa: S311  statistics, not secrets
    top1: dict[str, dict[str, float]] = {}
    said: list[tuple[float, bool]] = []
    for fold in range(folds):
        held_out = set(order[fold::folds])
        learnt = [one for one in labelled if one.task_id not in held_out]
        selector = train(learnt)
        ways = _ways(selector)
        for task in held_out:
            pools = _draws(task, tasks[task])
            for name, way in ways.items():
                top1.setdefault(name, {})[task] = sum(_top(way(pool), pool) for pool in pools) / len(pools)
            best_possible = sum(any(one.right for one in pool) for pool in pools) / len(pools)
            top1.setdefault("oracle", {})[task] = best_possible
            for pool in pools:
                said += zip(ways["selector"](pool), (one.right for one in pool), strict=True)
    by_way = {name: [values[task] for task in order] for name, values in top1.items()}
    ours = by_way["selector"]
    bins = _bins(said)
    return Evaluation(
        tasks=len(tasks),
        answers=len(labelled),
        pool=POOL,
        top1={name: mean_of(values) for name, values in by_way.items()},
        over={
            name: mean_of([a - b for a, b in zip(ours, values, strict=True)])
            for name, values in by_way.items()
            if name not in {"selector", "oracle"}
        },
        calibration_error=sum(abs(a - b) * count for a, b, count in bins) / len(said),
        brier=sum((share - right) ** 2 for share, right in said) / len(said),
        bins=bins,
    )


def _ways(selector: Selector) -> dict[str, _Way]:
    """Return ways of choosing, as functions to scores."""

    def by_code(pool: _Pool) -> list[float]:
        normals = [shape_of(one.answer.code).normal for one in pool]
        counts = Counter(normal for normal in normals if normal)
        return [float(counts[normal]) for normal in normals]

    return {
        "random": lambda pool: [0.0] * len(pool),
        "majority_ast": by_code,
        "best_model": lambda pool: [selector.rates.of(one.answer)[0] for one in pool],
        "selector": lambda pool: selector.probabilities([one.answer for one in pool]),
    }


def _top(scores: Sequence[float], pool: _Pool) -> float:
    most = max(scores)
    chosen = [one.right for score, one in zip(scores, pool, strict=True) if score == most]
    return sum(chosen) / len(chosen)


def _by_task(labelled: Sequence[Labelled]) -> dict[str, _Pool]:
    tasks: dict[str, _Pool] = {}
    for one in labelled:
        tasks.setdefault(one.task_id, []).append(one)
    return tasks


def _draws(task: str, answers: _Pool) -> list[_Pool]:
    chance = random.Random(task)  # noqa: S311
    return [chance.sample(answers, min(POOL, len(answers))) for _ in range(DRAWS)]


def _rates(labelled: Sequence[Labelled]) -> Rates:
    mean = sum(one.right for one in labelled) / max(len(labelled), 1)
    mean = min(max(mean, _LEAST_RATE), 1.0 - _LEAST_RATE)
    models: dict[str, tuple[int, int]] = {}
    variants: dict[str, tuple[int, int]] = {}
    for one in labelled:
        for counts, name in ((models, one.answer.model), (variants, one.answer.variant)):
            right, total = counts.get(name, (0, 0))
            counts[name] = right + one.right, total + 1
    (middle,) = rates_of({"": (0, 0)}, mean).values()
    return Rates(mean=middle, models=rates_of(models, mean), variants=rates_of(variants, mean))


def _bins(said: Sequence[tuple[float, bool]]) -> tuple[tuple[float, float, int], ...]:
    ordered = sorted(said)
    edges = [round(len(ordered) * step / 10) for step in range(11)]
    groups = [ordered[a:b] for a, b in pairwise(edges) if b > a]
    return tuple(
        (sum(share for share, _ in group) / len(group), sum(right for _, right in group) / len(group), len(group))
        for group in groups
    )
