"""The same functions by codeens, pyperf and pytest-benchmark: what ratio each finds, how sure it is, how long it takes.

Run from the repository: `python bench/peers_of_measuring.py --peers PYTHON [--size "100 us"]`, where PYTHON is an
interpreter with pyperf and pytest-benchmark. Functions are those of `races.py`: their loops say about how many times as
fast one is. Intervals of the peers are Student's, of the logarithms of what each process (pyperf) or round
(pytest-benchmark) gives; the rounds of one process are not independent of each other, so those are too narrow.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from math import exp, log, sqrt
from pathlib import Path
from statistics import fmean, variance
from typing import NamedTuple

import anyio
from races import SIZES, calls_of, counting, machine_spec, program, raced

from codeens_sandbox_backends.registry import get_backend
from codeens_server.measuring.statistics import t_quantile

RATIOS = (1.0, 2.0, 10.0)


class Found(NamedTuple):
    """What one way of measuring says."""

    ratio: float
    low: float
    high: float
    seconds: float

    def __str__(self) -> str:
        return f"{self.ratio:.2f} [{self.low:.2f}, {self.high:.2f}] | {self.seconds:.1f}"


async def by_codeens(sources: Sequence[str], size: str) -> list[Found]:
    """All candidates in one race; the seconds are those until each was decided."""
    sandbox = await get_backend("local").open(machine_spec())
    programs = [program(source) for source in sources]
    found: dict[int, Found] = {}
    try:
        async for index, speed, note, seconds in raced(sandbox, programs[0], programs, calls_of("int", size)):
            nothing = float("nan")
            ratio, low, high = (speed.ratio, speed.low, speed.high) if speed else (nothing, nothing, nothing)
            found[index] = Found(ratio, low, high, seconds)
            if note:
                sys.stderr.write(f"codeens: {note}\n")
    finally:
        await sandbox.aclose()
    return [found[index] for index in sorted(found)]


def by_pyperf(python: str, sources: Sequence[str], size: str) -> Iterator[Found]:
    """Each function by `pyperf timeit`, one after the other; a value is the mean of a process."""
    calls = "; ".join(f"f({n})" for (n,) in calls_of("int", size))

    def values(source: str, out: Path) -> list[float]:
        command = [python, "-m", "pyperf", "timeit", "-q", "-o", str(out), "-s", source, calls]
        subprocess.run(command, check=True, capture_output=True)
        runs = json.loads(out.read_text())["benchmarks"][0]["runs"]
        return [fmean(run["values"]) for run in runs if "values" in run]

    yield from _timed(sources, values)


def by_pytest_benchmark(python: str, sources: Sequence[str], size: str) -> Iterator[Found]:
    """Each function by a test of its own; a value is a round."""
    calls = "; ".join(f"f({n})" for (n,) in calls_of("int", size))

    def values(source: str, out: Path) -> list[float]:
        test = out.with_name("test_it.py")
        test.write_text(f"{source}\ndef passed():\n    {calls}\n\ndef test_it(benchmark):\n    benchmark(passed)\n")
        command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--benchmark-json={out}", str(test)]
        subprocess.run(command, check=True, capture_output=True, cwd=out.parent)
        data: list[float] = json.loads(out.read_text())["benchmarks"][0]["stats"]["data"]
        return data

    yield from _timed(sources, values)


def _timed(sources: Sequence[str], values: Callable[[str, Path], list[float]]) -> Iterator[Found]:
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        original = values(sources[0], Path(folder) / "original.json")
        original_s = time.monotonic() - begun
        for index, source in enumerate(sources):
            begun = time.monotonic()
            other = values(source, Path(folder) / f"{index}.json")
            yield _ratio(original, other, original_s + time.monotonic() - begun)


def _ratio(original: Sequence[float], other: Sequence[float], seconds: float) -> Found:
    """The ratio with Welch's 95 % interval of the difference of mean logarithms."""
    sides = [[log(value) for value in values] for values in (original, other)]
    errors = [variance(side) / len(side) for side in sides]
    centre = fmean(sides[0]) - fmean(sides[1])
    half = t_quantile(0.025, min(map(len, sides)) - 1) * sqrt(sum(errors))
    return Found(exp(centre), exp(centre - half), exp(centre + half), seconds)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", required=True, help="an interpreter with pyperf and pytest-benchmark")
    parser.add_argument("--size", default="100 us", choices=list(SIZES), help="about how long a pass takes")
    options = parser.parse_args()
    sources = [counting(ratio) for ratio in RATIOS]
    tables = {
        "codeens": anyio.run(by_codeens, sources, options.size),
        "pyperf": list(by_pyperf(options.peers, sources, options.size)),
        "pytest-benchmark": list(by_pytest_benchmark(options.peers, sources, options.size)),
    }
    print("| loops | " + " | ".join(f"{name} | s" for name in tables) + " |")
    print("|--:" * (1 + 2 * len(tables)) + "|")
    for ratio, *row in zip(RATIOS, *tables.values(), strict=True):
        print(f"| {ratio:g} | {' | '.join(map(str, row))} |")


if __name__ == "__main__":
    sys.path.append(sys.path.pop(0))  # `coverage` is the library here
    main()
