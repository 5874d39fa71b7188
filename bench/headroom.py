"""What is to be gained of functions with known headroom: `python bench/headroom.py`.

Both answers run in this process on the same call, in turns; the least processor time of each counts. An answer that
returns something else ends the program.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from math import exp, log
from pathlib import Path
from statistics import fmean
from time import process_time
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from headroom_functions import PAIRS, Pair

TURNS = 3


def function_of(source: str) -> Callable[..., Any]:
    """Load one answer."""
    names: dict[str, Any] = {}
    exec(source, names)
    return names["f"]


def gain(pair: Pair) -> float:
    """Return how many times as fast the better answer is."""
    answers = function_of(pair.slow), function_of(pair.fast)
    least = [float("inf"), float("inf")]
    results: list[Any] = [None, None]
    for _ in range(TURNS):
        for side, answer in enumerate(answers):
            arguments = eval(f"({pair.arguments},)")
            begun = process_time()
            results[side] = answer(*arguments)
            least[side] = min(least[side], process_time() - begun)
    if results[0] != results[1]:
        sys.exit(f"{pair.name}: the answers differ")
    return least[0] / max(least[1], 1e-6)


def main() -> None:
    gains = [(pair, gain(pair)) for pair in PAIRS]
    for kind in dict.fromkeys(pair.kind for pair in PAIRS):
        own = sorted(ratio for pair, ratio in gains if pair.kind == kind)
        mean = exp(fmean(map(log, own)))
        print(f"{kind}: {len(own)} functions, {mean:.1f} times as fast in the mean, {own[0]:.1f} to {own[-1]:.0f}")


if __name__ == "__main__":
    main()
