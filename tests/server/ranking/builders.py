"""Rows for the ranking tests."""

from __future__ import annotations

from codeens_server.domain.measurement import DiffSize, Interval, Measurement, Memory, Readability
from codeens_server.domain.target import Candidate, Replacement, Target
from codeens_server.domain.terms import EvidenceGrade
from codeens_server.domain.verdict import Verdict
from codeens_server.ranking.rank import Entry

TARGET = Target(
    path="/w/m.py",
    root="/w",
    import_root="/w",
    module="m",
    qualname="f",
    kind="function",
    line=1,
    end_line=2,
    source="def f(): ...",
    file_sha256="0",
)


def candidate(name: str, *, same_as: tuple[str, ...] = ()) -> Candidate:
    return Candidate(
        id=name,
        model="offline",
        variant=name,
        source="",
        replacement=Replacement(function=""),
        digest=name,
        same_as=same_as,
        cost_usd=0.25,
    )


def passed(evidence: EvidenceGrade = "tests") -> Verdict:
    tests = 34 if evidence == "tests" else 0
    return Verdict(
        status="passed", passed=tests + 120, total=tests + 120, tests_passed=tests, tests_total=tests, evidence=evidence
    )


def speed(low: float, high: float, note: str = "") -> Interval:
    return Interval(ratio=(low * high) ** 0.5, low=low, high=high, note=note)


def measured(
    *,
    ratio: Interval | None = None,
    memory: float | None = 1.0,
    reads: float = 80.0,
    added: int = 2,
    removed: int = 2,
    notes: tuple[str, ...] = (),
) -> Measurement:
    peak = 1_000_000
    return Measurement(
        speed=ratio,
        memory=None if memory is None else Memory(peak_bytes=int(peak * memory), ratio=memory),
        readability=Readability(cyclomatic=1, cognitive=0, lines=1, findings=0, score=reads),
        diff=DiffSize(added=added, removed=removed),
        notes=notes,
    )


def entry(
    name: str,
    *,
    evidence: EvidenceGrade = "tests",
    ratio: Interval | None = None,
    memory: float | None = 1.0,
    reads: float = 80.0,
    added: int = 2,
    removed: int = 2,
    cluster: int | None = None,
    agreement: float | None = None,
    same_as: tuple[str, ...] = (),
) -> Entry:
    """A candidate that passed."""
    return Entry(
        candidate=candidate(name, same_as=same_as),
        verdict=passed(evidence),
        measurement=measured(ratio=ratio, memory=memory, reads=reads, added=added, removed=removed),
        cluster=cluster,
        agreement=agreement,
    )


def rejected(name: str, reason: str, *, passed: int = 0) -> Entry:
    verdict = Verdict(status="failed", passed=passed, total=10, evidence="tests", reason=reason)
    return Entry(candidate=candidate(name), verdict=verdict)


WORKING = Entry(candidate=candidate("original"), verdict=passed(), measurement=measured(memory=1.0, added=0, removed=0))
BROKEN = Entry(
    candidate=candidate("original"),
    verdict=Verdict(status="failed", passed=3, total=10, evidence="tests", reason="3 of 10 tests pass"),
    measurement=measured(memory=None, added=0, removed=0),
)
