"""The sentences that stand beside a rank. They say what was measured, and never more."""

from __future__ import annotations

from collections.abc import Sequence

from codeens_server.domain.document import RankedResult
from codeens_server.domain.measurement import DiffSize, Exponent, Growth, Interval, Memory, PartSpeed
from codeens_server.domain.target import Candidate
from codeens_server.domain.terms import OFFLINE, Goal, StopReason
from codeens_server.domain.verdict import Verdict
from codeens_server.ranking.score import READABILITY_NOISE, VERIFIED, memory_change, readability_change

_NAMED = 2
_OUTWEIGHED: dict[Goal, str] = {
    "speed": "what is faster loses more elsewhere than it gains",
    "memory": "what takes less memory loses more elsewhere than it gains",
    "readability": "what reads more easily loses more elsewhere than it gains",
}
"""Why the original stays although something is better in what the goal is about."""
_NOT_BETTER: dict[Goal, str] = {
    "balanced": "none is better on balance",
    "correctness": "none is better on balance",
    "speed": "none is known to do the same and be faster",
    "memory": "none is known to do the same with less memory",
    "readability": "none is known to do the same and read more easily",
}
TIMES = "\N{MULTIPLICATION SIGN}"


def label(candidate: Candidate) -> str:
    """Return what people call a candidate: who wrote it and how it was asked for; of offline rewrites, which one."""
    rewrite = candidate.id.removeprefix(f"{candidate.model}-") if candidate.model == OFFLINE else candidate.variant
    return f"{candidate.model} · {rewrite}"


def merits(row: RankedResult, original: RankedResult, notes: Sequence[str] = ()) -> str:
    """Return why a row that passed stands where it stands: its measured differences from the original."""
    said = [
        _speed(row.speed),
        growth(row.measurement.growth),
        _memory(row.memory),
        _readability(row, original),
        _length(row.diff),
    ]
    text = ", ".join(part for part in said if part) or "no measured difference"
    remarks = [text for text in (speed_by_part(row.speed), row.speed.note) if text] if row.speed else []
    unseen = [f"not compared: {', '.join(row.verdict.uncompared)}"] if row.verdict.uncompared else []
    everywhere = [_everywhere(row)] if row.verdict.environments else []
    text = "; ".join([text, *remarks, *notes, *everywhere, *unseen])
    return "; ".join(filter(None, [unproven(row.verdict), text]))


def unproven(verdict: Verdict) -> str:
    """Return what to say of a pass that nothing proves; empty where something does."""
    if verdict.evidence in VERIFIED:
        return ""
    return "by agreement, not proven" if verdict.evidence == "agreement" else "not verified"


def _everywhere(row: RankedResult) -> str:
    """Return how it does in each interpreter: "holds with Python 3.11, 3.13", each with its speed."""
    speeds = {there.python: there.speed for there in row.measurement.environments}
    known = [(there.python, speeds.get(there.python)) for there in row.verdict.environments]
    said = [f"{python}: {' '.join(interval(speed))}" if speed else python for python, speed in known]
    return f"holds with Python {', '.join(said)}"


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
    text = " and ".join(said) or "nothing was checked"
    searched = f", {verdict.searched} more searched" if verdict.searched else ""
    return f"{text}{searched}{_set_aside(verdict.set_aside)}"


def _set_aside(tests: Sequence[str]) -> str:
    more = f" and {len(tests) - _NAMED} more" if len(tests) > _NAMED else ""
    return f", without flaky {', '.join(tests[:_NAMED])}{more}" if tests else ""


def original_reason(verdict: Verdict) -> str:
    """Return what the original's own row says."""
    return "the original" if verdict.status == "passed" else f"the original does not pass: {rejection(verdict)}"


def headline(
    best: RankedResult | None,
    results: Sequence[RankedResult],
    *,
    goal: Goal,
    improving: bool,
    agreeing: str,
    outweighed: bool = False,
    barred: RankedResult | None = None,
    stopped: StopReason | None = None,
) -> str:
    """Return which is best and why, in one sentence; `best` is None where the original stays.

    `agreeing` says how many other answers do what the best does, `outweighed` that one is better in what the goal is
    about, but not in all, `barred` is what would be best if the conditions on which it passes were allowed, `stopped`
    says why the run ended before all was done.
    """
    judged = sum(row.judged for row in results)
    known = [row for row in results if row.judged]
    lost = _OUTWEIGHED.get(goal, "") if outweighed else ""
    verdict = _verdict(best, known, goal=goal, improving=improving, agreeing=agreeing, lost=lost, barred=barred)
    if not stopped and judged == len(results):
        return verdict
    done = f"{judged or 'none'} of {_count(len(results))} judged" if results else "there is no candidate yet"
    kept = "keep the original" if improving else ""
    said = [f"{stopped}: {done}" if stopped else done, verdict if judged else kept]
    return "; ".join(filter(None, said))


