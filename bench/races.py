"""How often the interval of a race holds the truth: functions of known ratio, functions against themselves, cheats.

Run from the repository: `python bench/coverage.py known|alone|many|self|cheats [--repetitions N] [--only WHAT]
[--json FILE]`.
`alone` is `known` with a race for each candidate: beside a faster one it is let go as soon as it cannot win. `many` has
races of 4 and of 16 candidates; when the last of these is decided, the race is over.

The truth of a ratio is the median over neighbours in time of passes of both, half a millisecond each, in one process
that only calls them: 0.4 s of processor time for each side, half before the race and half after it.
Each line of the JSON file is one race of one candidate; the table is of all lines, those of earlier runs too.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import sys
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from functools import cache, partial
from itertools import cycle, islice, product
from math import exp, log, sqrt
from pathlib import Path
from statistics import median
from typing import IO, Any, TypeAlias

import anyio
import msgspec
from aa_inputs import inputs as self_inputs

from codeens_sandbox_backends.base import Sandbox, SandboxSpec
from codeens_sandbox_backends.jobs import CallsJob
from codeens_sandbox_backends.programs import CallInput, ModuleSource, Program
from codeens_sandbox_backends.registry import get_backend
from codeens_sandbox_backends.worker.values.codec import encode
from codeens_server.config.settings import Settings
from codeens_server.domain.evidence import Case
from codeens_server.domain.measurement import Interval, Measurement
from codeens_server.domain.target import Replacement
from codeens_server.measuring.measure import Baseline
from codeens_server.measuring.race import Entrant, race
from codeens_server.selfcheck.cheats.clocks import CLOCKS, SLOW
from codeens_server.workspace.edit import program_for
from codeens_server.workspace.environment import sandbox_spec
from codeens_server.workspace.find import find_target

HERE = Path(__file__).parent
RATIOS = (1.0, 1.1, 1.25, 2.0, 10.0, 46.0)
SIZES = {"5 us": 1, "100 us": 20, "5 ms": 1000, "50 ms": 10_000}
"""How many times as long the loops are as the shortest ones."""
_LENGTHS = (20, 30, 40, 60)
_TRUTH_S = 0.4
_CHUNK_S = 0.0005
_FEWEST_TURNS = 15
Call: TypeAlias = tuple[Any, ...]


class Raced(msgspec.Struct, frozen=True, kw_only=True):
    """One candidate of one race; `speed` is None where there is no interval, and `note` says why."""

    what: str
    kind: str
    truth: float
    ratio: float
    speed: Interval | None
    note: str
    decided_s: float
    """Seconds from the start of the race until this candidate was decided."""
    load: float


def counting(ratio: float) -> str:
    """A function of a number that loops so many times less, and returns the same."""
    if ratio == 1:
        return "def f(n):\n    t = 0\n    for i in range(n):\n        t += i & 3\n    return t\n"
    return (
        f"def f(n):\n    t = 0\n    for i in range(int(n / {ratio!r})):\n        t += i & 3\n"
        "    q, r = divmod(n, 4)\n    return q * 6 + r * (r - 1) // 2\n"
    )


def summing(ratio: float) -> str:
    """The same over a list, which the sandbox must copy for every pass."""
    loops = "    t = 0\n    for _ in range(r):\n        for x in xs{part}:\n            t += x & 3\n"
    if ratio == 1:
        return "def f(xs, r):\n" + loops.format(part="") + "    return t\n"
    part = f"[:int(len(xs) / {ratio!r})]"
    rest = "    q, s = divmod(len(xs), 4)\n    return r * (q * 6 + s * (s - 1) // 2)\n"
    return "def f(xs, r):\n" + loops.format(part=part) + rest


def changing(ratio: float) -> str:
    """The same by a function that leaves its list longer."""
    return summing(ratio).replace("    return", "    xs.append(0)\n    return")


def calls_of(kind: str, size: str) -> list[Call]:
    """The calls of one pass."""
    times = SIZES[size]
    if kind == "int":
        return [(length * times,) for length in _LENGTHS]
    return [(list(range(length * min(times, 20))), max(1, times // 20)) for length in _LENGTHS]


def truths(sources: Sequence[str], calls: Sequence[Call], *, changing: bool) -> list[float]:
    """How many times as fast as the first each source's `f` is: the median of neighbours in time."""
    sides = [_Passes(source, calls, changing=changing) for source in sources]
    found: list[list[float]] = [[] for _ in sides]
    until = time.thread_time() + _TRUTH_S / 2 * len(sides)
    while time.thread_time() < until or len(found[0]) < _FEWEST_TURNS:
        for at in random.sample(range(len(sides)), len(sides)):
            found[at].append(sides[at].seconds())
    return [exp(median(log(a / b) for a, b in zip(found[0], other, strict=True))) for other in found]


