"""How often a function raced against itself is called faster or slower: both are false claims.

Run from the repository: `python bench/aa.py [--repetitions N] [--backend NAME] [--json]`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from math import sqrt
from pathlib import Path
from typing import Any

import anyio
import msgspec
from aa_inputs import inputs

from codeens_sandbox_backends.base import CallInput, Sandbox, TimingJob
from codeens_sandbox_backends.registry import get_backend
from codeens_sandbox_backends.worker.values.codec import encode
from codeens_server.config.settings import Settings
from codeens_server.domain import Interval, Replacement
from codeens_server.measuring.statistics import speed_interval
from codeens_server.workspace.edit import program_for
from codeens_server.workspace.environment import sandbox_spec
from codeens_server.workspace.find import find_target

HERE = Path(__file__).parent


class SelfRace(msgspec.Struct, frozen=True, kw_only=True):
    """One function against itself; `speed` is None where the race gave no interval, and `failure` says why."""

    function: str
    seconds: float
    speed: Interval | None
    failure: str = ""


async def race_all(backend: str, repetitions: int) -> list[SelfRace]:
    """Race every function `repetitions` times, one race at a time."""
    races: list[SelfRace] = []
    calls = inputs()
    rounds = [name for _ in range(repetitions) for name in calls]
    for done, name in enumerate(rounds, start=1):
        races.append(await _race(backend, name, calls[name]))
        _say(f"\r{done}/{len(rounds)} {name:<24}")
    _say("\n")
    return races


async def _race(backend: str, name: str, calls: list[tuple[object, ...]]) -> SelfRace:
    target = find_target(f"aa_functions.py::{name}", cwd=HERE)
    job = TimingJob(
        a=program_for(target, None),
        b=program_for(target, Replacement(function=target.source)),
        inputs=tuple(CallInput(args=tuple(encode(value) for value in call)) for call in calls),
    )
    sandbox: Sandbox = await get_backend(backend).open(sandbox_spec(target, Settings()))
    try:
        started = time.monotonic()
        race = await sandbox.run(job)
        seconds = time.monotonic() - started
    finally:
        await sandbox.aclose()
    failure = repr(race.failure) if race.failure else ""
    return SelfRace(function=name, seconds=seconds, speed=speed_interval(race, len(calls)), failure=failure)


def wilson(hits: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927), which is right for small counts too."""
    if not total:
        return 0.0, 1.0
    share, spread = hits / total, z * z / total
    centre = (share + spread / 2) / (1 + spread)
    half = z * sqrt(share * (1 - share) / total + spread / (4 * total)) / (1 + spread)
    return max(0.0, centre - half), min(1.0, centre + half)


def report(races: list[SelfRace]) -> dict[str, Any]:
    """Shares of false claims and what the races cost."""
    timed = [race.speed for race in races if race.speed is not None]
    widths = sorted(speed.high / speed.low for speed in timed)
    seconds = sorted(race.seconds for race in races)
    return {
        "races": len(races),
        "without_interval": [race.function for race in races if race.speed is None],
        "false_faster": _claims([speed.faster for speed in timed]),
        "false_slower": _claims([speed.slower for speed in timed]),
        "false_memory_notes": _claims([bool(speed.note) for speed in timed]),
        "median_width": widths[len(widths) // 2] if widths else None,
        "median_seconds": seconds[len(seconds) // 2],
        "longest_seconds": seconds[-1],
        "load_average": os.getloadavg()[2],
        "cores": os.cpu_count(),
    }


def _claims(flags: list[bool]) -> dict[str, Any]:
    return {
        "count": sum(flags),
        "share": sum(flags) / max(1, len(flags)),
        "interval_95": wilson(sum(flags), len(flags)),
    }


def _lines(found: dict[str, Any]) -> Iterator[str]:
    yield f"{found['races']} races, {len(found['without_interval'])} without an interval"
    for claim in ("false_faster", "false_slower", "false_memory_notes"):
        low, high = found[claim]["interval_95"]
        name = claim.replace("_", " ")
        yield f"{name}: {found[claim]['count']} = {found[claim]['share']:.1%} [{low:.1%}, {high:.1%}]"
    yield f"interval's width (high / low), median: {found['median_width'] or float('nan'):.3f}"
    yield f"seconds per race: median {found['median_seconds']:.1f}, longest {found['longest_seconds']:.1f}"
    yield f"15-minute load average {found['load_average']:.1f} on {found['cores']} cores"


def _say(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def main() -> int:
    """Print the report; 1 when more than 2 % of the races were called faster."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=10, help="races per function (default: 10)")
    parser.add_argument("--backend", default="local", help="sandbox to race in (default: local)")
    parser.add_argument("--json", action="store_true", help="one JSON document with all races")
    options = parser.parse_args()
    races = anyio.run(race_all, options.backend, max(1, options.repetitions))
    found = report(races)
    if options.json:
        print(json.dumps({**found, "all": msgspec.to_builtins(races)}, indent=1))
    else:
        print("\n".join(_lines(found)))
    return int(found["false_faster"]["share"] > 0.02)


if __name__ == "__main__":
    sys.exit(main())
