"""How often methods choose a right answer: means over tasks with intervals, and paired against each other."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from msgspec import Struct

from codeens_server.bench.selection.matrix import TaskMatrix
from codeens_server.bench.selection.methods import METHODS, ORACLE, Score
from codeens_server.bench.selection.view import view_of

REPEATS = 20
"""Draws of answers and of blocks of tests for each task, where there are more than are looked at."""
_BOOTSTRAP = 2000


class Rate(Struct, frozen=True, kw_only=True, rename={"pass_at_1": "pass@1"}):
    """A mean over tasks with its 95 % interval, by bootstrap over tasks."""

    pass_at_1: float
    low: float
    high: float


def right_by_task(matrix: TaskMatrix, names: Sequence[str], n: int) -> dict[str, float]:
    """Return how often each method's choice is right on a task, 0 to 1; of equal scores, one at random is chosen.

    Args:
        matrix: what ran of the task.
        names: of methods.
        n: answers that are looked at, and blocks of tests; where there are more, draws are averaged, the same ones for
            all methods.
    """
    answers = len(matrix.program_of)
    blocks = 1 + max((block for test in matrix.tests for block in test.blocks), default=-1)
    totals = dict.fromkeys(names, 0.0)
    repeats = 1 if n >= answers and n >= blocks else REPEATS
    for repeat in range(repeats):
        chance = random.Random(f"{matrix.task_id} {n} {repeat}")  # noqa: S311  statistics, not secrets
        drawn = chance.sample(range(answers), min(n, answers))
        view = view_of(matrix, drawn, frozenset(chance.sample(range(blocks), min(n, blocks))))
        right = [matrix.right[matrix.program_of[answer]] for answer in drawn]
        for name in names:
            totals[name] += float(any(right)) if name == ORACLE else _right_share(METHODS[name](view), right)
    return {name: total / repeats for name, total in totals.items()}


def rate(values: Sequence[float]) -> Rate:
    """Return the mean of values of tasks, with its interval; of paired differences it is that of their mean."""
    chance = random.Random(len(values))  # noqa: S311
    means = sorted(_mean(chance.choices(values, k=len(values))) for _ in range(_BOOTSTRAP))
    return Rate(pass_at_1=_mean(values), low=means[_BOOTSTRAP // 40], high=means[-1 - _BOOTSTRAP // 40])


def differences(by_method: Mapping[str, Sequence[float]], name: str, other: str) -> list[float]:
    """Return by how much one method is more often right than another, by task."""
    return [a - b for a, b in zip(by_method[name], by_method[other], strict=True)]


def _right_share(scores: Sequence[Score], right: Sequence[bool]) -> float:
    most = max(scores)
    chosen = [ok for score, ok in zip(scores, right, strict=True) if score == most]
    return sum(chosen) / len(chosen)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