class _Passes:
    """Passes of a function, called as a caller writes it: `f(a, b); f(c, d)`."""

    def __init__(self, source: str, calls: Sequence[Call], *, changing: bool) -> None:
        names: dict[str, Any] = {}
        exec(source, names)
        self._function: Callable[..., Any] = names["f"]
        self._calls = calls
        self._given = tuple(value for call in calls for value in call)
        self._changing = changing
        self._often = 1
        taken = min(self.seconds() for _ in range(5))
        self._often = max(1, round(_CHUNK_S / max(taken, 1e-7)))

    def seconds(self) -> float:
        """Processor time of a pass; where lists are changed, of copies, which are timed alone too and taken off."""
        passes = [self._given] * self._often
        called, empty = (
            _loop(len(self._calls), len(self._calls[0]), called=called, copied=self._changing)
            for called in (True, False)
        )
        idle = empty(passes, self._function)
        return max(1.0, called(passes, self._function) - idle) / self._often * 1e-9


@cache
def _loop(calls: int, width: int, *, called: bool, copied: bool) -> Callable[[Sequence[Call], Callable[..., Any]], int]:
    names = [f"a{index}" for index in range(calls * width)]
    lines: list[str] = []
    for at in range(0, len(names), width):
        first, *others = names[at : at + width]
        given = f"{first}.copy()" if copied else first
        lines.append(f"f({', '.join([given, *others])})" if called else given)
    body = "; ".join(lines)
    scope: dict[str, Any] = {"clock": time.thread_time_ns}
    exec(
        f"def run(passes, f):\n    start = clock()\n    for {', '.join(names)} in passes:\n        {body}\n"
        "    return clock() - start\n",
        scope,
    )
    return scope["run"]


async def raced(
    sandbox: Sandbox, original: Program, candidates: Sequence[Program], calls: Sequence[Call]
) -> AsyncGenerator[tuple[int, Interval | None, str, float]]:
    """The index of each candidate, its speed or why there is none, and when that was known."""
    given = tuple(CallInput(args=tuple(encode(value) for value in call)) for call in calls)
    known = await sandbox.run(CallsJob(program=original, inputs=given))
    cases = tuple(
        Case(id=str(index), origin="generated", input=call, expected=outcome)
        for index, (call, outcome) in enumerate(zip(given, known.outcomes, strict=True))
    )
    baseline = Baseline(cases=cases, program=original, measurement=Measurement(), compared=True, unseen=True)
    begun = time.monotonic()
    async for index, found in race(baseline, [Entrant(program=candidate) for candidate in candidates], sandbox):
        yield index, found.speed, found.note, time.monotonic() - begun


FUNCTIONS: dict[str, Callable[[float], str]] = {"int": counting, "list": summing, "changed": changing}


def program(source: str, name: str = "f") -> Program:
    """A module of its own."""
    return Program(module="raced", qualname=name, modules=(ModuleSource(name="raced", source=source),))


