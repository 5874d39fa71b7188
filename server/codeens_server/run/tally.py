"""How a run under way goes, in a few numbers; every door shows them in its own way."""

from __future__ import annotations

from codeens_server.domain import ORIGINAL, Candidate, Measurement
from codeens_server.ranking.wording import interval, label
from codeens_server.run.events import (
    CandidateGenerated,
    CandidateJudged,
    CandidateMeasured,
    CandidatePlanned,
    EvidenceGathered,
    GenerationFailed,
    Progress,
    RunEvent,
    SandboxFailed,
)
from codeens_server.text import one_line


class Tally:
    """How a run goes, counted from its events."""

    def __init__(self) -> None:
        self.planned = 0
        self.generated = 0
        self.executed = 0
        self.failures = 0
        self.cost_usd = 0.0
        self.doing = "starting"
        self._candidates: dict[str, Candidate] = {}
        self._judged: set[str] = set()
        self._passed: dict[str, Measurement | None] = {}

    def show(self, event: RunEvent) -> None:
        """Take an event in."""
        match event:
            case CandidatePlanned():
                self.planned += event.count
            case CandidateGenerated():
                self.generated += 1
                self.cost_usd += event.candidate.cost_usd or 0.0
                self._candidates[event.candidate.id] = event.candidate
            case CandidateJudged() if event.candidate_id != ORIGINAL:
                self._judged.add(event.candidate_id)
                self.executed = len(self._judged)
                if event.verdict.status == "passed":
                    self._passed.setdefault(event.candidate_id, None)
                else:
                    self._passed.pop(event.candidate_id, None)
            case CandidateMeasured() if event.candidate_id in self._passed:
                self._passed[event.candidate_id] = event.measurement
            case GenerationFailed():
                self.failures += 1
                self.cost_usd += event.cost_usd or 0.0
            case SandboxFailed():
                self.failures += 1
            case Progress():
                self.doing = event.message
            case EvidenceGathered():
                self.doing = "making, running and measuring candidates"
            case _:
                pass

    def name(self, candidate_id: str) -> str:
        """What people call a candidate."""
        candidate = self._candidates.get(candidate_id)
        return one_line(label(candidate)) if candidate else candidate_id

    @property
    def passed(self) -> int:
        """How many candidates are known to be right."""
        return len(self._passed)

    def best(self) -> str:
        """The fastest that passed, or how many passed where none is measured yet."""
        timed = {
            key: measurement.speed
            for key, measurement in self._passed.items()
            if measurement is not None and measurement.speed is not None
        }
        if not timed:
            return f"{len(self._passed)} passed" if self._passed else "nothing yet"
        key = max(timed, key=lambda name: timed[name].low)
        return f"{self.name(key)} {' '.join(interval(timed[key]))}"
