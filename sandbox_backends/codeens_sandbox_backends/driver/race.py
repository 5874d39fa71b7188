"""Runs a `RaceJob`: rounds in which an original and its candidates are sampled in turns, in random order.

What is reported of a side is the quickest of its samples, since a disturbance only ever adds. A disturbance that lasts
hits all sides of a round, which the rounds tell apart. A side that stops answering takes its block down; the round is
then run again without it. `Limits.wall_s` is for each exchange with a process, `RaceJob.budget_s` for all rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from itertools import pairwise
from keyword import iskeyword
from math import ceil, inf
from time import monotonic
from typing import TypeVar, cast

import msgspec

from codeens_sandbox_backends.driver.launcher import Launcher
from codeens_sandbox_backends.driver.race_block import RaceBlock, RaceSide
from codeens_sandbox_backends.driver.race_round import NOBODY, ORIGINAL, LostSide, Parts, Round, blaming, shuffled
from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.programs import CallInput, ModuleSource, Outcome, Program, Raised, Returned
from codeens_sandbox_backends.races import PartRounds, PassArguments, RaceJob, RacePlan, RaceResult, SideTimes
from codeens_sandbox_backends.worker.values.codec import is_mutable, names_classes

T = TypeVar("T")
_COPIES = 2
"""Of the arguments in a block where passes can share them: one for rehearsals."""
_MOST_GROUPS = 4
_SLOWEST_SAMPLE_S = 1.0
"""What a sample of a candidate may take where it needs as long as the original after all."""
_SLOW = 3.0
"""Times the original's pass from where on one sample of a candidate is enough."""
_CALIBRATIONS = 3
_FEWEST_SAMPLES = 3
_MOST_SAMPLES = 9
_NULL_SAMPLES = 4
_CALLS_PER_SAMPLE = 50_000
_ARGUMENT_BYTES = 4 << 20
"""JSON of the arguments in all copies of a block; as objects they take about ten times that."""
_LEAST_CALL_S = 1e-8
"""Nothing that Python calls is quicker; what seems so was lost in the noise of its one sample."""
_MOST_NAMED = 50
"""Arguments that the loop of a sample names."""
_NOTHING = Program(
    module="nothing", qualname="nothing", modules=(ModuleSource(name="nothing", source="def nothing(*_, **__): pass"),)
)


def run_race(launcher: Launcher, job: RaceJob, limits: Limits) -> RaceResult:
    """Run all rounds, until the budget is used up, or the original or all candidates stop answering."""
    race = _Race(launcher, job, limits)
    race.run()
    return race.result()


