"""The lines that a benchmark writes, one for each answer: what was asked, what came, and what it is worth.

A line holds all that is needed to read it alone: whoever joins files of several machines loses nothing.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct, field

from codeens_server.domain.terms import Status
from codeens_server.tasks.schema import Difficulty

RECORD_VERSION = 1
LONGEST_OUTPUT = 2000
"""Characters kept of what a program printed to each of its streams, its end."""

Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Count: TypeAlias = Annotated[int, Meta(ge=0)]
Time: TypeAlias = Annotated[float, Meta(ge=0)]

Ending: TypeAlias = Status | Literal["no_answer", "no_code", "not_run"]
"""How it ended. `no_answer`: the model's call failed, which says nothing of the model; a resumed benchmark asks again.
`no_code`: there was no program in its reply, which fails the task. `not_run`: nobody ran the program, which a resumed
benchmark does. The others are what the judge said of the program.
"""


class Attempt(Struct, frozen=True, kw_only=True):
    """One round of an item: an answer, and the judge's word on it."""

    ending: Ending
    reason: str = ""
    """The first thing that is wrong, for people; empty where nothing is."""
    source: str = ""
    """What the model wrote, as a part of a module; empty where there was no program."""
    share: Share = 0.0
    """Share of the task's weight that it passes."""
    stdout: str = ""
    stderr: str = ""
    """The last characters that it printed, at most `LONGEST_OUTPUT`."""
    run_s: Time | None = None
    """Processor time of the program in its tests, in seconds; by the clock where the system tells no other."""
    peak_bytes: Count | None = None
    """Most memory that its process had, as the system reports it."""
    ask_s: Time = 0.0
    """From the question to the end of the reply, in seconds, waiting for the model's own limits included."""
    judge_s: Time = 0.0
    """From the reply to the verdict, in seconds, waiting for a sandbox included."""
    tokens_in: Count = 0
    tokens_out: Count = 0
    cost_usd: Time | None = 0.0
    """None: the price is not known."""
    cached: bool = False
    """Whether the reply was kept from an earlier run, and so cost nothing and took no time."""


class Provenance(Struct, frozen=True, kw_only=True):
    """Where and by what a record was made."""

    codeens: str
    python: str
    """Version of the interpreter that ran the programs."""
    system: str
    """Kernel and architecture."""
    cpus: Count
    sandbox: str
    """What kept the programs apart, in words."""


class Record(Struct, frozen=True, kw_only=True):
    """A line of the results: one sample of one model and variant for one task, after all of its rounds."""

    record_version: int = RECORD_VERSION
    dataset: str
    digest: str
    """SHA-256 (hex) of all tasks of the data set as it was read, before any were chosen."""
    task_id: str
    difficulty: Difficulty | None = None
    model: str
    """The name as it was asked for, also where a fallback answered."""
    variant: str
    sample: Count
    """From 0, within model and variant."""
    passed: bool
    """Whether the last attempt meets every demand of the task."""
    ending: Ending
    """Of the last attempt."""
    attempts: tuple[Attempt, ...]
    """In the order of the rounds; at least one."""
    machine: Provenance
    at: str = ""
    """When it was written, UTC, ISO 8601."""
    metadata: dict[str, str] = field(default_factory=dict[str, str])
    """Whatever else is known of it: the fallback that answered (`answered_by`), the kind of bug (`bug_type`)."""

    @property
    def counts(self) -> bool:
        """Whether it says something of the model: a call that failed, and a program that nobody ran, do not."""
        return self.ending not in {"no_answer", "not_run"}

    @property
    def last(self) -> Attempt:
        """The attempt that counts."""
        return self.attempts[-1]

    @property
    def rounds(self) -> int:
        """How many times the model was asked."""
        return len(self.attempts)

    @property
    def cost_usd(self) -> float | None:
        """What all attempts cost; None where the price of one is not known."""
        costs = [attempt.cost_usd for attempt in self.attempts]
        return None if None in costs else sum(cost or 0.0 for cost in costs)

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What a file has at most one of: task, model, variant, sample."""
        return self.task_id, self.model, self.variant, self.sample
