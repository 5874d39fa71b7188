"""Does the search pay? Equal numbers of calls: best of N, rounds with failures only, rounds that improve.

    python bench/search.py [--functions 40] [--calls 8] [--seeds 1] [--chances 0.1 0.3 0.5] [--price 1] [--only METHOD]

Runs of the engine in which nothing is slow: a function stands for a ladder of implementations with known ratios, of
four kinds of headroom, and the sandbox answers from the ladder. So what is measured is whom the search asks, what it
shows and when it stops, and not any model. The models are scripted: an answer tries for a rung, the harder the higher,
and is right or wrong; one that was wrong is tried again, and shown a right answer the next rung is tried for with a
chance that is given (`--chances`), for nobody knows it of yours. Of two models one is right twice as often, and costs
`--price` times as much. With `--dead-ends` nothing better is ever reached from a third of the right answers.

Methods are compared in pairs: what a model answers, the n-th time that it is asked the same kind of question about a
function, is recorded once and is the same for all of them (common random numbers).
"""

from __future__ import annotations

import argparse
import math
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple, TypeVar

import anyio
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.server.run import fakes

from codeens_sandbox_backends.jobs import Job
from codeens_sandbox_backends.races import RaceJob, RacePlan, RaceResult, SideTimes
from codeens_server.domain.document import RunDocument
from codeens_server.domain.terms import ORIGINAL
from codeens_server.generation.models.exchange import Message, Reply, Sampling
from codeens_server.measuring import measure
from codeens_server.run import engine, execution, report
from codeens_server.search import improving, learning

R = TypeVar("R")
KINDS = {
    "quadratic join": (1.0, 3.0, 40.0, 90.0),
    "repeated work": (1.0, 1.8, 6.0, 9.0),
    "wrong data structure": (1.0, 2.5, 12.0, 30.0),
    "allocation": (1.0, 1.3, 1.9, 2.6),
}
"""What the rungs of a ladder are worth, times as fast; the last is all there is to gain."""
AFRESH = (0.2, 0.5, 0.2, 0.1)
"""Shares of the rungs that an answer tries for without any help; the first repeats the original."""
RIGHT = (1.0, 0.8, 0.4, 0.2)
"""Chances that the better model gets a rung right: what gains more is harder."""
RIGHT_NEXT = 0.7
RIGHT_AGAIN = 0.5
"""The same of the rung above one that is shown, and of one that is tried again with what was wrong."""
SHOWN = "This was answered before; it is right"
TOLD = "You answered this before, and it was wrong"
_RUNG = re.compile(r"rung = (\d)")
_WAY = re.compile(r"way = (\d+)")
WAYS = 3
"""How many codes there are of a rung; with `--dead-ends`, nothing above the first of them is ever reached."""


class World(NamedTuple):
    """What is assumed of models and functions."""

    chance: float
    price: float
    dead_ends: bool


class Ladder(fakes.FakeBackend):
    """Code runs right here; what it is worth is what its rung is."""

    def __init__(self, ratios: Sequence[float], draw: random.Random) -> None:
        super().__init__()
        self._ratios = ratios
        self._draw = draw

    async def run(self, job: Job[R]) -> R:
        if not isinstance(job, RaceJob):
            return await super().run(job)
        sides = (job.original, *job.candidates)
        ratios = [
            self._ratios[int(found[1])] if (found := _RUNG.search(fakes.text_of(side))) else 1.0 for side in sides
        ]
        whole = await super().run(job)
        assert isinstance(whole, RaceResult)
        rounds = tuple(tuple(self._times(ratio) for ratio in ratios) for _ in range(job.rounds))
        plans = tuple(RacePlan(groups=((0, len(job.inputs)),), inner=1) for _ in sides)
        made: Any = RaceResult(
            rounds=rounds, plans=plans, outcomes=whole.outcomes, failures=whole.failures, clock="processor"
        )
        return made

    def _times(self, ratio: float) -> SideTimes:
        seconds = 0.2 / ratio * self._draw.lognormvariate(0.0, 0.01)
        return SideTimes(
            passes_s=(seconds,), busy_passes_s=(seconds,), first_s=seconds, busy_first_s=seconds, load_s=0.0
        )


class Tape:
    """What is left to chance of a function: the n-th draw for the same purpose is the same whoever asks."""

    def __init__(self, function: str) -> None:
        self._function = function
        self._taken: Counter[str] = Counter()

    def next(self, purpose: str) -> random.Random:
        self._taken[purpose] += 1
        return random.Random(f"{self._function}:{purpose}:{self._taken[purpose]}")