class _Race:
    def __init__(self, launcher: Launcher, job: RaceJob, limits: Limits) -> None:
        self._launcher = launcher
        self._job = job
        self._limits = limits
        self._programs = (job.original, *job.candidates)
        self._size = len(job.inputs)
        self._raw = msgspec.Raw(msgspec.json.encode(job.inputs))
        self._late = any(names_classes(value) for call in job.inputs for value in (*call.args, *call.kwargs.values()))
        self._mutable = any(is_mutable(value) for call in job.inputs for value in (*call.args, *call.kwargs.values()))
        sizes = [len(msgspec.json.encode(call)) for call in job.inputs]
        self._smallest = sizes.index(min(sizes)) if sizes else 0
        self._over_at = monotonic() + job.budget_s
        parts = tuple(pairwise((*job.parts, self._size)))
        self._passes: tuple[Parts, ...] = tuple((part,) for part in parts) if job.apart else (parts,)
        """What is raced by itself, by its parts."""
        self._plans: list[tuple[RacePlan, ...]] = [job.plans] if job.plans else []
        """Of each of these, by side."""
        self._rounds: list[tuple[tuple[SideTimes | None, ...], ...]] = []
        self._failures: list[Outcome | None] = [None] * len(self._programs)
        self._answered: list[dict[int, Outcome]] = [{} for _ in self._programs]
        self._outcomes: list[dict[int, Outcome]] = [{} for _ in self._programs]
        self._direct = False

    def run(self) -> None:
        """Run the rounds; before the first one, find out how sides are to be sampled if that was not done yet."""
        for number in range(self._job.rounds):
            if number and monotonic() >= self._over_at:
                return
            times = self._until_none_is_lost(lambda: self._round() if self._plans else self._first_round())
            if times is None:
                return
            self._rounds.append(times)

    def result(self) -> RaceResult:
        """Return all that was found so far."""
        raced = tuple(
            PartRounds(rounds=tuple(times[place] for times in self._rounds), plans=plans)
            for place, plans in enumerate(self._plans)
        )
        whole = PartRounds(rounds=(), plans=()) if self._job.apart or not raced else raced[0]
        return RaceResult(
            rounds=whole.rounds,
            plans=whole.plans,
            parts=raced if self._job.apart else (),
            outcomes=tuple(
                tuple(found[index] for index in range(self._size)) if len(found) == self._size else ()
                for found in self._outcomes
            ),
            failures=tuple(self._failures),
            clock="processor" if self._direct else "wall",
        )

    def _until_none_is_lost(self, attempt: Callable[[], T]) -> T | None:
        """Try again without each side that is lost; None once the original, or every candidate, is."""
        while self._failures[ORIGINAL] is None and len(self._live()) > 1:
            try:
                return attempt()
            except LostSide as lost:
                self._failures[lost.side] = lost.outcome
        return None

    def _live(self) -> list[int]:
        return [side for side, failure in enumerate(self._failures) if failure is None]

    def _open(self, copies: int) -> _Blocks:
        def make() -> RaceBlock:
            return RaceBlock(self._launcher, self._limits, self._job.inputs, self._raw, copies, late=self._late)

        return _Blocks(make, _nothing_beside(self._job.original))

    def _first_round(self) -> tuple[tuple[SideTimes | None, ...], ...]:
        """Calibrate, and take the first round in the same block, where its sides are as fresh as those of another."""
        with self._open(_COPIES) as blocks:
            sides = blocks.sides(self._live())
            self._plans = [self._calibrated(sides, parts) for parts in self._passes]
            self._direct = blocks.are_shared
            if self._direct and self._copies() == _COPIES:
                return self._sampled(blocks.sides(self._live()))
        return self._round()

    def _calibrated(self, sides: dict[int, RaceSide], parts: Parts) -> tuple[RacePlan, ...]:
        every = (parts[0][0], parts[-1][1])
        with blaming(ORIGINAL):
            reference = self._digests(ORIGINAL, sides[ORIGINAL], every)
            outcomes = sides[ORIGINAL].answers(range(*every) if self._mutable else ())
            arguments = self._arguments(self._job.inputs[slice(*every)], outcomes)
            null_s = min(sides[ORIGINAL].sample((0, 0), 1, arguments).cpu_s for _ in range(_NULL_SAMPLES))
            sampled = _Calibration(self._job, parts, self._most_passes(every, arguments), null_s, arguments)
            original_s = sampled.pass_s(sides[ORIGINAL])
            original = sampled.original(sides[ORIGINAL], original_s)
            sides[ORIGINAL].end()
        plans = [original for _ in self._programs]
        for number, side in sides.items():
            if number not in {ORIGINAL, NOBODY}:
                with blaming(number):
                    same = self._digests(number, side, every) == reference and None not in reference
                    side.answers(())
                    plan = sampled.plan(original, original_s, sampled.pass_s(side))
                    side.end()
                plans[number] = msgspec.structs.replace(plan, digests=same)
        return tuple(plans)

    def _digests(self, number: int, side: RaceSide, every: tuple[int, int]) -> tuple[str | None, ...]:
        if not side.has_program:
            side.take(self._programs[number])
        side.fresh_sample(every, 1, (0, 0))
        return side.digests()

    def _arguments(self, inputs: Sequence[CallInput], outcomes: Sequence[Outcome]) -> PassArguments:
        """Return what passes must get, by how the original has left its arguments."""
        if all(
            isinstance(outcome, Returned | Raised) and (outcome.args, outcome.kwargs) == (call.args, call.kwargs)
            for outcome, call in zip(outcomes, inputs, strict=self._mutable)
        ):
            return "same"
        shapes = {_shape(call) for call in inputs}
        return "copied" if len(shapes) == 1 and None not in shapes else "own"

    def _most_passes(self, every: tuple[int, int], arguments: PassArguments) -> int:
        most = _CALLS_PER_SAMPLE // max(1, every[1] - every[0])
        return max(1, min(most, _ARGUMENT_BYTES // len(bytes(self._raw)) - 1) if arguments == "own" else most)

    def _copies(self) -> int:
        """Return how often a block must hold the arguments, one copy being for rehearsals."""
        plans = [plans[number] for plans in self._plans for number in self._live()]
        return 1 + max((plan.inner for plan in plans if plan.arguments == "own"), default=1)

    def _round(self) -> tuple[tuple[SideTimes | None, ...], ...]:
        with self._open(self._copies()) as blocks:
            sides = blocks.sides(self._live())
            self._direct = blocks.are_shared
            return self._sampled(sides)

    def _sampled(self, sides: dict[int, RaceSide]) -> tuple[tuple[SideTimes | None, ...], ...]:
        """Sample every side once around; in the first round all answers are seen as a whole."""
        found: list[tuple[SideTimes | None, ...]] = []
        for parts, by_side in zip(self._passes, self._plans, strict=True):
            plans = {number: by_side[number] for number in self._live()}
            sampled = Round(sides, self._programs, plans, self._smallest, parts, self._keep)
            sampled.first_passes(answers=not self._rounds or not all(plan.digests for plan in plans.values()))
            sampled.timed()
            if self._job.single_passes:
                sampled.single_passes()
            found.append(tuple(sampled.times(number) for number in range(len(self._programs))))
        return tuple(found)

    def _keep(self, side: int, numbers: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        """Keep the first outcome of each input, and any later one that differs from it."""
        for number, outcome in zip(numbers, outcomes, strict=True):
            first = self._answered[side].setdefault(number, outcome)
            if number not in self._outcomes[side] or msgspec.json.encode(outcome) != msgspec.json.encode(first):
                self._outcomes[side][number] = outcome


class _Blocks:
    """What sides are forked of: one block that they share, where they can, else one for each."""

    def __init__(self, make: Callable[[], RaceBlock], nothing: Program) -> None:
        """Get ready; `nothing` is what nobody runs, where it has a process of its own."""
        self._make = make
        self._nothing = nothing
        self._held = ExitStack()
        self._block: RaceBlock | None = None

    def __enter__(self) -> _Blocks:
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    @property
    def are_shared(self) -> bool:
        """Whether all sides are forks of one block."""
        return self._block is not None and self._block.shared

    def sides(self, numbers: Iterable[int]) -> dict[int, RaceSide]:
        """Return sides without programs, and nobody; blocks of their own that earlier ones had end.

        Raises:
            LostSide: one does not answer.
        """
        sides: dict[int, RaceSide] = {}
        if not self.are_shared:
            self._held.close()
        for number in shuffled(numbers):
            block = self._block
            if block is None or not block.shared:
                with blaming(number if sides else ORIGINAL):
                    block = self._block = self._held.enter_context(self._make())
            with blaming(number):
                sides[number] = block.side()
        sides[NOBODY] = sides[ORIGINAL]
        if self._block is not None and self._block.shared:
            with blaming(ORIGINAL):
                sides[NOBODY] = self._block.side()
                sides[NOBODY].take(self._nothing)
        return sides


class _Calibration:
    """Finds out how sides are to be sampled."""

    def __init__(self, job: RaceJob, parts: Parts, most_passes: int, null_s: float, arguments: PassArguments) -> None:
        self._job = job
        self._parts = parts
        self._every = (parts[0][0], parts[-1][1])
        self._size = self._every[1] - self._every[0]
        self._most_passes = most_passes
        self._null_s = null_s
        self._arguments: PassArguments = arguments

    def pass_s(self, side: RaceSide) -> float:
        """Return about the seconds of a pass; one that changes nothing is repeated until that can be told."""
        inner = 1
        while True:
            sample_s = max(self._seconds(side, self._every, inner), inner * self._size * _LEAST_CALL_S)
            if self._arguments == "own" or inner >= self._most_passes or sample_s >= self._job.min_sample_s / 2:
                return sample_s / inner
            inner = min(self._most_passes, ceil(inner * min(20.0, max(2.0, self._job.min_sample_s / sample_s))))

    def _seconds(self, side: RaceSide, group: tuple[int, int], inner: int = 1) -> float:
        """Return the least that a sample takes; one that is long is told well enough by itself."""
        least_s = inf
        for _ in range(_CALIBRATIONS):
            least_s = min(least_s, side.sample(group, inner, self._arguments).busy_s)
            if least_s >= self._job.round_s:
                break
        return least_s - self._null_s

    def original(self, side: RaceSide, seconds: float) -> RacePlan:
        """Return the plan of the original, a pass of which takes so long."""
        groups = self._parts
        if seconds >= 2 * self._job.min_sample_s and self._size > 1:
            each = {index: self._seconds(side, (index, index + 1)) for index in range(*self._every)}
            least_s = max(self._job.min_sample_s, seconds / _MOST_GROUPS)
            groups = tuple(group for part in self._parts for group in _cut(each, part, least_s))
        return self._sampled(groups, seconds, self._inner(groups, seconds))

    def plan(self, original: RacePlan, original_s: float, seconds: float) -> RacePlan:
        """Return the plan of a candidate beside the original's."""
        groups = original.groups if seconds >= 2 * self._job.min_sample_s else self._parts
        inner = self._inner(groups, seconds)
        affordable = max(original.inner, int(_SLOWEST_SAMPLE_S / original_s))
        plan = self._sampled(groups, seconds, min(inner, affordable))
        return msgspec.structs.replace(plan, samples=1) if seconds > _SLOW * original_s else plan

    def _inner(self, groups: tuple[tuple[int, int], ...], seconds: float) -> int:
        return min(self._most_passes, max(1, ceil(self._job.min_sample_s * len(groups) / seconds)))

    def _sampled(self, groups: tuple[tuple[int, int], ...], seconds: float, inner: int) -> RacePlan:
        samples = min(_MOST_SAMPLES, max(_FEWEST_SAMPLES, ceil(self._job.round_s / (seconds * inner))))
        return RacePlan(groups=groups, inner=inner, arguments=self._arguments, samples=samples)


def _nothing_beside(original: Program) -> Program:
    """Return a program that does nothing, where the classes of arguments are those of the original."""
    return msgspec.structs.replace(_NOTHING, modules=(*_NOTHING.modules, *original.modules), sys_path=original.sys_path)


def _shape(call: CallInput) -> tuple[tuple[str, bool], ...] | None:
    """Return names of arguments and which of them are lists of plain values; None where others can be changed."""
    shape: list[tuple[str, bool]] = []
    for name, value in (*((str(index), value) for index, value in enumerate(call.args)), *call.kwargs.items()):
        if isinstance(value, list):
            head, *items = cast("list[object]", value)
            if head != "list" or any(isinstance(item, list) for item in items):
                return None
        shape.append((name, isinstance(value, list)))
    names_given = all(name.isidentifier() and not iskeyword(name) for name in call.kwargs)
    return tuple(shape) if names_given and len(shape) <= _MOST_NAMED else None


def _cut(seconds: Mapping[int, float], part: tuple[int, int], least_s: float) -> tuple[tuple[int, int], ...]:
    """Return neighbouring inputs of a part in groups that each take about that long."""
    groups: list[tuple[int, int]] = []
    first, taken_s = part[0], 0.0
    for index in range(*part):
        taken_s += seconds[index]
        if taken_s >= 0.8 * least_s:
            groups.append((first, index + 1))
            first, taken_s = index + 1, 0.0
    if first < part[1]:
        begin = groups.pop()[0] if groups and taken_s < 0.4 * least_s else first
        groups.append((begin, part[1]))
    return tuple(groups)
