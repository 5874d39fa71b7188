"""How much each of several answers agrees with the others: what is chosen by where nobody knows what should come out.

It is the choice by executed outputs of MBR-Exec (Shi et al. 2022, arXiv:2204.11454), input by input: unlike the size of
a group it survives that two right answers differ on one odd input. It is a vote, not a proof.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

NOTHING = -1
"""The label of an outcome in which nobody can agree: hung, died, without an encoding."""


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