class Scripted:
    """Two models that answer by chance; the first is right twice as often."""

    names = ("editor/better", "editor/poorer")

    def __init__(self, world: World, rungs: int, tape: Tape) -> None:
        self._world = world
        self._rungs = rungs
        self._tape = tape
        self._answers = 0

    async def __call__(self, name: str, messages: Sequence[Message], sampling: Sampling) -> Reply:
        del sampling
        prompt = messages[-1].content
        shown = prompt.partition(SHOWN)[2]
        told = prompt.partition(TOLD)[2]
        kind = f"shown {_RUNG.findall(shown)[0]}" if shown else f"told {_RUNG.findall(told)[0]}" if told else "afresh"
        draw = self._tape.next(f"{name} {kind}")
        rung, is_right = self._tried(shown, told, 1.0 if name == "editor/better" else 0.5, draw)
        self._answers += 1
        text = fakes.fenced(self._code(rung, draw, is_right=is_right))
        tokens = len(prompt) // 4
        price = self._world.price if name == "editor/better" else 1.0
        cost = price * (1e-6 * tokens + 4e-6 * 400)
        return Reply(text=text, model=name, tokens_in=tokens, tokens_out=400, cost_usd=cost)

    def _tried(self, shown: str, told: str, skill: float, draw: random.Random) -> tuple[int, bool]:
        """Return the rung that an answer tries for, and whether it is right."""
        if shown:
            rung = int(_RUNG.findall(shown)[0])
            is_dead = self._world.dead_ends and int(_WAY.findall(shown)[0]) == 0
            if rung + 1 == self._rungs or is_dead or draw.random() >= self._world.chance:
                return rung, True
            return rung + 1, draw.random() < skill * RIGHT_NEXT
        if told:
            return int(_RUNG.findall(told)[0]), draw.random() < skill * RIGHT_AGAIN
        rung = draw.choices(range(self._rungs), AFRESH)[0]
        return rung, rung == 0 or draw.random() < skill * RIGHT[rung]

    def _code(self, rung: int, draw: random.Random, *, is_right: bool) -> str:
        if rung == 0:
            return fakes.ORIGINAL
        way = draw.randrange(WAYS) if is_right else self._answers
        return f"def double(x):\n    rung = {rung}\n    way = {way}\n    return {2 if is_right else 3} * x\n"


class Outcome(NamedTuple):
    """What came of a function."""

    won: bool
    taken: float
    """Share of the headroom's logarithm that is proven, 0 to 1."""
    usd: float


class Method(NamedTuple):
    """A way to spend the calls."""

    name: str
    samples: int
    rounds: int
    patch: Callable[[pytest.MonkeyPatch], None]


def _as_it_is(patch: pytest.MonkeyPatch) -> None:
    del patch


