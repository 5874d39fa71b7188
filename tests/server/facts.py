"""Hand-made facts for tests of the store and of the doors."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from codeens_sandbox_backends.programs import CallInput, Outcome, Returned
from codeens_server.config.settings import Settings
from codeens_server.domain.document import Cluster, DistinguishingInput, RankedResult, RunDocument, RunSummary, Score
from codeens_server.domain.evidence import Case, Evidence
from codeens_server.domain.measurement import DiffSize, Interval, Measurement, Memory, Readability
from codeens_server.domain.target import Candidate, Replacement, Target
from codeens_server.domain.terms import StopReason
from codeens_server.domain.verdict import Failure, Verdict
from codeens_server.run.events import (
    CandidateGenerated,
    CandidateJudged,
    CandidateMeasured,
    EvidenceGathered,
    RunFinished,
    RunStarted,
    StoredEvent,
)
from codeens_server.run.request import RunOptions, RunRequest, resolve
from codeens_server.run.state import RunState
from codeens_server.store.runs import RunStore
from codeens_server.workspace.find import find_target

SOURCE = '''"""A module."""


def total(items):
    result = 0
    for item in items:
        result = result + item
    return result
'''
FASTER = "def total(items):\n    return sum(items)\n"
LABEL = "local: own namespaces, no network"


def workspace(folder: Path) -> Path:
    """A workspace of one file; its path."""
    path = folder / "sums.py"
    path.write_text(SOURCE, encoding="utf-8")
    return path


def target_in(folder: Path) -> Target:
    path = workspace(folder)
    return find_target(f"{path}::total", cwd=folder)


def candidate(identity: str = "c1", function: str = FASTER, *, cost_usd: float | None = 0.002) -> Candidate:
    return Candidate(
        id=identity,
        model="maker/small",
        variant="performance",
        source=function,
        replacement=Replacement(function=function),
        digest=hashlib.sha256(function.encode()).hexdigest(),
        prompt="Make it faster.",
        response=f"```python\n{function}```",
        cost_usd=cost_usd,
    )


def passed(label: str = LABEL) -> Verdict:
    return Verdict(
        status="passed",
        passed=154,
        total=154,
        tests_passed=34,
        tests_total=34,
        evidence="tests",
        isolation="separate",
        sandbox=label,
    )


def failed() -> Verdict:
    return Verdict(
        status="failed",
        passed=3,
        total=154,
        evidence="tests",
        isolation="separate",
        sandbox=LABEL,
        reason="total([1, 2]) gave 4, not 3",
        failure=Failure(where="total([1, 2])", expected="3", got="4"),
    )


def outcome(value: int = 3) -> Outcome:
    return Returned(value=value, args=(["list", 1, 2],))


def case(identity: str = "k1") -> Case:
    return Case(id=identity, origin="pinned", input=CallInput(args=(["list", 1, 2],)), expected=outcome())


def evidence() -> Evidence:
    return Evidence(mode="improve", cases=(case("g1"),), notes=("only 3 inputs, which run 40 % of the lines",))


def measurement() -> Measurement:
    return Measurement(
        speed=Interval(ratio=2.31, low=2.2, high=2.45, original_s=0.2, candidate_s=0.1, inputs=120, rounds=5),
        memory=Memory(peak_bytes=1024, ratio=0.52),
        readability=Readability(cyclomatic=1, cognitive=0, lines=2, findings=0, score=96.0),
        diff=DiffSize(added=1, removed=4),
    )


def found(run_target: Target, run_id: str = "20260101-aaaaaa") -> list[StoredEvent]:
    """Events of a run before its end."""
    return [
        RunStarted(run_id=run_id, request=request(run_target), target=run_target),
        EvidenceGathered(evidence=evidence()),
        CandidateGenerated(candidate=candidate("c1")),
        CandidateGenerated(candidate=candidate("c2"), duplicate_of="c1"),
        CandidateGenerated(candidate=candidate("c3", "def total(items):\n    return 4\n")),
        CandidateJudged(candidate_id="c1", verdict=passed(), outcomes=(outcome(),)),
        CandidateJudged(candidate_id="c3", verdict=failed(), outcomes=(outcome(4),)),
        CandidateMeasured(candidate_id="c1", measurement=measurement()),
    ]


def request(run_target: Target) -> RunRequest:
    options = RunOptions(goal="speed", budget_usd=1.0)
    return resolve(f"{run_target.path}::{run_target.qualname}", options, Settings())


def run_document(
    run_id: str, run_target: Target, *, label: str = LABEL, stopped: StopReason | None = None
) -> RunDocument:
    original = RankedResult(
        rank=0,
        candidate=candidate("original", run_target.source, cost_usd=0.0),
        verdict=passed(label),
        reason="the code as it stands",
    )
    best = RankedResult(
        rank=1,
        candidate=candidate("c1"),
        verdict=passed(label),
        measurement=measurement(),
        cost_usd=0.002,
        score=Score(total=91.0),
        cluster=0,
        reason="2.31 times as fast",
    )
    rejected = RankedResult(
        rank=None,
        candidate=candidate("c3", "def total(items):\n    return 4\n"),
        verdict=failed(),
        cluster=1,
        reason="total([1, 2]) gave 4, not 3",
    )
    difference = DistinguishingInput(other=1, input=CallInput(args=(["list"],)), call="total([])", here="0", there="4")
    return RunDocument(
        run_id=run_id,
        target=run_target,
        mode="improve",
        goal="speed",
        evidence=evidence(),
        original=original,
        results=(best, rejected),
        clusters=(
            Cluster(index=0, members=("original", "c1"), weight=3, differences=(difference,)),
            Cluster(index=1, members=("c3",), weight=1),
        ),
        best="c1",
        headline="maker/small · performance is 2.31 times as fast and does the same on all 154 checks.",
        summary=RunSummary(generated=3, executed=2, passed=1, cost_usd=0.006, wall_s=12.5, stopped=stopped),
    )


def finished(run_id: str, run_target: Target) -> RunFinished:
    return RunFinished(run=run_document(run_id, run_target))


async def keep(store: RunStore, events: Sequence[StoredEvent]) -> RunState:
    """Keep a new run of these events."""
    state = RunState.of(events)
    await store.append(state, *events)
    return state


async def add(store: RunStore, state: RunState, *events: StoredEvent) -> None:
    """Go on with a run."""
    for event in events:
        state.apply(event)
    await store.append(state, *events)