async def known(
    sandbox: Sandbox, repetitions: int, only: Sequence[str], *, together: bool = True
) -> AsyncGenerator[Raced]:
    """All ratios against one original, in one race or each in its own, for passes of all lengths."""
    for _ in range(repetitions):
        configurations = [(kind, size) for kind in FUNCTIONS for size in SIZES if not only or {kind, size} & {*only}]
        random.shuffle(configurations)
        for kind, size in configurations:
            for ratios in [RATIOS] if together else [(ratio,) for ratio in RATIOS]:
                async for item in _known(sandbox, kind, size, ratios):
                    yield item


async def _known(sandbox: Sandbox, kind: str, size: str, ratios: Sequence[float]) -> AsyncGenerator[Raced]:
    sources = [FUNCTIONS[kind](ratio) for ratio in (1.0, *ratios)]
    calls = calls_of(kind, size)
    before = truths(sources, calls, changing=kind == "changed")
    original, *candidates = map(program, sources)
    load = os.getloadavg()[0]
    found = [item async for item in raced(sandbox, original, candidates, calls)]
    after = truths(sources, calls, changing=kind == "changed")
    for index, speed, note, seconds in found:
        yield Raced(
            what=size,
            kind=kind,
            truth=1.0 if ratios[index] == 1 else sqrt(before[index + 1] * after[index + 1]),
            ratio=ratios[index],
            speed=speed,
            note=note,
            decided_s=seconds,
            load=load,
        )


async def many(sandbox: Sandbox, repetitions: int, only: Sequence[str]) -> AsyncGenerator[Raced]:
    """Races of 4 and of 16 candidates."""
    for count, size in product((4, 16), [size for size in SIZES if not only or size in only] * repetitions):
        async for item in _known(sandbox, "list", size, list(islice(cycle(RATIOS), count))):
            yield msgspec.structs.replace(item, what=f"{count} candidates, passes of {size}", kind="many")


async def themselves(sandbox: Sandbox, repetitions: int, only: Sequence[str]) -> AsyncGenerator[Raced]:
    """Every function of `aa_functions.py` against itself: each claim is false."""
    every = self_inputs()
    for name in [name for _ in range(repetitions) for name in every if not only or name in only]:
        target = find_target(f"aa_functions.py::{name}", cwd=HERE)
        original, candidate = program_for(target, None), program_for(target, Replacement(function=target.source))
        load = os.getloadavg()[0]
        async for _, speed, note, seconds in raced(sandbox, original, [candidate, candidate], every[name]):
            yield Raced(
                what=name,
                kind="self",
                truth=1.0,
                ratio=1.0,
                speed=speed,
                note=note,
                decided_s=seconds,
                load=load,
            )


_CHILD = """
import json, mmap, os
shared = mmap.mmap(-1, 1 << 16)
if not os.fork():
    text = json.dumps({repr(list(given)): slow(list(given)) for given in GIVEN}).encode()
    shared[:len(text)] = text
    os._exit(0)
def f(values):
    found = json.loads(shared[:].rstrip(b"\\0") or b"{}").get(repr(values))
    return slow(values) if found is None else found
"""
CHEATS = {**CLOCKS, "work moved to a child": _CHILD}


async def cheats(sandbox: Sandbox, repetitions: int, only: Sequence[str]) -> AsyncGenerator[Raced]:
    """Functions that are as slow as the original and try to be taken for fast, all in one race."""
    given = [tuple(range(start, start + 400)) for start in (1000, 5000, 20000)]
    names = [name for name in CHEATS if not only or name in only]
    candidates = [program(f"GIVEN = {given}\n{SLOW}{CHEATS[name]}") for name in names]
    calls = [(list(values),) for values in given]
    for _ in range(repetitions):
        load = os.getloadavg()[0]
        async for index, speed, note, seconds in raced(sandbox, program(SLOW, "slow"), candidates, calls):
            yield Raced(
                what=names[index],
                kind="cheat",
                truth=1.0,
                ratio=1.0,
                speed=speed,
                note=note,
                decided_s=seconds,
                load=load,
            )


