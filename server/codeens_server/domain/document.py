"""The result of a run as one document: ranked rows, clusters, totals, and the machine that it was measured on."""

from __future__ import annotations

from msgspec import Struct, field

from codeens_sandbox_backends.programs import CallInput
from codeens_server.domain.evidence import Evidence
from codeens_server.domain.measurement import DiffSize, Interval, Measurement, Memory, Readability
from codeens_server.domain.target import Candidate, Target
from codeens_server.domain.terms import ORIGINAL, Equality, Goal, Mode, Remedy, StopReason
from codeens_server.domain.verdict import Verdict

SCHEMA_VERSION = 2


class Score(Struct, frozen=True, kw_only=True):
    """0 to 100, and the parts it is made of (already weighted)."""

    total: float
    parts: dict[str, float] = field(default_factory=dict[str, float])


class DistinguishingInput(Struct, frozen=True, kw_only=True):
    """The smallest input found on which two clusters differ."""

    other: int
    """Index of the other cluster."""
    input: CallInput
    call: str
    """The call as one would write it."""
    here: str
    """What this cluster does, as text."""
    there: str


class Cluster(Struct, frozen=True, kw_only=True):
    """Candidates that did the same on all inputs tried."""

    index: int
    members: tuple[str, ...]
    """Candidate ids; `original` where the original is one of them."""
    weight: int
    """Answers behind it, identical ones included."""
    differences: tuple[DistinguishingInput, ...] = ()


class RankedResult(Struct, frozen=True, kw_only=True):
    """One row of the result. Row 0 is the original; rejected rows have rank None and a reason."""

    rank: int | None
    candidate: Candidate
    verdict: Verdict
    judged: bool = True
    """Whether anything is known of the code; False: nobody could run it, and `reason` says why."""
    measurement: Measurement = field(default_factory=Measurement)
    cost_usd: float | None = None
    score: Score | None = None
    tied: bool = False
    """No measured difference from the row above."""
    cluster: int | None = None
    agreement: float | None = None
    """How much it agrees with all answers that passed, 0 to 1: a mean over the inputs of which nobody knows what should
    come out. None where there are none, or it did not pass."""
    reason: str = ""
    """Why it stands where it stands, in one line."""

    @property
    def speed(self) -> Interval | None:
        """How fast it is beside the original."""
        return self.measurement.speed

    @property
    def memory(self) -> Memory | None:
        """What it allocates at its peak."""
        return self.measurement.memory

    @property
    def readability(self) -> Readability | None:
        """How easily it reads."""
        return self.measurement.readability

    @property
    def diff(self) -> DiffSize:
        """How much of the file it changes."""
        return self.measurement.diff


class ModelFailure(Struct, frozen=True, kw_only=True):
    """A model that failed in a run, with the first reason."""

    model: str
    why: str
    remedy: Remedy = "models"
    calls: int = 0
    """How many failed; 0: it could not be asked at all."""
    answers: int = 0
    """How many it gave all the same."""


class RunSummary(Struct, frozen=True, kw_only=True):
    """Totals of a run."""

    generated: int = 0
    executed: int = 0
    passed: int = 0
    conditional: int = 0
    """Passed on conditions; not counted in `passed`."""
    cost_usd: float = 0.0
    cost_known: bool = True
    wall_s: float = 0.0
    stopped: StopReason | None = None
    """Why it ended before all was done; None when complete."""
    failures: tuple[str, ...] = ()
    """Model calls and sandboxes that failed, a line each."""
    models_asked: int = 0
    """How many models there were to ask."""
    model_failures: tuple[ModelFailure, ...] = ()
    ending: str = ""
    """Why fewer rounds were made than were asked for, and what that saved; empty: all were."""


class Machine(Struct, frozen=True, kw_only=True):
    """What a run's measurements were made on. Those of two machines, or of a busy and a quiet one, do not compare."""

    processor: str
    """The model's name, else the architecture."""
    cores: int
    load: float | None = None
    """Mean number of processes that ran or wanted to, over the last minute of the run; None where nothing tells."""
    python: str
    """Version of the interpreter that codeens runs on."""
    system: str
    """Name and release of the kernel."""
    governor: str = ""
    """How the processor's frequency is chosen, where the kernel tells: `performance`, `schedutil`."""


class RunDocument(Struct, frozen=True, kw_only=True):
    """The document of a run: CLI `--json`, MCP structured content, HTTP and `runs show`."""

    schema_version: int = SCHEMA_VERSION
    run_id: str
    target: Target
    mode: Mode
    goal: Goal
    equality: Equality = "practical"
    evidence: Evidence
    original: RankedResult
    results: tuple[RankedResult, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    best: str
    """Id of the candidate to take; `original` when nothing measured speaks against keeping it."""
    headline: str
    """Which is best and why, in one sentence."""
    summary: RunSummary = field(default_factory=RunSummary)
    machine: Machine | None = None
    """What it was measured on, when the run came to its end."""

    def numbered_differences(self) -> list[tuple[int, DistinguishingInput]]:
        """Return what can be pinned, as (index of the cluster that tells it, difference), in a fixed order.

        Each pair of clusters stands there once, then each condition on which a cluster passes.
        """
        told = {(cluster.index, difference.other) for cluster in self.clusters for difference in cluster.differences}
        return [
            (cluster.index, difference)
            for cluster in self.clusters
            for difference in cluster.differences
            if difference.other > cluster.index or (difference.other, cluster.index) not in told
        ] + self._conditions()

    def _conditions(self) -> list[tuple[int, DistinguishingInput]]:
        origin = next((cluster.index for cluster in self.clusters if ORIGINAL in cluster.members), None)
        found: dict[tuple[int, str], DistinguishingInput] = {}
        for row in self.results:
            if origin is None or row.cluster is None or row.cluster == origin:
                continue
            for each in row.verdict.conditions:
                found.setdefault(
                    (row.cluster, each.call),
                    DistinguishingInput(
                        other=origin, input=each.input, call=each.call, here=each.got, there=each.expected
                    ),
                )
        return [(index, difference) for (index, _), difference in found.items()]
