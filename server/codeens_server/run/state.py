"""What a run knows so far; made from its events, so that a stored run and a live one are the same."""

from __future__ import annotations

from msgspec.structs import replace

from codeens_sandbox_backends.base import Outcome
from codeens_server.domain import ORIGINAL, Candidate, Failure, Measurement, RunSummary, Verdict
from codeens_server.generation.prompts import Feedback
from codeens_server.measuring.measure import Baseline
from codeens_server.run.events import (
    CandidateGenerated,
    CandidateJudged,
    CandidateMeasured,
    GenerationFailed,
    RunEvent,
    SandboxFailed,
)

OFFLINE = "offline"
"""The model's name of candidates that no model made."""


class RunState:
    """Candidates in the order they came, and what became of each."""

    def __init__(self, original_digest: str) -> None:
        self.candidates: dict[str, Candidate] = {}
        self.verdicts: dict[str, Verdict] = {}
        self.outcomes: dict[str, tuple[Outcome, ...]] = {}
        self.measurements: dict[str, Measurement] = {}
        self.baseline: Baseline | None = None
        """The original's side of all measurements; not an event: made once in every process."""
        self.not_run: dict[str, str] = {}
        self.failures: list[str] = []
        self.seen: set[str] = set()
        """Ids of all answers, duplicates included."""
        self.cost_usd = 0.0
        self.cost_known = True
        self.tokens = 0
        """Read and written by models for the candidates; kept answers not counted."""
        self._by_digest: dict[str, str] = {original_digest: ORIGINAL}

    def apply(self, event: RunEvent) -> None:
        """Take an event in."""
        match event:
            case CandidateGenerated():
                self._admit(event)
            case CandidateJudged():
                self.verdicts[event.candidate_id] = event.verdict
                self.outcomes[event.candidate_id] = event.outcomes
            case CandidateMeasured():
                self.measurements[event.candidate_id] = event.measurement
            case SandboxFailed():
                self.not_run[event.candidate_id] = event.why
                self.failures.append(f"{event.candidate_id}: not run: {event.why}")
            case GenerationFailed():
                self.failures.append(f"{event.model} · {event.variant}: {event.why}")
                self._pay(event.cost_usd)
            case _:
                pass

    def twin_of(self, candidate: Candidate) -> str | None:
        """The id of what has the same syntax tree: an earlier candidate, or the original."""
        return self._by_digest.get(candidate.digest)

    def _admit(self, event: CandidateGenerated) -> None:
        candidate = event.candidate
        self.seen.add(candidate.id)
        self._pay(candidate.cost_usd)
        self.tokens += 0 if candidate.cached else candidate.tokens_in + candidate.tokens_out
        if event.duplicate_of is None:
            self._by_digest[candidate.digest] = candidate.id
            self.candidates[candidate.id] = candidate
        elif first := self.candidates.get(event.duplicate_of):
            label = f"{candidate.model} · {candidate.variant}"
            self.candidates[first.id] = replace(first, same_as=(*first.same_as, label, *candidate.same_as))

    def _pay(self, cost_usd: float | None) -> None:
        self.cost_usd += cost_usd or 0.0
        self.cost_known = self.cost_known and cost_usd is not None

    def weights(self) -> dict[str, int]:
        """How many answers stand behind each candidate."""
        return {key: 1 + len(candidate.same_as) for key, candidate in self.candidates.items()}

    def passed(self) -> list[Candidate]:
        return [item for key, item in self.candidates.items() if self._status(key) == "passed"]

    def unfinished(self) -> list[Candidate]:
        """Candidates that were never judged."""
        return [item for key, item in self.candidates.items() if key not in self.verdicts and key not in self.not_run]

    def feedback(self, number: int) -> list[Feedback]:
        """What to tell the models whose answers of a round were wrong."""
        told: list[Feedback] = []
        for key, candidate in self.candidates.items():
            verdict = self.verdicts.get(key)
            if verdict and verdict.status != "passed" and candidate.round == number and candidate.model != OFFLINE:
                failure = verdict.failure or Failure(where="before it was run", got=verdict.reason)
                told.append(Feedback(candidate=candidate, failure=failure))
        return told

    def _status(self, key: str) -> str | None:
        verdict = self.verdicts.get(key)
        return verdict.status if verdict else None

    def summary(self, *, wall_s: float, stopped: str) -> RunSummary:
        """Totals so far."""
        return RunSummary(
            generated=len(self.seen),
            executed=len(self.verdicts),
            passed=len(self.passed()),
            cost_usd=self.cost_usd,
            cost_known=self.cost_known,
            wall_s=wall_s,
            stopped=stopped,
            failures=tuple(dict.fromkeys(self.failures)),
        )