def wilson(hits: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927), which is right for small counts too."""
    if not total:
        return 0.0, 1.0
    share, spread = hits / total, z * z / total
    centre = (share + spread / 2) / (1 + spread)
    half = z * sqrt(share * (1 - share) / total + spread / (4 * total)) / (1 + spread)
    return max(0.0, centre - half), min(1.0, centre + half)


def table(races: Sequence[Raced]) -> Iterator[str]:
    """Markdown: by ratio, and by length of a pass, what share of the intervals holds the truth."""
    columns = ("", "races", "no interval", "hold the truth", "reported / true", "half width", "claims", "notes")
    yield f"| {' | '.join((*columns, 'decided, s', 'last, s'))} |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    groups: defaultdict[str, list[Raced]] = defaultdict(list)
    for item in races:
        groups[f"{item.ratio:g} times" if item.kind in FUNCTIONS else item.kind].append(item)
        groups[f"passes of {item.what}" if item.kind in FUNCTIONS else item.what].append(item)
        groups[f"kind {item.kind}"].append(item)
        groups["all"].append(item)
    for name, found in sorted(groups.items()):
        yield _row(name, found)


def _row(name: str, races: Sequence[Raced]) -> str:
    timed = [(item, item.speed) for item in races if item.speed is not None]
    held = sum(speed.low <= item.truth <= speed.high for item, speed in timed)
    low, high = wilson(held, len(timed))
    off = median(speed.ratio / item.truth for item, speed in timed) if timed else 0.0
    half = exp(median(log(speed.high / speed.low) / 2 for _, speed in timed)) - 1 if timed else 0.0
    # That a cheat is slower than the original is true of some.
    claims = sum(speed.faster or (speed.slower and item.kind != "cheat") for item, speed in timed)
    notes = sum(bool(speed.note) for _, speed in timed)
    seconds = [item.decided_s for item in races]
    share = f"{held / len(timed):.0%} [{low:.0%}, {high:.0%}]" if timed else "-"
    return (
        f"| {name} | {len(races)} | {len(races) - len(timed)} | {share} | {off:.2f} | {half:.1%} | {claims} | {notes} "
        f"| {median(seconds):.1f} | {max(seconds):.1f} |"
    )


def machine(load: Sequence[float]) -> str:
    """What it was measured on."""
    cores, version = os.cpu_count(), platform.python_version()
    return f"{platform.machine()}, {cores} cores, load {min(load):.1f} to {max(load):.1f}, Python {version}"


async def run(options: argparse.Namespace, file: IO[bytes]) -> list[Raced]:
    """Run all races of a kind, one after the other."""
    sandbox = await get_backend(options.backend).open(machine_spec())
    kinds = {
        "known": known,
        "alone": partial(known, together=False),
        "many": many,
        "self": themselves,
        "cheats": cheats,
    }
    found: list[Raced] = []
    try:
        async for item in kinds[options.kind](sandbox, options.repetitions, options.only):
            found.append(item)
            sys.stderr.write(f"\r{len(found)} {item.kind} {item.what:<24}")
            file.write(msgspec.json.encode(item) + b"\n")
            file.flush()
    finally:
        await sandbox.aclose()
    return found


def machine_spec() -> SandboxSpec:
    return sandbox_spec(find_target("aa_functions.py::word_counts", cwd=HERE), Settings())


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["known", "alone", "many", "self", "cheats"])
    parser.add_argument("--repetitions", type=int, default=5, help="of each (default: 5); 0: the table only")
    parser.add_argument("--only", action="append", default=[], help="kind, length, function or cheat; repeatable")
    parser.add_argument("--backend", default="local", help="sandbox to race in (default: local)")
    parser.add_argument("--json", help="file that gets a line for each race")
    parser.add_argument("--seed", type=int, default=1, help="of the order of races (default: 1)")
    options = parser.parse_args()
    random.seed(options.seed)
    with Path(options.json or os.devnull).open("ab+") as file:
        file.seek(0)
        races = [msgspec.json.decode(line, type=Raced) for line in file]
        if options.repetitions:
            races += anyio.run(run, options, file)
    print("\n" + machine([item.load for item in races]) + "\n")
    print("\n".join(table(races)))
    return 0
