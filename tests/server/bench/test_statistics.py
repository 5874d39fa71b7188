from __future__ import annotations

import math
import random

import pytest

from codeens_server.bench.statistics import compare_all, coverage, holm, mcnemar, mean_of, pass_at
from codeens_server.bench.summary import summarise
from tests.server.bench.made import record


def counts(*right: int, of: int = 1) -> dict[str, tuple[int, int]]:
    return {f"t/{number}": (of, hits) for number, hits in enumerate(right)}


def test_mcnemar_is_the_sign_test_of_the_tasks_that_differ() -> None:
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(5, 5) == 1.0
    assert math.isclose(mcnemar(0, 6), 2 / 2**6)
    assert math.isclose(mcnemar(8, 1), mcnemar(1, 8))
    assert math.isclose(mcnemar(1, 8), 2 * (1 + 9) / 2**9)


def test_holm_multiplies_by_what_is_left_and_never_falls() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_a_better_system_is_called_so_and_an_equal_one_is_not() -> None:
    draw = random.Random(1)
    good = counts(*(int(draw.random() < 0.8) for _ in range(164)))
    bad = counts(*(int(draw.random() < 0.4) for _ in range(164)))
    same = counts(*(int(draw.random() < 0.8) for _ in range(164)))
    found = {(one.a, one.b): one for one in compare_all({"good": good, "bad": bad, "same": same})}
    assert found["good", "bad"].winner == "good"
    assert "good beats bad" in found["good", "bad"].sentence
    assert found["good", "same"].winner is None
    assert "cannot be told apart" in found["good", "same"].sentence


def test_comparisons_of_equal_systems_rarely_find_a_winner() -> None:
    draw = random.Random(3)
    systems = {f"s{number}": counts(*(int(draw.random() < 0.5) for _ in range(60))) for number in range(8)}
    assert sum(one.winner is not None for one in compare_all(systems)) == 0


def test_only_common_tasks_are_compared() -> None:
    (found,) = compare_all({"a": counts(1, 1, 1, 0), "b": counts(0, 1)})
    assert (found.tasks, found.only_a, found.only_b, found.value) == (2, 1, 0, 0.5)


def test_an_interval_holds_the_mean_and_has_width_where_all_tasks_agree() -> None:
    found = mean_of([0.0, 1.0, 1.0, 0.5] * 10)
    assert found.low < found.value < found.high
    assert mean_of([1.0] * 20).low == pytest.approx(1 - (1 - 0.025 ** (1 / 20)))
    assert mean_of([0.0] * 20).high < 0.17


def test_an_interval_of_many_benchmarks_holds_the_truth_as_often_as_it_says() -> None:
    draw = random.Random(5)
    held = 0
    for seed in range(60):
        found = mean_of([float(draw.random() < 0.3) for _ in range(80)], seed=seed)
        held += found.low <= 0.3 <= found.high
    assert held >= 51


def test_pass_at_k_needs_k_samples_of_every_task() -> None:
    found = pass_at(2, {"a": (4, 2), "b": (2, 0)})
    assert found is not None
    assert found.value == pytest.approx((1 - 1 / 6) / 2)
    assert pass_at(3, {"a": (4, 2), "b": (2, 0)}) is None
    assert pass_at(1, {}) is None


def test_an_ensemble_covers_what_one_of_its_systems_can() -> None:
    found = coverage({"a": counts(1, 0, 0), "b": counts(0, 1, 0)})
    assert found is not None
    assert found.value == pytest.approx(2 / 3)


def test_a_summary_counts_each_item_once_and_leaves_failed_calls_out() -> None:
    lines = [
        record("t/0", "a", ending="no_answer"),
        record("t/0", "a"),
        record("t/1", "a", ending="failed"),
        record("t/0", "b", ending="no_answer"),
        record("t/1", "b", ending="no_code", cost_usd=None),
    ]
    found = summarise(lines, (1, 5))
    systems = {one.name: one for one in found.systems}
    assert (systems["a"].pass_at["pass@1"].value, systems["a"].usd) == (0.5, 1.0)
    assert (systems["b"].pass_at["pass@1"].value, systems["b"].tasks, systems["b"].usd) == (0.0, 1, None)
    assert (found.records, found.unanswered) == (4, 1)
    assert "pass@5" not in systems["a"].pass_at


def test_as_many_answers_of_the_best_stand_beside_an_ensemble() -> None:
    lines = [record(f"t/{task}", "a", sample, "passed" if task else "failed") for task in range(2) for sample in (0, 1)]
    lines += [record(f"t/{task}", "b", 0, "failed" if task else "passed") for task in range(2)]
    found = summarise(lines, (1,)).equal_budget
    assert found is not None
    assert found.best_of_n is not None
    assert (found.answers, found.best, found.best_of_n.value, found.ensemble.value) == (2, "a", 0.5, 1.0)