def _failures_only(patch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> int:
        return 0

    patch.setattr(improving.Improvements, "expected", none)


def _uniform(patch: pytest.MonkeyPatch) -> None:
    def shuffled(systems: Sequence[learning.System], _: object, draw: random.Random) -> list[learning.System]:
        return draw.sample(list(systems), len(systems))

    patch.setattr(improving, "drawn", shuffled)


def _with_history(patch: pytest.MonkeyPatch) -> None:
    """As `_as_it_is`, in a workspace where both were asked before, the better one with twice the wins."""
    won = zip(Scripted.names, (12, 6), strict=True)
    earlier = [learning.SystemRecord(model=name, variant="baseline", tries=20, wins=wins) for name, wins in won]

    def joined(_: object, now: Iterable[learning.SystemRecord]) -> dict[learning.System, learning.SystemRecord]:
        return before(earlier, now)

    before = learning.joined
    patch.setattr(improving, "joined", joined)


def _better_alone(patch: pytest.MonkeyPatch) -> None:
    """Ask who is better, as nobody can know: what drawing could gain at the most."""

    def better(systems: Sequence[learning.System], *_: object) -> list[learning.System]:
        return [one for one in systems if one[0] == Scripted.names[0]]

    patch.setattr(improving, "drawn", better)


def _never_settled(patch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> str:
        return ""

    patch.setattr(improving, "why_settled", never)


def methods(calls: int) -> list[Method]:
    """The ways that are compared, each with so many calls at the most to two models."""
    return [
        Method("best of N", calls // 2, 1, _as_it_is),
        Method("rounds, failures only", max(1, calls // 4), calls, _failures_only),
        Method("rounds that improve", 1, calls, _as_it_is),
        Method("- begun with half of the calls", max(1, calls // 4), calls, _as_it_is),
        Method("- asking all alike", 1, calls, _uniform),
        Method("- after 20 earlier runs", 1, calls, _with_history),
        Method("- asking the better alone", 1, calls, _better_alone),
        Method("- never settled", 1, calls, _never_settled),
    ]


async def outcome(folder: Path, method: Method, kind: str, calls: int, world: World, seed: int) -> Outcome:
    """One run."""
    ratios = KINDS[kind]
    tape = Tape(f"{kind}:{seed}")
    with pytest.MonkeyPatch.context() as patch:
        backend = Ladder(ratios, tape.next("race"))
        patch.setattr(engine, "get_backend", {"fake": backend}.__getitem__)
        patch.setattr(execution, "gather", fakes.known_evidence)
        patch.setattr(execution.Prober, "fresh_cases", fakes.known_cases)
        patch.setattr(execution.Prober, "sized_cases", fakes.no_cases)
        patch.setattr(measure, "readability", fakes.easy_to_read)
        patch.setattr(report, "DIFFERENCES_BUDGET_S", 0.0)
        patch.setattr(improving, "Random", partial(_asked, tape))
        method.patch(patch)
        faked = fakes.World(folder, backend)
        models: Any = Scripted(world, len(ratios), tape)
        with faked.engine(models, f"{seed}-{kind}-{method.name}-{world.chance}".replace(" ", "_")) as (runs, _):
            asked = faked.request(
                models, goal="speed", samples=method.samples, rounds=method.rounds, budget_calls=calls
            )
            document = await fakes.finish(runs.start(asked, faked.target))
    return _told(document, ratios)


def _asked(tape: Tape, facts: str) -> random.Random:
    """Who is asked is drawn by the facts, which are nearly the same for all functions here."""
    return tape.next(f"asked {facts}")


def _told(document: RunDocument, ratios: Sequence[float]) -> Outcome:
    best = next((row for row in document.results if row.candidate.id == document.best), None)
    gain = math.log(best.speed.low) / math.log(ratios[-1]) if best and best.speed else 0.0
    return Outcome(document.best != ORIGINAL, max(0.0, gain), document.summary.cost_usd)


Measure = Callable[[Sequence[Outcome]], float]
MEASURES: tuple[Measure, ...] = (
    lambda some: fmean(one.taken for one in some),
    lambda some: 0.01 * sum(one.won for one in some) / sum(one.usd for one in some),
    lambda some: 0.01 * sum(one.taken for one in some) / sum(one.usd for one in some),
)
"""Share of the headroom, wins for a cent, headroom for a cent."""


def interval(measure: Measure, values: Sequence[Outcome], others: Sequence[Outcome] | None = None) -> str:
    """A number over all functions, or its difference in pairs, with the 95 % interval of a bootstrap over them."""
    draw = random.Random(0)

    def of(chosen: Sequence[int]) -> float:
        base = measure([others[at] for at in chosen]) if others else 0.0
        return measure([values[at] for at in chosen]) - base

    every = range(len(values))
    drawn = sorted(of(draw.choices(every, k=len(values))) for _ in range(1000))
    sign = "+" if others else ""
    return f"{of(every):{sign}.3f} [{drawn[25]:{sign}.3f}, {drawn[974]:{sign}.3f}]"


async def compared(functions: int, calls: int, seeds: int, worlds: Sequence[World], only: Sequence[str]) -> None:
    """Print a table for each world; from the second method on also the difference to the first, in pairs."""
    kinds = list(KINDS)
    for world in worlds:
        print(
            f"\nshown a right answer, the better model tries for the next rung with {world.chance:.0%}; {calls} calls"
        )
        print("| | share of the headroom | wins for $0.01 | headroom for $0.01 | $ a function |")
        print("| --- | --- | --- | --- | --- |")
        first: list[Outcome] | None = None
        for method in (one for one in methods(calls) if not only or one.name in only):
            with tempfile.TemporaryDirectory() as folder:
                found = [
                    await outcome(Path(folder), method, kinds[number % len(kinds)], calls, world, seed * 1000 + number)
                    for seed in range(seeds)
                    for number in range(functions)
                ]
            said = " | ".join(interval(measure, found) for measure in MEASURES)
            print(f"| {method.name} | {said} | {fmean(one.usd for one in found):.4f} |", flush=True)
            if first is not None:
                said = " | ".join(interval(measure, found, first) for measure in MEASURES)
                print(f"| - less the first | {said} | |", flush=True)
            first = first or found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--functions", type=int, default=40)
    parser.add_argument("--calls", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--chances", type=float, nargs="+", default=[0.1, 0.3, 0.5])
    parser.add_argument("--only", nargs="+", default=[], metavar="METHOD")
    parser.add_argument("--price", type=float, default=1.0)
    parser.add_argument("--dead-ends", action="store_true")
    options = parser.parse_args()
    worlds = [World(chance, options.price, options.dead_ends) for chance in options.chances]
    anyio.run(compared, options.functions, options.calls, options.seeds, worlds, options.only)


if __name__ == "__main__":
    main()
