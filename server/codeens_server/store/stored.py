"""What the store gives back."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field

from codeens_server.domain import Candidate, Case, Evidence, Goal, Measurement, Run, Target
from codeens_server.run.events import CandidateJudged, GenerationFailed, SandboxFailed
from codeens_server.run.request import RunRequest


class StoredRun(Struct, frozen=True, kw_only=True):
    """Everything of a run that was finished when its process ended, to go on from there."""

    run_id: str
    request: RunRequest
    target: Target
    evidence: Evidence | None = None
    candidates: tuple[Candidate, ...] = ()
    """In the order they came; duplicates included."""
    given: tuple[Candidate, ...] | None = None
    """Those to judge, of a run that asks for none; None: the run asks models, or makes rewrites."""
    duplicates: dict[str, str] = field(default_factory=dict[str, str])
    """Candidate id → id of the candidate with the same code that is executed in its place."""
    judged: dict[str, CandidateJudged] = field(default_factory=dict[str, CandidateJudged])
    measured: dict[str, Measurement] = field(default_factory=dict[str, Measurement])
    kept: tuple[Case, ...] = ()
    """Inputs that a person chose to hold the candidates to."""
    failures: tuple[GenerationFailed | SandboxFailed, ...] = ()
    run: Run | None = None
    """The document, when the run came to an end."""


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
