from __future__ import annotations

import math
from itertools import combinations

import pytest

from codeens_server.bench.score import mean_pass_at, pass_at_k


@pytest.mark.parametrize(("samples", "right", "k"), [(5, 2, 1), (5, 2, 3), (5, 2, 4), (5, 0, 2), (5, 5, 2), (6, 1, 6)])
def test_it_is_the_share_of_draws_that_hold_a_right_sample(samples: int, right: int, k: int) -> None:
    draws = list(combinations(range(samples), k))
    hits = sum(any(index < right for index in draw) for draw in draws)
    assert math.isclose(pass_at_k(samples, right, k), hits / len(draws))


def test_a_k_that_some_task_has_too_few_samples_for_is_left_out() -> None:
    assert mean_pass_at((1, 10), [(10, 5), (9, 9)]) == {"pass@1": 0.75}


def test_nothing_comes_of_nothing() -> None:
    assert mean_pass_at((1,), []) == {}
