"""What happens in a run, in the order of its log: whatever changes its state is one of these."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from codeens_sandbox_backends.base import Outcome
from codeens_server.domain import Candidate, Evidence, Measurement, Run, Target, Verdict
from codeens_server.run.request import RunRequest


class RunStarted(Struct, frozen=True, kw_only=True, tag="run_started", tag_field="event"):
    run_id: str
    request: RunRequest
    target: Target
    resumed: bool = False


class EvidenceGathered(Struct, frozen=True, kw_only=True, tag="evidence_gathered", tag_field="event"):
    evidence: Evidence


class CandidatePlanned(Struct, frozen=True, kw_only=True, tag="candidates_planned", tag_field="event"):
    """How many answers are expected in this round, so that progress has a denominator."""

    count: int
    round: int = 0


class CandidateGenerated(Struct, frozen=True, kw_only=True, tag="candidate_generated", tag_field="event"):
    candidate: Candidate
    duplicate_of: str | None = None


class GenerationFailed(Struct, frozen=True, kw_only=True, tag="generation_failed", tag_field="event"):
    model: str
    variant: str
    why: str
    cost_usd: float | None = 0.0
    """What an unusable reply cost; None: its price is not known."""


class CandidateJudged(Struct, frozen=True, kw_only=True, tag="candidate_judged", tag_field="event"):
    candidate_id: str
    verdict: Verdict
    outcomes: tuple[Outcome, ...] = ()
    """One per case of the evidence, in its order; what the behaviour map is made from."""


class CandidateMeasured(Struct, frozen=True, kw_only=True, tag="candidate_measured", tag_field="event"):
    candidate_id: str
    measurement: Measurement


class SandboxFailed(Struct, frozen=True, kw_only=True, tag="sandbox_failed", tag_field="event"):
    """The sandbox failed on a candidate; the candidate is reported as not run."""

    candidate_id: str
    why: str


class Progress(Struct, frozen=True, kw_only=True, tag="progress", tag_field="event"):
    """What is going on, in a few words."""

    message: str


class RunFinished(Struct, frozen=True, kw_only=True, tag="run_finished", tag_field="event"):
    run: Run


RunEvent: TypeAlias = (
    RunStarted
    | EvidenceGathered
    | CandidatePlanned
    | CandidateGenerated
    | GenerationFailed
    | CandidateJudged
    | CandidateMeasured
    | SandboxFailed
    | Progress
    | RunFinished
)