def _verdict(
    best: RankedResult | None,
    results: Sequence[RankedResult],
    *,
    goal: Goal,
    improving: bool,
    agreeing: str,
    lost: str,
    barred: RankedResult | None,
) -> str:
    if best is not None:
        ground = evidence(best.verdict, improving=improving)
        if improving:
            said = f" {best.reason}" if best.verdict.conditions else f": {best.reason}"
            return f"{label(best.candidate)} is best{said}, {ground}"
        if best.verdict.evidence in VERIFIED:
            on = f" {best.verdict.conditions_text};" if best.verdict.conditions else ":"
            return f"{label(best.candidate)} is best{on} {', '.join(filter(None, [ground, agreeing]))}"
        known = f"{f'it {agreeing}, and ' if agreeing else ''}there are no tests or known results"
        if best.verdict.evidence == "agreement":
            return f"{label(best.candidate)} is chosen by agreement, not proven: {known}"
        return f"{label(best.candidate)} comes first, but it is not verified: {known}"
    passed = sum(row.rank is not None for row in results)
    if not results:
        return "keep the original: there is no candidate"
    if barred is not None:
        kept = "keep the original: " if improving else ""
        return f"{kept}{label(barred.candidate)} is better only {barred.reason}"
    if not passed:
        return f"{'keep the original: ' if improving else ''}none of {_count(len(results))} passed"
    faster = [row for row in results if row.rank is not None and row.speed and row.speed.faster]
    if faster:
        fastest = max(faster, key=lambda row: row.speed.low if row.speed else 0.0)
        why = lost or _NOT_BETTER[goal]
        return f"keep the original: {why}; the fastest, {label(fastest.candidate)}: {fastest.reason}"
    return f"keep the original: {lost or 'no candidate is measurably better'}"


def times(ratio: float) -> str:
    """Return a ratio with its sign, in as many digits as matter."""
    return f"{ratio:.{_decimals(ratio)}f}{TIMES}"


def interval(speed: Interval | PartSpeed) -> tuple[str, str]:
    """Return the ratio with its sign, and both ends in brackets, all in the digits that the lower end needs."""
    decimals = _decimals(speed.low)
    return f"{speed.ratio:.{decimals}f}{TIMES}", f"[{speed.low:.{decimals}f}, {speed.high:.{decimals}f}]"


def speed_by_part(speed: Interval) -> str:
    """Return the speed on each kind of inputs where they disagree: "3.0x on recorded calls, 0.80x on drawn inputs"."""
    return ", ".join(f"{times(part.ratio)} on {part.of}" for part in speed.parts) if speed.parts_disagree else ""


def _decimals(ratio: float) -> int:
    return 2 if ratio < 1.5 else 1 if ratio < 20 else 0


def _count(candidates: int) -> str:
    return "1 candidate" if candidates == 1 else f"{candidates} candidates"


def _speed(speed: Interval | None) -> str:
    if speed is None or speed.low == speed.ratio == speed.high:
        return ""
    ratio, ends = interval(speed)
    if speed.faster:
        return f"{ratio} faster {ends}"
    return f"{'slower' if speed.slower else 'not faster'}: {ratio} {ends}"


def growth(found: Growth | None) -> str:
    """Return how differently a candidate's time grows; empty where no difference was seen."""
    if found is None:
        return ""
    own, other = found.candidate, found.original
    said: list[str] = []
    if own.high < other.low or own.low > other.high:
        said.append(f"time grows as {power(own)}, the original's as {power(other)}")
    if found.slower_below is not None:
        said.append(f"slower below n = {found.slower_below}")
    if found.faster_below is not None:
        said.append(f"faster only below n = {found.faster_below}")
    return ", ".join(said)


def power(exponent: Exponent) -> str:
    """Return the interval as one writes it: n to the power of its low end, a dash, its high end."""
    low, high = f"{max(exponent.low, 0.0):.1f}", f"{max(exponent.high, 0.0):.1f}"
    return f"n^{low}" if low == high else f"n^{low}\N{EN DASH}{high}"


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
