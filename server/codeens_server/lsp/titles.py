"""Results in one line: what stands in a menu of actions, or above a function."""

from __future__ import annotations

from codeens_server.domain import ORIGINAL, RankedResult, RunDocument
from codeens_server.lsp.records import Record
from codeens_server.ranking.score import VERIFIED, memory_change
from codeens_server.ranking.wording import TIMES, evidence, interval, label
from codeens_server.text import one_line, plural

MINUS = "\N{MINUS SIGN}"


def apply_title(number: int, row: RankedResult, run: RunDocument) -> str:
    """`1. Apply gpt-x · performance: 2.1x [1.9, 2.3], -12 % memory, 34/34 tests, +3 -7 lines`."""
    place = f"{number}=" if row.tied else f"{number}."
    proof = [_speed(row), _memory(row), _evidence(row, run), f"+{row.diff.added} {MINUS}{row.diff.removed} lines"]
    return one_line(f"{place} Apply {label(row.candidate)}: {', '.join(part for part in proof if part)}")


def rejected_title(row: RankedResult) -> str:
    """What a candidate that was rejected is called."""
    return one_line(f"Apply {label(row.candidate)}")


def lens_title(record: Record) -> str:
    """How a run goes, or what came of it: `codeens: 4/6 correct · best 2.1x [1.9, 2.3]`."""
    state, run = record.state, record.run
    if run is None and record.is_under_way:
        if state is None or not state.generated:
            return f"codeens: {one_line(state.doing) if state else 'starting'}"
        return (
            f"codeens: {state.generated}/{state.planned} generated, {state.executed} executed, {state.passed} correct"
        )
    if run is None:
        return "codeens: the run came to no result"
    best = next((row for row in run.results if row.candidate.id == run.best), None)
    stopped = f" ({one_line(run.summary.stopped)})" if run.summary.stopped else ""
    if best is None or run.best == ORIGINAL:
        return f"codeens: {_counted(run)} · keep the original{stopped}"
    return f"codeens: {_counted(run)} · best {_speed(best) or one_line(label(best.candidate))}{stopped}"


def applied_title(row: RankedResult) -> str:
    """What stands above a function that a candidate has replaced."""
    speed = f": {_speed(row)}" if row.speed and row.speed.faster else ""
    return one_line(f"codeens: applied {label(row.candidate)}{speed}")


def cases(run: RunDocument) -> str:
    """What the run rests on, counted."""
    tests = [plural(len(run.evidence.tests), "test")] if run.evidence.tests else []
    return ", ".join([*tests, plural(len(run.evidence.cases), "input")])


def _counted(run: RunDocument) -> str:
    judged = [row for row in run.results if row.judged]
    passed = sum(row.verdict.status == "passed" for row in judged)
    not_run = len(run.results) - len(judged)
    said = [f"{passed}/{len(judged)} correct"] if judged else []
    said += [f"{not_run} not run"] if not_run else []
    return ", ".join(said) or "no candidate"


def _speed(row: RankedResult) -> str:
    return " ".join(interval(row.speed)) if row.speed else ""


def _memory(row: RankedResult) -> str:
    if row.memory is None or row.memory.ratio is None or memory_change(row.memory) == 0:
        return ""
    if row.memory.ratio >= 2:
        return f"{row.memory.ratio:.1f}{TIMES} memory"
    change = round(100 * (row.memory.ratio - 1))
    return f"{'+' if change > 0 else MINUS}{abs(change)} % memory"


def _evidence(row: RankedResult, run: RunDocument) -> str:
    said = evidence(row.verdict, improving=run.mode == "improve")
    marks = [] if row.verdict.evidence in VERIFIED else ["not verified"]
    marks += ["NOT ISOLATED"] if row.verdict.sandbox.startswith("unsafe") else []
    return ", ".join([said, *marks])
