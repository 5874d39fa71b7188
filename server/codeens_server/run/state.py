"""What is known of a run: the fold over its events, whether they are live, stored or of another process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from codeens_sandbox_backends.programs import Outcome
from codeens_server.domain.document import ModelFailure, RunDocument, RunSummary
from codeens_server.domain.evidence import Case, Evidence
from codeens_server.domain.measurement import Measurement
from codeens_server.domain.target import Candidate, Target
from codeens_server.domain.terms import OFFLINE, Goal, Mode, StopReason
from codeens_server.domain.verdict import Failure, Verdict
from codeens_server.errors import RunError
from codeens_server.run.events import (
    CandidateGenerated,
    CandidateJudged,
    CandidateMeasured,
    CandidatePlanned,
    CandidatesGiven,
    CasePinned,
    EvidenceGathered,
    GenerationFailed,
    InputsAsked,
    ModelsBriefed,
    Noted,
    OriginalMeasured,
    Progress,
    RunEvent,
    RunFinished,
    RunResumed,
    RunStarted,
    RunStopped,
    SandboxFailed,
)
from codeens_server.run.request import RunRequest

WRONG_WHEN_TIMED = "wrong in the timed run"
_TRIED_AGAIN = frozenset({"not_run", "original", "measuring", "differences", "scorer"})
"""Kinds of notes on what a process that goes on with the run tries again."""


class RunState:
    """Candidates in the order they came, and what became of each. It changes by `apply` alone."""

    def __init__(self, started: RunStarted) -> None:
        self.run_id: str = started.run_id
        self.request: RunRequest = started.request
        self.target: Target = started.target
        self.seq: int = 1
        """How many events of the log are in it."""
        self.given: tuple[Candidate, ...] | None = None
        """The candidates to judge, of a run that asks for none."""
        self.brief: ModelsBriefed | None = None
        """What models are told; None where none is asked, or it is not settled yet."""
        self.evidence: Evidence | None = None
        self.original: Measurement | None = None
        self.answers: dict[str, Candidate] = {}
        """All that was generated, duplicates included."""
        self.candidates: dict[str, Candidate] = {}
        """Without duplicates; each names in `same_as` who else gave the same code."""
        self.duplicates: dict[str, str] = {}
        """Id of an answer with the same code as another → id of that one, or of the original."""
        self.verdicts: dict[str, Verdict] = {}
        self.outcomes: dict[str, tuple[Outcome, ...]] = {}
        self.measurements: dict[str, Measurement] = {}
        self.not_run: dict[str, str] = {}
        """Why the sandbox could not run a candidate."""
        self.answered: set[str] = set()
        """Ids of all calls that are not made again: they gave a candidate, or a reply that was paid for."""
        self.cost_usd: float = 0.0
        self.cost_known: bool = True
        """Whether every answer that was paid for had a price."""
        self.tokens: int = 0
        """Read and written by models; kept answers not counted."""
        self.calls: int = 0
        """Answers of models that tokens were spent on."""
        self.stopped: StopReason | None = None
        self.document: RunDocument | None = None
        """None until the run has ended."""
        self.doing: str = "starting"
        self.plan: str = ""
        """What is asked of models, at what highest cost; empty: nothing that costs."""
        self.ending: str = ""
        """Why fewer rounds were made than were asked for, and what that saved; empty: all were."""
        self._planned: dict[int, int] = {}
        self._notes: dict[tuple[str, str], str] = {}
        """Kind and subject → sentence."""
        self._failed_calls: dict[str, GenerationFailed] = {}
        self._by_digest: dict[str, str] = {}

    @classmethod
    def of(cls, events: Iterable[RunEvent]) -> RunState:
        """Return the state that events lead to.

        Raises:
            RunError: the first is not `RunStarted`.
        """
        rest = iter(events)
        started = next(rest, None)
        if not isinstance(started, RunStarted):
            message = "the log of the run does not begin with its start"
            raise RunError(message)
        state = cls(started)
        for event in rest:
            state.apply(event)
        return state

    def apply(self, event: RunEvent) -> None:
        """Take an event in."""
        self.seq += not isinstance(event, Progress)
        match event:
            case RunStarted():
                message = "a run starts once"
                raise RunError(message)
            case RunResumed():
                self._reopen(judge_again=event.judge_again)
            case RunStopped():
                self._stop(event.reason)
            case RunFinished():
                self.document = event.run
            case CasePinned():
                self._pin(event.case)
            case CandidateGenerated() | GenerationFailed():
                self._take_answer(event)
            case InputsAsked():
                self._take_inputs(event)
            case OriginalMeasured() | CandidateJudged() | CandidateMeasured() | SandboxFailed():
                self._take_finding(event)
            case _:
                self._take_word(event)

    @property
    def goal(self) -> Goal:
        """What the candidates are ranked by."""
        return self.request.goal

    @property
    def mode(self) -> Mode | None:
        """What is done to the target; None while that is not decided."""
        known = self.evidence or self.brief
        return known.mode if known else None

    @property
    def has_paid(self) -> bool:
        """Whether a model was paid for an answer."""
        return bool(self.tokens or self.cost_usd) or not self.cost_known

    @property
    def planned(self) -> int:
        """How many answers are expected, as far as is known."""
        return sum(self._planned.values())

    @property
    def generated(self) -> int:
        """How many answers are candidates, duplicates included."""
        return len(self.answers)

    @property
    def executed(self) -> int:
        """How many candidates have a verdict."""
        return len(self.verdicts)

    @property
    def measured(self) -> int:
        """How many candidates were measured."""
        return len(self.measurements)

    @property
    def passed(self) -> int:
        """How many candidates passed without conditions."""
        return sum(verdict.status == "passed" for verdict in self._verdicts_passing())

    @property
    def conditional(self) -> int:
        """How many candidates passed on conditions."""
        return sum(verdict.status == "conditional" for verdict in self._verdicts_passing())

    @property
    def failures(self) -> tuple[str, ...]:
        """Calls and sandboxes that failed, and what else people should know, a sentence each."""
        return tuple(dict.fromkeys(self._notes.values()))

    @property
    def model_failures(self) -> tuple[ModelFailure, ...]:
        """Models that failed, each once: those that could not be asked, then those whose calls failed."""
        found = {
            name: ModelFailure(model=name, why=why, remedy="key" if kind == "no_key" else "models")
            for (kind, name), why in self._notes.items()
            if kind in {"unreachable", "no_key"}
        }
        answers = Counter(candidate.model for candidate in self.answers.values())
        for failed in self._failed_calls.values():
            known = found.get(failed.model) or ModelFailure(
                model=failed.model, why=failed.why, remedy=failed.remedy, answers=answers[failed.model]
            )
            found[failed.model] = replace(known, calls=known.calls + 1)
        return tuple(found.values())

    @property
    def models_asked(self) -> int:
        """How many models there were to ask, those that could not be reached among them."""
        answered = {candidate.model for candidate in self.answers.values() if candidate.model != OFFLINE}
        return len(answered | {failure.model for failure in self.model_failures})

    @property
    def best(self) -> str | None:
        """Id of the fastest that passed, by the lower end of its interval; None while none is timed."""
        return next((candidate.id for candidate in self.fastest(1)), None)

    def fastest(self, most: int) -> list[Candidate]:
        """Return those that passed and are timed, by the lower ends of their intervals."""
        timed = [
            (speed.low, candidate)
            for candidate in self.passing()
            if (measured := self.measurements.get(candidate.id)) and (speed := measured.speed)
        ]
        return [candidate for _, candidate in sorted(timed, key=lambda entry: -entry[0])[:most]]

    def passing(self) -> list[Candidate]:
        """Return the candidates that passed, those on conditions among them."""
        return [
            candidate
            for key, candidate in self.candidates.items()
            if (verdict := self.verdicts.get(key)) is not None and verdict.passes
        ]

    def _verdicts_passing(self) -> Iterator[Verdict]:
        return (self.verdicts[candidate.id] for candidate in self.passing())

    def unjudged(self) -> list[Candidate]:
        """Return the candidates that have no verdict, and that no sandbox failed on."""
        return [item for key, item in self.candidates.items() if key not in self.verdicts and key not in self.not_run]

    def unmeasured(self) -> list[Candidate]:
        """Return those that passed and were not measured, nor could not be."""
        return [
            candidate
            for candidate in self.passing()
            if candidate.id not in self.measurements and ("measuring", candidate.id) not in self._notes
        ]

    def twin_of(self, candidate: Candidate) -> str | None:
        """Return the id of the earlier candidate with the same syntax tree; None if there is none."""
        return self._by_digest.get(candidate.digest)

    def weights(self) -> dict[str, int]:
        """Return how many answers stand behind each candidate."""
        return {key: 1 + len(candidate.same_as) for key, candidate in self.candidates.items()}

    def failed_in(self, number: int) -> list[tuple[Candidate, Failure]]:
        """Return the candidates of models that were wrong in a round, each with what it did wrong."""
        return [
            (candidate, verdict.failure or Failure(where="before it was run", got=verdict.reason))
            for key, candidate in self.candidates.items()
            if candidate.round == number
            and candidate.model != OFFLINE
            and (verdict := self.verdicts.get(key)) is not None
            and not verdict.passes
        ]

    def summary(self, *, wall_s: float) -> RunSummary:
        """Return the totals so far."""
        return RunSummary(
            generated=self.generated,
            executed=self.executed,
            passed=self.passed,
            conditional=self.conditional,
            cost_usd=self.cost_usd,
            cost_known=self.cost_known,
            wall_s=wall_s,
            stopped=self.stopped,
            failures=self.failures,
            models_asked=self.models_asked,
            model_failures=self.model_failures,
            ending=self.ending,
        )

    def _take_word(
        self, event: CandidatesGiven | ModelsBriefed | EvidenceGathered | CandidatePlanned | Noted | Progress
    ) -> None:
        match event:
            case CandidatesGiven():
                self.given = event.candidates
            case ModelsBriefed():
                self.brief = event
            case EvidenceGathered():
                self.evidence = event.evidence
                self.doing = "making, running and measuring candidates"
            case CandidatePlanned():
                self._planned[event.round] = event.count
            case Noted(kind="plan"):
                self.plan = self.doing = event.message
            case Noted(kind="ending"):
                self.ending = self.doing = event.message
            case Noted():
                self._notes[event.kind, event.subject] = event.message
            case Progress():
                self.doing = event.message

    def _take_inputs(self, event: InputsAsked) -> None:
        self._pay(event.cost_usd)
        self._count(event.tokens)
        if event.why:
            self._notes["inputs", ""] = f"{event.model} was asked for inputs: {event.why}"

    def _take_answer(self, event: CandidateGenerated | GenerationFailed) -> None:
        if isinstance(event, GenerationFailed):
            self._notes["generation", event.call] = f"{event.model} · {event.variant}: {event.why}"
            self._failed_calls[event.call] = event
            self._pay(event.cost_usd)
            self._count(event.tokens)
            if not event.can_retry:
                self.answered.add(event.call)
            return
        candidate = event.candidate
        self.answered.add(candidate.id)
        self.answers[candidate.id] = candidate
        self._notes.pop(("generation", candidate.id), None)
        self._failed_calls.pop(candidate.id, None)
        self._pay(candidate.cost_usd)
        self._count(0 if candidate.cached else candidate.tokens_in + candidate.tokens_out)
        if event.duplicate_of is None:
            self._by_digest[candidate.digest] = candidate.id
            self.candidates[candidate.id] = candidate
            return
        self.duplicates[candidate.id] = event.duplicate_of
        if first := self.candidates.get(event.duplicate_of):
            label = f"{candidate.model} · {candidate.variant}"
            self.candidates[first.id] = replace(first, same_as=(*first.same_as, label, *candidate.same_as))

    def _take_finding(self, event: OriginalMeasured | CandidateJudged | CandidateMeasured | SandboxFailed) -> None:
        match event:
            case OriginalMeasured():
                self.original = event.measurement
                self._notes.pop(("original", ""), None)
            case CandidateJudged():
                self.verdicts[event.candidate_id] = event.verdict
                self.outcomes[event.candidate_id] = event.outcomes
            case CandidateMeasured():
                self.measurements[event.candidate_id] = event.measurement
                if event.measurement.mismatch:
                    self._reject(event.candidate_id)
            case SandboxFailed():
                self.not_run[event.candidate_id] = event.why
                self._notes["not_run", event.candidate_id] = f"{event.candidate_id}: not run: {event.why}"

    def _reject(self, candidate_id: str) -> None:
        """What answered rightly when it was judged and wrongly when it was timed is not right."""
        self.verdicts[candidate_id] = replace(
            self.verdicts[candidate_id],
            status="failed",
            reason=WRONG_WHEN_TIMED,
            conditions=(),
            failure=Failure(
                where="the same calls, many times in one process", got="other outcomes than the first time"
            ),
        )

    def _stop(self, reason: StopReason) -> None:
        # What ends the work at once says more than that no model was asked any further.
        if self.stopped in {None, "budget"}:
            self.stopped = reason

    def _reopen(self, *, judge_again: bool) -> None:
        self.document, self.stopped = None, None
        self.not_run.clear()
        if not judge_again:
            self._failed_calls = {call: failed for call, failed in self._failed_calls.items() if call in self.answered}
        self._notes = {
            (kind, subject): sentence
            for (kind, subject), sentence in self._notes.items()
            if not (kind in _TRIED_AGAIN or (kind == "generation" and subject not in self.answered and not judge_again))
        }
        if judge_again:
            self._forget_findings()

    def _pin(self, case: Case) -> None:
        if self.evidence is not None:
            others = (other for other in self.evidence.cases if other.id != case.id)
            self.evidence = replace(self.evidence, cases=(*others, case))
        self.document = None
        self._forget_findings()

    def _forget_findings(self) -> None:
        """All candidates are held to the evidence anew: also what timing said of them may no longer be so."""
        self.verdicts.clear()
        self.outcomes.clear()
        self.measurements.clear()

    def _count(self, tokens: int) -> None:
        self.tokens += tokens
        self.calls += tokens > 0

    def _pay(self, cost_usd: float | None) -> None:
        self.cost_usd += cost_usd or 0.0
        self.cost_known = self.cost_known and cost_usd is not None
