"""The sentences that stand beside a rank. They say what was measured, and never more."""

from __future__ import annotations

from collections.abc import Sequence

from codeens_server.domain import OFFLINE, Candidate, DiffSize, Interval, Memory, RankedResult, StopReason, Verdict
from codeens_server.ranking.score import READABILITY_NOISE, VERIFIED, memory_change, readability_change

TIMES = "\N{MULTIPLICATION SIGN}"


def label(candidate: Candidate) -> str:
    """Return what people call a candidate: who wrote it and how it was asked for; of offline rewrites, which one."""
    rewrite = candidate.id.removeprefix(f"{candidate.model}-") if candidate.model == OFFLINE else candidate.variant
    return f"{candidate.model} · {rewrite}"


def merits(row: RankedResult, original: RankedResult, notes: Sequence[str] = ()) -> str:
    """Return why a row that passed stands where it stands: its measured differences from the original."""
    said = [_speed(row.speed), _memory(row.memory), _readability(row, original), _length(row.diff)]
    text = ", ".join(part for part in said if part) or "no measured difference"
    remarks = [row.speed.note] if row.speed and row.speed.note else []
    text = "; ".join([text, *remarks, *notes])
    return text if row.verdict.evidence in VERIFIED else f"not verified; {text}"


def rejection(verdict: Verdict) -> str:
    """Return why a row that did not pass has no rank."""
    return verdict.reason or verdict.status


def evidence(verdict: Verdict, *, improving: bool) -> str:
    """Return what a pass rests on: "34/34 tests and 120 inputs equal"."""
    inputs = verdict.passed - verdict.tests_passed
    said = [f"{verdict.tests_passed}/{verdict.tests_total} tests"] if verdict.tests_total else []
    if inputs:
        plural = "input" if inputs == 1 else "inputs"
        said.append(f"{inputs} {plural} {'equal' if improving else 'right'}")
    return " and ".join(said) or "nothing was checked"


def original_reason(verdict: Verdict) -> str:
    """Return what the original's own row says."""
    return "the original" if verdict.status == "passed" else f"the original does not pass: {rejection(verdict)}"


def headline(
    best: RankedResult | None,
    results: Sequence[RankedResult],
    *,
    improving: bool,
    agreeing: str,
    stopped: StopReason | None = None,
) -> str:
    """Return which is best and why, in one sentence; `best` is None where the original stays.

    `agreeing` says how many other answers do what the best does, `stopped` why the run ended before all was done.
    """
    judged = sum(row.judged for row in results)
    verdict = _verdict(best, [row for row in results if row.judged], improving=improving, agreeing=agreeing)
    if not stopped and judged == len(results):
        return verdict
    done = f"{judged or 'none'} of {_count(len(results))} judged" if results else "there is no candidate yet"
    kept = "keep the original" if improving else ""
    said = [f"{stopped}: {done}" if stopped else done, verdict if judged else kept]
    return "; ".join(filter(None, said))


def _verdict(best: RankedResult | None, results: Sequence[RankedResult], *, improving: bool, agreeing: str) -> str:
    if best is not None:
        ground = evidence(best.verdict, improving=improving)
        if improving:
            return f"{label(best.candidate)} is best: {best.reason}, {ground}"
        if best.verdict.evidence in VERIFIED:
            return f"{label(best.candidate)} is best: {', '.join(filter(None, [ground, agreeing]))}"
        first = f"{label(best.candidate)} comes first{', it ' if agreeing else ''}{agreeing}"
        return f"{first}, but it is not verified: there are no tests or known results"
    passed = sum(row.rank is not None for row in results)
    if not results:
        return "keep the original: there is no candidate"
    if not passed:
        return f"{'keep the original: ' if improving else ''}none of {_count(len(results))} passed"
    faster = [row for row in results if row.rank is not None and row.speed and row.speed.faster]
    if faster:
        fastest = max(faster, key=lambda row: row.speed.low if row.speed else 0.0)
        return (
            f"keep the original: none is better on balance; the fastest, {label(fastest.candidate)}: {fastest.reason}"
        )
    return "keep the original: no candidate is measurably better"


def times(ratio: float) -> str:
    """Return a ratio with its sign, in as many digits as matter."""
    return f"{ratio:.{_decimals(ratio)}f}{TIMES}"


def interval(speed: Interval) -> tuple[str, str]:
    """Return the ratio with its sign, and both ends in brackets, all in the digits that the lower end needs."""
    decimals = _decimals(speed.low)
    return f"{speed.ratio:.{decimals}f}{TIMES}", f"[{speed.low:.{decimals}f}, {speed.high:.{decimals}f}]"


def _decimals(ratio: float) -> int:
    return 2 if ratio < 1.5 else 1 if ratio < 20 else 0


def _count(candidates: int) -> str:
    return "1 candidate" if candidates == 1 else f"{candidates} candidates"


def _speed(speed: Interval | None) -> str:
    if speed is None:
        return ""
    ratio, ends = interval(speed)
    if speed.faster:
        return f"{ratio} faster {ends}"
    return f"{'slower' if speed.slower else 'not faster'}: {ratio} {ends}"


def _memory(memory: Memory | None) -> str:
    if memory is None or memory.ratio is None:
        return ""
    change = memory_change(memory)
    if change == 0:
        return "same memory"
    return f"{1 - memory.ratio:.0%} less memory" if change < 0 else f"{times(memory.ratio)} the memory"


def _readability(row: RankedResult, original: RankedResult) -> str:
    change = readability_change(row, original)
    if abs(change) < READABILITY_NOISE:
        return ""
    return f"reads {'easier' if change > 0 else 'harder'} ({change:+.0f})"


def _length(diff: DiffSize) -> str:
    more = diff.added - diff.removed
    if more == 0:
        return ""
    return f"{abs(more)} {'line' if abs(more) == 1 else 'lines'} {'longer' if more > 0 else 'shorter'}"
