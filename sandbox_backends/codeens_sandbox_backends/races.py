"""Paired comparisons: an original and its candidates timed in turns on the same inputs."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

from codeens_sandbox_backends.jobs import Job
from codeens_sandbox_backends.programs import CallInput, Outcome, Program

PassArguments: TypeAlias = Literal["same", "copied", "own"]
"""What the passes of a sample get: the `same` arguments, where the original leaves them as they are; lists of plain
values `copied` for each call, which is timed alone too and taken off; of anything else, their `own`, made before."""

MOST_CANDIDATES = 12
"""Of one race: all are processes at the same time, and where they cannot share one, sandboxes of their own."""


class RacePlan(Struct, frozen=True, kw_only=True):
    """How one side of a race is sampled, so that each sample takes long enough to be timed."""

    groups: tuple[tuple[int, int], ...]
    """Inputs of one sample, from the first to before the last; all groups together are one pass."""
    inner: int
    """How often a sample runs its group, each time on arguments that nothing has changed."""
    arguments: PassArguments = "same"
    samples: int = 3
    """Turns of a round in which each group is sampled."""
    digests: bool = True
    """Whether its answers have the digests of the original's; else they are compared as a whole."""


class RaceJob(Job["RaceResult"], frozen=True, kw_only=True):
    """Run a paired comparison: some rounds of an original and its candidates, in turns on the same inputs.

    Each round has a fresh block: a process that holds the decoded inputs and never runs foreign code. Each side is a
    fork of it that loads its program, each series of samples a fork of that, so that no state outlives it, and the
    sides share what differs between processes (layout, hash seed) and nothing else. A side's first sample is its
    `first` pass, from the birth of the process to the digests of its answers. The timed samples follow in another
    fork, after a rehearsal: short ones, in turns of all sides in random order, since what slows a processor down comes
    and goes in milliseconds. When one has said that it is done, chance decides whether the answers of its last pass are
    audited: by digests, and as a whole where these are not the original's.

    The clock is processor time, read outside for the number that the kernel gives of who answers. A backend that
    cannot read it there gives each side a worker of its own and times by wall.
    """

    original: Program
    candidates: tuple[Program, ...]
    """At most `MOST_CANDIDATES`."""
    inputs: tuple[CallInput, ...]
    parts: tuple[int, ...] = (0,)
    """The first input of each part of a pass that is told apart: no sample is of two of them."""
    apart: bool = False
    """Whether each part is raced by itself, in the same processes: parts of which one takes far longer than another."""
    rounds: int = 3
    plans: tuple[RacePlan, ...] = ()
    """Of the sides, the original first, from an earlier job of the same race; empty: found before the first round."""
    min_sample_s: float = 0.002
    """Seconds that a sample of any side shall take, where it can: as what it costs to take one is about the same for
    all, it then leaves their ratio alone."""
    round_s: float = 0.04
    """What all samples of a side in a round shall take together: the longer, the narrower what is found."""
    budget_s: float = 20.0
    """Wall seconds after which no new round starts."""
    single_passes: bool = True
    """Whether short passes are timed singly too, to see what a side remembers from one to the next."""
    exclusive: bool = True


class SideTimes(Struct, frozen=True, kw_only=True):
    """Seconds that one side needed in one round; what every sample costs is taken off where it is known."""

    passes_s: tuple[float, ...]
    """Of one pass over all inputs, after a rehearsal, turn by turn: those of two sides are neighbours in time."""
    busy_passes_s: tuple[float, ...]
    """The same by wall, less the time in which it waited for a processor; longer where it sleeps or waits."""
    first_s: float
    """Of the first pass of a fresh process, from its birth to its digests, with loading the program."""
    busy_first_s: float
    load_s: float
    fresh_s: float = 0.0
    """Of the first pass alone and its digests, the quickest of a few fresh processes; 0.0 where passes are too long to
    need it, or too short to be timed once."""
    busy_fresh_s: float = 0.0
    cold_s: float = 0.0
    """Of one pass after a rehearsal of the smallest input alone; 0.0 where passes are too long to need it."""
    again_s: float = 0.0
    """Of one pass after a rehearsal of all inputs, sampled like `cold_s`."""
    parts_s: tuple[tuple[float, ...], ...] = ()
    """`passes_s` by part of the inputs; empty where there is one part only."""


class PartRounds(Struct, frozen=True, kw_only=True):
    """What was found of one part that was raced by itself; only in the first part is a first pass one with loading."""

    rounds: tuple[tuple[SideTimes | None, ...], ...]
    plans: tuple[RacePlan, ...]


class RaceResult(Struct, frozen=True, kw_only=True):
    """What a race found. Wherever sides are counted, the original is the first."""

    rounds: tuple[tuple[SideTimes | None, ...], ...]
    """By round and side; None from where on a side has failed."""
    plans: tuple[RacePlan, ...]
    parts: tuple[PartRounds, ...] = ()
    """Of each part, where they are raced apart: there are no `rounds` and `plans` of a whole pass then."""
    outcomes: tuple[tuple[Outcome, ...], ...]
    """By side and input; empty for a side that failed before all inputs were answered."""
    failures: tuple[Outcome | None, ...]
    """By side: how it stopped answering."""
    clock: Literal["processor", "wall"]
