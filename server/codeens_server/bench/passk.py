"""pass@k: how likely one of k samples is right."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod


def pass_at_k(samples: int, right: int, k: int) -> float:
    """The unbiased estimate from `right` of `samples` samples (Chen et al. 2021, arXiv:2107.03374, section 2.1)."""
    if samples - right < k:
        return 1.0
    return 1.0 - prod(1.0 - k / n for n in range(samples - right + 1, samples + 1))


def mean_pass_at(ks: Iterable[int], counts: Iterable[tuple[int, int]]) -> dict[str, float]:
    """`pass@k` over tasks, of each (samples, right), for the k that every task has samples for."""
    tasks = list(counts)
    fewest = min((samples for samples, _ in tasks), default=0)
    return {
        f"pass@{k}": sum(pass_at_k(samples, right, k) for samples, right in tasks) / len(tasks)
        for k in ks
        if k <= fewest
    }
