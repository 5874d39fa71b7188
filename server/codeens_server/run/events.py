"""What happens in a run. The list of its events is the run: whatever changes its state is one of them."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from msgspec import Struct

from codeens_sandbox_backends.programs import Outcome
from codeens_server.domain.document import RunDocument
from codeens_server.domain.evidence import Case, Evidence
from codeens_server.domain.measurement import Measurement
from codeens_server.domain.systems import SystemRecord
from codeens_server.domain.target import Candidate, Context, Target
from codeens_server.domain.terms import Mode, Remedy, StopReason
from codeens_server.domain.verdict import Verdict
from codeens_server.run.request import RunRequest

NoteKind: TypeAlias = Literal[
    "budget", "original", "measuring", "differences", "scorer", "plan", "unreachable", "no_key", "ending"
]
"""`budget`: a cap does not hold. `original`: it could not be measured, so that nothing is. `measuring`: a candidate
could not be. `differences`: the smallest inputs were not searched. `scorer`: a person's own scorer failed. `plan`: what
is asked of models, at what cost; no failure. `unreachable`: a model is left out, since it cannot be asked. `ending`:
why fewer rounds were made than were asked for. `no_key`: no model is asked for want of a key."""


class RunStarted(Struct, frozen=True, kw_only=True, tag="run_started", tag_field="event"):
    """Always the first."""

    run_id: str
    request: RunRequest
    target: Target


class CandidatesGiven(Struct, frozen=True, kw_only=True, tag="candidates_given", tag_field="event"):
    """The run judges these, and asks for none."""

    candidates: tuple[Candidate, ...]


class RunResumed(Struct, frozen=True, kw_only=True, tag="run_resumed", tag_field="event"):
    """A process goes on with the run. What earlier ones could not do is tried again."""

    judge_again: bool = False
    """Nothing new is asked for, and all that was found out about the candidates is found out again."""


class ModelsBriefed(Struct, frozen=True, kw_only=True, tag="models_briefed", tag_field="event"):
    """What models are told is settled, and that there is something to judge their answers by.

    It comes before `EvidenceGathered` where the rest of the evidence is gathered while they answer.
    """

    mode: Mode
    context: Context
    records: tuple[SystemRecord, ...] = ()
    """What earlier runs say of who is asked."""


class EvidenceGathered(Struct, frozen=True, kw_only=True, tag="evidence_gathered", tag_field="event"):
    evidence: Evidence


class CasePinned(Struct, frozen=True, kw_only=True, tag="case_pinned", tag_field="event"):
    """Somebody decided what is right on an input: no verdict from before counts any more."""

    case: Case


class OriginalMeasured(Struct, frozen=True, kw_only=True, tag="original_measured", tag_field="event"):
    """The original's own numbers. Candidates are compared with it only within the process that measured it."""

    measurement: Measurement


class CandidatePlanned(Struct, frozen=True, kw_only=True, tag="candidates_planned", tag_field="event"):
    """How many answers are expected in this round, so that progress has a denominator."""

    count: int
    round: int = 0


class CandidateGenerated(Struct, frozen=True, kw_only=True, tag="candidate_generated", tag_field="event"):
    candidate: Candidate
    duplicate_of: str | None = None
    """Id of the candidate with the same code that came first, or of the original."""


class GenerationFailed(Struct, frozen=True, kw_only=True, tag="generation_failed", tag_field="event"):
    """A call that brought no candidate."""

    call: str
    """The id that its candidate would have had."""
    model: str
    variant: str
    why: str
    remedy: Remedy = "models"
    cost_usd: float | None = 0.0
    """What an unusable reply cost; None: its price is not known."""
    tokens: int = 0
    """Read and written for an unusable reply."""
    latency_s: float | None = None
    """As of `Candidate`."""
    can_retry: bool = True
    """False: a reply came and was paid for, and is no candidate."""


class InputsAsked(Struct, frozen=True, kw_only=True, tag="inputs_asked", tag_field="event"):
    """A model was asked, before there are candidates, for inputs that tell changes of the original apart."""

    model: str
    count: int = 0
    """Calls that its reply holds; each is tried on the original before it is evidence."""
    why: str = ""
    """What kept it from answering; empty where it did."""
    cost_usd: float | None = 0.0
    """None: its price is not known."""
    tokens: int = 0
    """Read and written; 0 where the reply was kept before."""
    latency_s: float | None = None
    """As of `Candidate`."""


class CandidateJudged(Struct, frozen=True, kw_only=True, tag="candidate_judged", tag_field="event"):
    candidate_id: str
    verdict: Verdict
    outcomes: tuple[Outcome, ...] = ()
    """One per case of the evidence, in its order; what the behaviour map is made from."""


class CandidateMeasured(Struct, frozen=True, kw_only=True, tag="candidate_measured", tag_field="event"):
    """A measurement with `mismatch` takes the verdict "passed" back."""

    candidate_id: str
    measurement: Measurement


class SandboxFailed(Struct, frozen=True, kw_only=True, tag="sandbox_failed", tag_field="event"):
    """The sandbox failed on a candidate; the candidate is reported as not run."""

    candidate_id: str
    why: str


class Noted(Struct, frozen=True, kw_only=True, tag="noted", tag_field="event"):
    """Something that people should know of the run; a later note of the same kind and subject replaces it."""

    kind: NoteKind
    message: str
    subject: str = ""
    """Id of the candidate, or the name of what it is about, where there can be several."""


class RunStopped(Struct, frozen=True, kw_only=True, tag="run_stopped", tag_field="event"):
    """The run ends before all is done. What was found is still ranked."""

    reason: StopReason


class Progress(Struct, frozen=True, kw_only=True, tag="progress", tag_field="event"):
    """What is going on, in a few words. The only event that is not kept."""

    message: str


class RunFinished(Struct, frozen=True, kw_only=True, tag="run_finished", tag_field="event"):
    run: RunDocument


StoredEvent: TypeAlias = (
    RunStarted
    | CandidatesGiven
    | RunResumed
    | ModelsBriefed
    | EvidenceGathered
    | CasePinned
    | OriginalMeasured
    | CandidatePlanned
    | CandidateGenerated
    | GenerationFailed
    | InputsAsked
    | CandidateJudged
    | CandidateMeasured
    | SandboxFailed
    | Noted
    | RunStopped
    | RunFinished
)
RunEvent: TypeAlias = StoredEvent | Progress
EVENT_TYPES: dict[str, type[StoredEvent]] = {str(kind.__struct_config__.tag): kind for kind in get_args(StoredEvent)}
"""The types of events that are kept, by the word that their JSON has under `event`."""
