"""What the store gives back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec import Struct, field

from codeens_server.domain import (
    Candidate,
    CandidateGenerated,
    CandidateJudged,
    CandidateMeasured,
    Case,
    Evidence,
    EvidenceGathered,
    GenerationFailed,
    Goal,
    Measurement,
    Run,
    RunEvent,
    RunRequest,
    SandboxFailed,
    Target,
)


class StoredRun(Struct, frozen=True, kw_only=True):
    """Everything of a run that was finished when its process ended, to go on from there."""

    run_id: str
    request: RunRequest
    target: Target
    evidence: Evidence | None = None
    candidates: tuple[Candidate, ...] = ()
    """In the order they came; duplicates included."""
    duplicates: dict[str, str] = field(default_factory=dict[str, str])
    """Candidate id → id of the candidate with the same code that is executed in its place."""
    judged: dict[str, CandidateJudged] = field(default_factory=dict[str, CandidateJudged])
    measured: dict[str, Measurement] = field(default_factory=dict[str, Measurement])
    kept: tuple[Case, ...] = ()
    """Inputs that a person chose to hold the candidates to."""
    failures: tuple[GenerationFailed | SandboxFailed, ...] = ()
    run: Run | None = None
    """The document, when the run came to an end."""

    @property
    def events(self) -> Iterator[RunEvent]:
        """What was found, told again in an order that the engine could have told it in.

        Failed model calls and sandboxes are left out: they say nothing that holds when it is tried again.
        """
        if self.evidence is not None:
            yield EvidenceGathered(evidence=self.evidence)
        for candidate in self.candidates:
            yield CandidateGenerated(candidate=candidate, duplicate_of=self.duplicates.get(candidate.id))
        for candidate_id in self._in_order(self.judged):
            yield self.judged[candidate_id]
        for candidate_id in self._in_order(self.measured):
            yield CandidateMeasured(candidate_id=candidate_id, measurement=self.measured[candidate_id])

    def _in_order(self, ids: Iterable[str]) -> list[str]:
        """The original first, then candidates as they came."""
        place = {candidate.id: number for number, candidate in enumerate(self.candidates)}
        return sorted(ids, key=lambda candidate_id: place.get(candidate_id, -1))


class RunLine(Struct, frozen=True, kw_only=True):
    """A run in a list."""

    run_id: str
    created: datetime
    target: str
    """`path.py::qualname`."""
    goal: Goal
    candidates: int
    cost_usd: float
    stopped: str | None
    """None: it did not come to an end; empty: complete."""
    headline: str
