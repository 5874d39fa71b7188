"""What is chosen by where nobody knows what should come out: how far an answer is trusted, times how much it agrees.

Runs, and the method `best` of `bench select`, choose by it; of generated tests, which lend trust, a run has none.
Agreement is the choice by executed outputs of MBR-Exec (Shi et al. 2022, arXiv:2204.11454), input by input: unlike the
size of a group it survives that two right answers differ on one odd input. It is a vote, not a proof.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

NOTHING = -1
"""The label of an outcome in which nobody can agree: hung, died, without an encoding."""


_UNTESTED = 0.3
"""What returning at all is worth, in tests that everybody passes; chosen by cross-validation over tasks."""
_ROUNDS = 20


def best(outcomes: Sequence[Sequence[int]], weights: Sequence[float], passed: Sequence[int]) -> list[float]:
    """Return how much speaks for each answer, 0 to 1: trust times agreement.

    Tests that trusted answers pass, and answers that pass trusted tests, lend each other trust. Where there are no
    tests, or none that tells, it is left to how much an answer agrees with all others, input by input.

    Args:
        outcomes: by answer and input, what it did, as a label: equal labels of one input are equal values or, below
            `NOTHING`, the same type of exception. That one counts as agreement only where no test tells.
        weights: how many gave this answer; 0 where it is no sign of anything, for it never returned.
        passed: by answer, the generated tests that it passes, as a set of bits.
    """
    trust = _trust(weights, passed)
    seen = [[max(label, NOTHING) for label in row] for row in outcomes] if any(passed) else outcomes
    agreed = agreement(seen, [one * weight for one, weight in zip(trust, weights, strict=True)])
    return [one * share for one, share in zip(trust, agreed, strict=True)]


def _trust(weights: Sequence[float], passed: Sequence[int]) -> list[float]:
    """Return how far answers are trusted, 0 to 1: by the tests that they pass, each by who passes it, and so on."""
    trust = [float(bool(weight)) for weight in weights]
    tests = range(max((one.bit_length() for one in passed), default=0))
    for _ in range(_ROUNDS):
        counts = [one * weight for one, weight in zip(trust, weights, strict=True)]
        whole = sum(counts) or 1.0
        support = [sum(c for c, own in zip(counts, passed, strict=True) if own >> at & 1) / whole for at in tests]
        sums = [
            (_UNTESTED + sum(support[at] for at in tests if own >> at & 1)) if weight else 0.0
            for own, weight in zip(passed, weights, strict=True)
        ]
        most = max(sums, default=0.0) or 1.0
        trust = [one / most for one in sums]
    return trust


def agreement(outputs: Sequence[Sequence[int]], weights: Sequence[float]) -> list[float]:
    """Return the mean share, by weight, of all answers that did on an input what this one did, 0 to 1, by answer.

    Args:
        outputs: by answer and input, what it did, as a label: equal labels of one input are equal outcomes.
        weights: how much the word of each answer counts.
    """
    whole = sum(weights) * (len(outputs[0]) if outputs else 0)
    if not whole:
        return [0.0] * len(outputs)
    found = [0.0] * len(outputs)
    for column in zip(*outputs, strict=True):
        same: defaultdict[int, float] = defaultdict(float)
        for label, weight in zip(column, weights, strict=True):
            same[label] += weight
        for at, label in enumerate(column):
            found[at] += same[label] / whole if label != NOTHING else 0.0
    return found
