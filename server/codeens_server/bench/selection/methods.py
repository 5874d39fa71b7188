"""Ways of choosing among answers, as pure functions over what ran. Each gives every answer a score; the highest wins.

B4's strength of prior is the one of its authors' range that was fixed before it was measured.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from math import lgamma, sqrt
from typing import TypeAlias

from codeens_server.bench.selection.view import MethodView, Outputs
from codeens_server.ranking import agreement
from codeens_server.ranking.agreement import NOTHING

Score: TypeAlias = tuple[float, ...]
"""Compared part by part: a later one only tells apart what is equal in all earlier ones."""
Method: TypeAlias = Callable[[MethodView], Sequence[Score]]

_B4_PRIOR = 1e5
"""How firmly it is believed that wrong code passes wrong tests by chance only."""


def random(view: MethodView) -> list[Score]:
    """Choose any answer."""
    return [()] * len(view.outputs)


def maxpass(view: MethodView) -> list[Score]:
    """Choose who passes most tests."""
    return [(passed.bit_count(),) for passed in view.passed]


def mbr(view: MethodView) -> list[Score]:
    """Choose of the largest group that did the same on all inputs of tests (MBR-Exec, arXiv:2204.11454)."""
    inputs = sorted({test.input for test in view.tests})
    seen = [tuple(row[at] for at in inputs) for row in view.outputs]
    # Failing alike is no agreement.
    return [
        size if any(label != NOTHING for label in row) else (0,) for size, row in zip(_sizes(seen), seen, strict=True)
    ]


def codet(view: MethodView) -> list[Score]:
    """Choose by √(answers that pass the same tests) times tests that they pass (CodeT, arXiv:2207.10397)."""
    sizes = Counter(view.passed)
    return [(sqrt(sizes[passed]) * passed.bit_count(),) for passed in view.passed]


def b4(view: MethodView) -> list[Score]:
    """Choose the group that passes the same tests whose being right makes the whole matrix most probable (B4,
    arXiv:2409.08692): code is right or wrong, a test is right or wrong, right code passes exactly the right tests."""
    sizes = Counter(view.passed)
    support = [sum(size for passed, size in sizes.items() if passed >> at & 1) for at in range(len(view.tests))]
    scores = {passed: _posterior(passed, size, support, len(view.outputs)) for passed, size in sizes.items()}
    return [(scores[passed],) for passed in view.passed]


def cosplay(view: MethodView) -> list[Score]:
    """Choose by tests and answers that prune each other (the pruning of CoSPlay, arXiv:2605.23491; nothing is generated
    anew): by turns, answers that pass fewer tests than the mean of those left are dropped, and tests that fewer answers
    pass than the mean. Of the answers left, those with most tests, and of these the largest group by outputs."""
    answers, tests = list(range(len(view.outputs))), list(range(len(view.tests)))
    while True:
        better = _above_mean(answers, lambda at, tests=tests: sum(view.passed[at] >> test & 1 for test in tests))
        firmer = _above_mean(tests, lambda test, left=better: sum(view.passed[at] >> test & 1 for at in left))
        if (better, firmer) == (answers, tests):
            break
        answers, tests = better, firmer
    left = set(answers)
    kept = [sum(passed >> test & 1 for test in tests) for passed in view.passed]
    sizes = _sizes(view.outputs)
    return [(at in left, count, *size) for at, (count, size) in enumerate(zip(kept, sizes, strict=True))]


def best(view: MethodView) -> list[Score]:
    """Choose among those that return at all and pass most examples of the prompt by what a run chooses by where nothing
    proves an answer (see `ranking/agreement.py`), and by all generated tests, which a run does not have."""
    return _best(view.outcomes, view.examples_passed, view.passed)


def inputs(view: MethodView) -> list[Score]:
    """Choose as `best` does where there are no generated tests, as in a run: on the inputs that were drawn alone."""
    rows = [row[len(row) - view.drawn :] for row in view.outcomes]
    return _best(rows, view.examples_passed, [0] * len(rows))


def _best(outcomes: Sequence[Outputs], examples: Sequence[int], passed: Sequence[int]) -> list[Score]:
    returned = [any(label > NOTHING for label in row) for row in outcomes]
    return list(zip(returned, examples, agreement.best(outcomes, list(map(float, returned)), passed), strict=True))


METHODS: dict[str, Method] = {
    "random": random,
    "maxpass": maxpass,
    "mbr": mbr,
    "codet": codet,
    "b4": b4,
    "cosplay": cosplay,
    "inputs": inputs,
    "best": best,
}
ORACLE = "oracle"
"""Takes a right answer wherever there is one: it is no method, but the bound of all."""


def _sizes(keys: Sequence[Hashable]) -> list[Score]:
    sizes = Counter(keys)
    return [(sizes[key],) for key in keys]


def _above_mean(items: list[int], count: Callable[[int], int]) -> list[int]:
    counts = [count(item) for item in items]
    return [item for item, one in zip(items, counts, strict=True) if one * len(items) >= sum(counts)]


def _posterior(passed: int, size: int, support: Sequence[int], answers: int) -> float:
    """Return the log posterior, but for a constant, of: these answers, and the tests that they pass, are right."""
    right_tests, others = passed.bit_count(), answers - size
    wrong_tests = len(support) - right_tests
    on_right = sum(count - size for at, count in enumerate(support) if passed >> at & 1)
    on_wrong = sum(count for at, count in enumerate(support) if not passed >> at & 1)
    return (
        _log_beta(1 + on_wrong, _B4_PRIOR + others * wrong_tests - on_wrong)
        + _log_beta(1 + on_right, 1 + others * right_tests - on_right)
        + _log_beta(1 + size, 1 + others)
        + _log_beta(1 + right_tests, 1 + wrong_tests)
    )


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)
