"""The samples of one round of a race, and what they say of each side."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Literal, TypeAlias

from codeens_sandbox_backends.driver.race_block import Cost, RaceSide, SideLost
from codeens_sandbox_backends.programs import Outcome, Program
from codeens_sandbox_backends.races import RacePlan, SideTimes

ORIGINAL = 0
NOBODY = -1
"""Takes its turn as the sides do, where it can in a process of its own: what samples and their loop take."""
_SINGLE_SAMPLES = 4
_LONG, _SHORTEST = 4, 100
"""Passes in a sample of the original: up to which one may save a millisecond, and beyond which one cannot be timed."""
_SHORT_LIFE_S = 0.1
"""The longest first sample, loading left out, with which single ones are taken: longer ones tell by themselves."""
_CLOSE_S = 0.006
"""Of what a candidate saves in a pass: who saves more, or takes as much longer, is told by whole lives alone."""
_AUDITED = 4
"""One of so many samples is audited, beyond the one of each group that always is."""
_LEAST_S = 1e-9
_NOISE_S = 2e-5
"""What samples in which nothing is done differ by: a pass counts as no quicker than its share of that, for where a
sample of a far quicker side cannot be made longer, its ratio would lie anywhere."""
_random = secrets.SystemRandom()
Rehearsal: TypeAlias = Literal["nothing", "smallest", "all"]
Parts: TypeAlias = tuple[tuple[int, int], ...]
Keep: TypeAlias = Callable[[int, Sequence[int], Sequence[Outcome]], None]


class LostSide(Exception):
    """A side does not run any more."""

    def __init__(self, side: int, outcome: Outcome) -> None:
        super().__init__(side)
        self.side = side
        self.outcome = outcome


@contextmanager
def blaming(side: int) -> Generator[None]:
    """Say which side it is that does not answer any more."""
    try:
        yield
    except SideLost as lost:
        raise LostSide(side, lost.outcome) from lost


def shuffled(numbers: Iterable[int]) -> list[int]:
    """Return them in random order."""
    listed = list(numbers)
    return _random.sample(listed, len(listed))


class Round:
    """The samples of one round: first passes, timed ones, and where passes are short, single ones."""

    def __init__(
        self,
        sides: dict[int, RaceSide],
        programs: Sequence[Program],
        plans: dict[int, RacePlan],
        smallest: int,
        parts: Parts,
        keep: Keep,
    ) -> None:
        """Get ready.

        Args:
            sides: by number, the original and nobody among them, without their programs.
            programs: of all sides by number.
            plans: of the sides.
            smallest: the input that tells least.
            parts: of the pass, each from its first input to before its last.
            keep: takes the answers of a side that are seen as a whole.
        """
        self._sides = {number: side for number, side in sides.items() if number != NOBODY}
        self._nobody = sides[NOBODY]
        self._programs = programs
        self._plans = plans
        self._smallest = smallest
        self._keep = keep
        self._parts = parts
        self._every = (parts[0][0], parts[-1][1])
        self._reference: tuple[str | None, ...] = ()
        self._first: dict[int, Cost] = {}
        self._turns: dict[int, list[list[Cost]]] = {number: [] for number in plans}
        self._nulls: list[Cost] = []
        self._idle_s: list[float] = []
        self._single: dict[Rehearsal, dict[int, list[Cost]]] = {"nothing": {}, "smallest": {}, "all": {}}

    def first_passes(self, *, answers: bool) -> None:
        """Load each side and take its first sample, the original's first: those of others should have its digests.

        At once, so that no thread of a program can work between the two where only wall time is known.
        """
        for number in (ORIGINAL, *shuffled(self._sides.keys() - {ORIGINAL})):
            side = self._sides[number]
            with blaming(number):
                if not side.has_program:
                    side.take(self._programs[number])
                side.fresh_sample(self._every, 1, (0, 0))
                digests = side.digests()
                self._reference = self._reference or digests
                wanted = range(*self._every) if answers else self._unlike(digests, self._every)
                self._keep(number, wanted, side.answers(wanted))
                self._first[number] = side.lived()
                side.end()

    def timed(self) -> None:
        """Take the timed samples, turn by turn in random order around all sides, and audit some of them."""
        due = {number: secrets.randbelow(plan.samples) for number, plan in self._plans.items()}
        for turn in range(max(plan.samples for plan in self._plans.values())):
            active = {number: plan for number, plan in self._plans.items() if turn < plan.samples}
            for number in active:
                self._turns[number].append([])
            for place in range(max(len(plan.groups) for plan in active.values())):
                for number in shuffled((NOBODY, *(side for side, plan in active.items() if place < len(plan.groups)))):
                    if number == NOBODY:
                        self._overhead()
                        continue
                    audit = turn == due[number] or secrets.randbelow(_AUDITED) == 0
                    group = self._plans[number].groups[place]
                    self._turns[number][turn].append(self._sample(number, group, audit=audit))

    def _overhead(self) -> None:
        """Sample what a sample takes by itself, and what timing a call takes."""
        nobody = self._nobody
        with blaming(ORIGINAL):
            arguments = self._plans[ORIGINAL].arguments
            null = nobody.sample((0, 0), 1, arguments)
            self._nulls.append(null)
            inner = max(plan.inner for plan in self._plans.values())
            if inner > 1:
                idle = nobody.sample(self._every, inner, arguments, idle=True)
                self._idle_s.append(max(0.0, idle.cpu_s - null.cpu_s) / inner)

    def _sample(self, number: int, group: tuple[int, int], *, audit: bool) -> Cost:
        side, plan = self._sides[number], self._plans[number]
        with blaming(number):
            cost = side.sample(group, plan.inner, plan.arguments)
            if audit:
                wanted = {*self._unlike(side.digests(), group), _random.randrange(*group)}
                self._keep(number, sorted(wanted), side.answers(sorted(wanted)))
        return cost

    def _unlike(self, digests: Sequence[str | None], group: tuple[int, int]) -> list[int]:
        """Return the inputs whose answers are not known by their digests to be the original's."""
        reference = self._reference[group[0] - self._every[0] : group[1] - self._every[0]]
        pairs = zip(range(*group), digests, reference, strict=True)
        return [number for number, digest, known in pairs if digest is None or digest != known]

    def single_passes(self) -> None:
        """Take single passes of fresh processes where they are short: the first one ever, those after a rehearsal."""
        inner = self._plans[ORIGINAL].inner
        if inner > _SHORTEST:
            return
        longest_s = max(cost.busy_s - self._sides[number].load.busy_s for number, cost in self._first.items())
        are_short = inner <= _LONG and longest_s <= _SHORT_LIFE_S and self._are_close()
        for _ in range(_SINGLE_SAMPLES):
            for number in shuffled(self._sides):
                with blaming(number):
                    if are_short:
                        self._single["nothing"].setdefault(number, []).append(self._fresh_pass(self._sides[number]))
                    if inner > 1:
                        self._after_rehearsals(number)

    def _are_close(self) -> bool:
        """Return whether passes of any candidate take about as long as the original's."""
        turns = {
            number: [sum(cost.busy_s for cost in costs) for costs in self._turns[number]] for number in self._sides
        }
        passes_s = {number: median(sums) / self._plans[number].inner for number, sums in turns.items()}
        return any(abs(passes_s[ORIGINAL] - passes_s[number]) < _CLOSE_S for number in passes_s.keys() - {ORIGINAL})

    def _fresh_pass(self, side: RaceSide) -> Cost:
        side.fresh_sample(self._every, 1, (0, 0))
        side.digests()  # what is put off until an answer is looked at belongs to it
        cost = side.since_started()
        side.answers(())
        return cost

    def _after_rehearsals(self, number: int) -> None:
        smallest = (self._smallest, self._smallest + 1)
        rehearsed: dict[Rehearsal, tuple[int, int]] = {"smallest": smallest, "all": self._every}
        for rehearsal, inputs in rehearsed.items():
            cost = self._sides[number].fresh_sample(self._every, 1, inputs)
            self._single[rehearsal].setdefault(number, []).append(cost)

    def times(self, number: int) -> SideTimes | None:
        """Return what the samples of a side say; None for one that takes no part any more."""
        if number not in self._sides:
            return None
        fresh, cold, again = (self._least(rehearsal, number) for rehearsal in self._single)
        return SideTimes(
            passes_s=self._passes([[cost.cpu_s for cost in costs] for costs in self._turns[number]], number),
            busy_passes_s=self._passes([[cost.busy_s for cost in costs] for costs in self._turns[number]], number),
            first_s=self._first[number].cpu_s,
            busy_first_s=self._first[number].busy_s,
            load_s=self._sides[number].load.cpu_s,
            fresh_s=fresh.cpu_s,
            busy_fresh_s=fresh.busy_s,
            cold_s=cold.cpu_s,
            again_s=again.cpu_s,
            parts_s=tuple(self._of_part(part, number) for part in self._parts) if len(self._parts) > 1 else (),
        )

    def _of_part(self, part: tuple[int, int], number: int) -> tuple[float, ...]:
        groups = self._plans[number].groups
        turns = [
            [cost.cpu_s for cost, group in zip(costs, groups, strict=True) if part[0] <= group[0] < part[1]]
            for costs in self._turns[number]
        ]
        return self._passes(turns, number, (part[1] - part[0]) / (self._every[1] - self._every[0]))

    def _passes(self, turns: Sequence[Sequence[float]], number: int, share: float = 1.0) -> tuple[float, ...]:
        """Return the seconds of a pass by turn, or of a part of it that has that share of the inputs."""
        null_s = median(null.cpu_s for null in self._nulls)
        loop_s = share * median(self._idle_s) if self._idle_s else 0.0
        inner = self._plans[number].inner
        least_s = _NOISE_S / inner
        return tuple(max(least_s, sum(seconds - null_s for seconds in turn) / inner - loop_s) for turn in turns)

    def _least(self, rehearsal: Rehearsal, number: int) -> Cost:
        costs = self._single[rehearsal].get(number)
        if not costs:
            return Cost(0.0, 0.0)
        cpu_s = min(cost.cpu_s for cost in costs) - min(null.cpu_s for null in self._nulls)
        busy_s = min(cost.busy_s for cost in costs) - min(null.busy_s for null in self._nulls)
        return Cost(max(_LEAST_S, cpu_s), max(_LEAST_S, busy_s))
