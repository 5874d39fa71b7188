"""The texts of one row: what was measured of a candidate, what the judge says of it, and why it stands there."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from codeens_server.domain.document import RankedResult
from codeens_server.domain.measurement import DiffSize, Growth, Interval, Measurement, Memory, Readability
from codeens_server.domain.target import Candidate
from codeens_server.domain.terms import ORIGINAL
from codeens_server.domain.verdict import Condition, Verdict
from codeens_server.ranking import wording
from codeens_server.ranking.score import READABILITY_NOISE, memory_change
from codeens_server.text import money, one_line, plural, visible
from codeens_server.views.model import CellView, DetailView, NumbersView, RowView

MINUS = "\N{MINUS SIGN}"
_NOTHING = CellView()


def is_unsafe(verdict: Verdict) -> bool:
    """Return True if the code ran without isolation."""
    return verdict.sandbox.startswith("unsafe")


def document_row(row: RankedResult, number: int, original: RankedResult, *, label: str, improving: bool) -> RowView:
    """Return a row of a finished run.

    Args:
        row: the ranked result.
        number: its place in the table; 0 is the original.
        original: the original's own row, for comparison.
        label: what people call it.
        improving: whether candidates were held to what the original does.
    """
    candidate, verdict = row.candidate, row.verdict
    is_original = candidate.id == ORIGINAL
    was_run = is_original or row.judged
    compared = original.readability if verdict.passes and improving and not is_original else None
    return RowView(
        id=candidate.id,
        place="0" if is_original else "" if row.rank is None else f"{number}{'=' if row.tied else ''}",
        number=None if is_original or row.rank is None else number,
        label=label,
        model=candidate.model,
        variant=candidate.variant,
        alike=len(candidate.same_as),
        status=verdict.status if was_run else "not_run",
        original=is_original,
        tied=row.tied,
        unsafe=is_unsafe(verdict),
        can_ask_again=not is_original and candidate.model != wording.OFFLINE,
        verdict=verdict_cell(verdict, row.reason, improving=improving) if was_run else _not_run(verdict.reason),
        speed=speed_cell(row.speed),
        memory=memory_cell(row.memory),
        readability=readability_cell(row.readability, compared),
        diff=_NOTHING if is_original else diff_cell(row.diff),
        numbers=numbers(row.measurement, row.cost_usd),
        cost="" if is_original else money(row.cost_usd),
        reason=one_line(row.reason),
        counterexample=_counterexample(verdict),
        has_code=not is_original,
        worse="" if is_original or not verdict.passes else _worse(row, original),
        proven=verdict.status == "passed" and not wording.unproven(verdict),
        conditions=tuple(dict.fromkeys(condition.kind for condition in verdict.conditions)),
        score=row.score,
        cluster=row.cluster,
        details=_details(row, improving=improving),
    )


def live_row(
    candidate: Candidate, verdict: Verdict | None, measurement: Measurement | None, not_run: str | None, *, label: str
) -> RowView:
    """Return the row of a candidate whose run is under way; `not_run` says why nobody could run it."""
    if not_run is not None:
        cell = _not_run(not_run)
    else:
        cell = CellView(text="waiting") if verdict is None else verdict_cell(verdict, verdict.reason, improving=True)
    measured = measurement or Measurement()
    return RowView(
        id=candidate.id,
        label=label,
        model=candidate.model,
        variant=candidate.variant,
        alike=len(candidate.same_as),
        status="not_run" if not_run is not None else verdict.status if verdict else "waiting",
        unsafe=verdict is not None and is_unsafe(verdict),
        verdict=cell,
        speed=_live_speed(verdict, measurement, not_run),
        memory=memory_cell(measured.memory),
        readability=readability_cell(measured.readability, None),
        diff=diff_cell(measured.diff),
        numbers=numbers(measured, candidate.cost_usd),
        cost=money(candidate.cost_usd),
        reason=one_line(not_run if not_run is not None else verdict.reason if verdict else ""),
    )


def is_racing(verdict: Verdict | None, measurement: Measurement | None, not_run: str | None) -> bool:
    """Return whether it is still to be found out how fast a candidate is."""
    return verdict is not None and verdict.passes and measurement is None and not_run is None


def _live_speed(verdict: Verdict | None, measurement: Measurement | None, not_run: str | None) -> CellView:
    """Return whether it is still measured or decided, and then what came of it."""
    if is_racing(verdict, measurement, not_run):
        return CellView(text="still racing")
    cell = speed_cell(measurement.speed if measurement else None)
    return replace(cell, word=": ".join(filter(None, ("decided", cell.word)))) if cell.text else cell


def verdict_cell(verdict: Verdict, reason: str, *, improving: bool) -> CellView:
    """Return the status, and what a pass rests on or why it is none; what weakens it stands beside it."""
    has_passed = verdict.passes
    said = wording.evidence(verdict, improving=improving) if has_passed else one_line(reason or verdict.reason)
    on = one_line(verdict.conditions_text)
    marks = [wording.unproven(verdict)] if has_passed else []
    marks += ["NOT ISOLATED"] if is_unsafe(verdict) else []
    marks += ["reported by the process it ran in"] if verdict.isolation == "shared" else []
    if has_passed and verdict.unreached:
        marks.append(f"{plural(len(verdict.unreached), 'line')} never run")
    if has_passed and verdict.uncompared:
        marks.append("not all effects compared")
    return CellView(
        text=verdict.status,
        detail=", ".join(filter(None, [on, said, one_line(verdict.environments_text), *marks])),
        trend="same" if on else "better" if has_passed else "worse",
    )


def speed_cell(speed: Interval | None) -> CellView:
    """Return the ratio to the original's time and its 95 % interval."""
    if speed is None:
        return _NOTHING
    if speed.untimed:
        return CellView(text="same", trend="same", whole=speed.note)
    ratio, ends = wording.interval(speed)
    trend = "better" if speed.faster else "worse" if speed.slower else "same"
    word = {"better": "faster", "worse": "slower", "same": "unclear"}[trend]
    times = (speed.original_s, speed.candidate_s)
    whole = " → ".join(map(_seconds, times)) + " a pass" if all(times) else ""
    return CellView(text=ratio, detail=ends, trend=trend, word=word, whole=whole)


def speed_said(cell: CellView) -> str:
    """Return a speed as a part of a sentence."""
    return f"{cell.text} {cell.detail or 'speed'}" if cell.text else ""


def memory_cell(memory: Memory | None) -> CellView:
    """Return the change of the peak against the original's; of the original itself, its peak."""
    if memory is None:
        return _NOTHING
    if memory.ratio is None:
        return CellView(text=_bytes(memory.peak_bytes))
    change = memory_change(memory)
    if change == 0:
        return CellView(text="same", trend="same")
    percent = round(100 * abs(memory.ratio - 1))
    text = wording.times(memory.ratio) if memory.ratio >= 2 else f"{'+' if change > 0 else MINUS}{percent} %"
    whole = f"{_bytes(memory.peak_bytes / memory.ratio)} → {_bytes(memory.peak_bytes)}" if memory.ratio else ""
    return CellView(
        text=text, trend="worse" if change > 0 else "better", word="more" if change > 0 else "less", whole=whole
    )


def readability_cell(readability: Readability | None, original: Readability | None) -> CellView:
    """Return the score, 0 to 100, compared with the original's where that is given."""
    if readability is None:
        return _NOTHING
    text = f"{readability.score:.0f}"
    if original is None:
        return CellView(text=text)
    change = readability.score - original.score
    if abs(change) < READABILITY_NOISE:
        return CellView(text=text, trend="same")
    whole = f"{original.score:.0f} → {text}"
    easier = change > 0
    return CellView(
        text=text, trend="better" if easier else "worse", word="easier" if easier else "harder", whole=whole
    )


def _worse(row: RankedResult, original: RankedResult) -> str:
    speed, memory = speed_cell(row.speed), memory_cell(row.memory)
    slow = "slower" if speed.trend == "worse" else "not faster"
    parts = [
        f"{slow} {speed.text} {speed.detail}" if row.speed and row.speed.ratio < 1 else "",
        f"more memory {memory.text}" if memory.trend == "worse" else "",
        "reads harder" if readability_cell(row.readability, original.readability).trend == "worse" else "",
    ]
    return ", ".join(filter(None, parts))


def diff_cell(diff: DiffSize) -> CellView:
    """Return the lines added and removed."""
    return CellView(text=f"+{diff.added} {MINUS}{diff.removed}") if diff.added or diff.removed else _NOTHING


def _said(name: str, cell: CellView) -> str:
    return " ".join(filter(None, (name, cell.word, cell.text, cell.detail)))


def numbers(measured: Measurement, cost_usd: float | None) -> NumbersView:
    """Return what a row can be put in order by."""
    lines = measured.diff.added + measured.diff.removed
    return NumbersView(
        speed=measured.speed.ratio if measured.speed else None,
        memory=measured.memory.ratio if measured.memory else None,
        readability=measured.readability.score if measured.readability else None,
        lines=lines or None,
        cost=cost_usd,
    )


def _counterexample(verdict: Verdict) -> str:
    failure = verdict.failure
    if failure is None or verdict.passes:
        return ""
    must = f", must be {failure.expected}" if failure.expected else ""
    return one_line(f"{failure.where}: {failure.got}{must}" if failure.got else failure.where)


def _seconds(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def spoken(row: RowView) -> str:
    """Return the row as one sentence for a screen reader."""
    place = row.place.replace("=", ", tied")
    cells = {"speed": row.speed, "memory": row.memory, "readability": row.readability, "lines": row.diff}
    parts = [
        f"rank {place}" if row.number is not None else "",
        row.label,
        "best" if row.best else "",
        f"{row.verdict.text} {row.verdict.detail}".strip(),
        *(_said(name, cell) for name, cell in cells.items() if cell.text),
    ]
    return "; ".join(filter(None, parts))


def _not_run(reason: str) -> CellView:
    return CellView(text="not run", detail=one_line(reason))


def _details(row: RankedResult, *, improving: bool) -> tuple[DetailView, ...]:
    is_original = row.candidate.id == ORIGINAL
    failure = row.verdict.failure
    code = {"On": failure.where, "Expected": failure.expected, "Got": failure.got} if failure else {}
    code |= {"Traceback": failure.traceback} if failure else {}
    ran = row.verdict.total > 0 and not is_original
    said = [
        DetailView(term="Reason", text=one_line(row.reason)),
        *(detail for condition in row.verdict.conditions for detail in _condition(condition)),
        *_environments(row),
        DetailView(term="Speed", text=one_line(_speed(row.speed)) if row.speed else ""),
        DetailView(term="Growth", text=_growth(row.measurement.growth)),
        DetailView(term="Judged by", text=wording.evidence(row.verdict, improving=improving) if ran else ""),
        DetailView(term="Same", text=one_line(", ".join(row.verdict.compared)) if row.verdict.passes else ""),
        DetailView(term="Not compared", text=one_line("; ".join(row.verdict.uncompared))),
        *(DetailView(term=term, text=visible(text), code=True) for term, text in code.items()),
        DetailView(term="Never run", text=visible("\n".join(row.verdict.unreached)), code=True),
        DetailView(term="Set aside", text=one_line(", ".join(row.verdict.set_aside))),
        DetailView(term="Rationale", text=visible(row.candidate.rationale)),
        DetailView(term="Receipt", text=one_line("; ".join(row.candidate.receipt))),
        DetailView(term="Also from", text=one_line(", ".join(row.candidate.same_as))),
        DetailView(term="Cost", text="" if is_original else money(row.cost_usd)),
        DetailView(term="Ran in", text=one_line(row.verdict.sandbox)),
    ]
    return tuple(detail for detail in said if detail.text)


def _environments(row: RankedResult) -> Iterator[DetailView]:
    """Yield a line for each interpreter: what the judge says, and how fast it is there."""
    speeds = {there.python: there.speed for there in row.measurement.environments}
    for there in row.verdict.environments:
        speed = speeds.get(there.python)
        checks = f"{there.passed} of {there.total} checks" if there.total else ""
        said = [there.status, checks, there.reason, " ".join(wording.interval(speed)) if speed else ""]
        yield DetailView(term=f"Python {there.python}", text=one_line(", ".join(filter(None, said))))


def _speed(speed: Interval) -> str:
    """Return the speed on each kind of inputs that were told apart, and what is remarked of it."""
    parts = [f"{' '.join(wording.interval(part))} on {part.inputs} {part.of}" for part in speed.parts]
    return "; ".join(filter(None, (", ".join(parts), speed.note)))


def _condition(condition: Condition) -> tuple[DetailView, ...]:
    return (
        DetailView(term="Condition", text=one_line(condition.text)),
        DetailView(term="For instance", text=visible(condition.call), code=True),
        DetailView(term="Original", text=visible(condition.expected), code=True),
        DetailView(term="This one", text=visible(condition.got), code=True),
    )


def _growth(growth: Growth | None) -> str:
    """Return both exponents and the ratio on the smallest and the largest size."""
    if growth is None:
        return ""
    time = f"time {wording.power(growth.candidate)}, original {wording.power(growth.original)}"
    memory = ""
    if growth.candidate_memory and growth.original_memory:
        memory = f"; memory {wording.power(growth.candidate_memory)}, original {wording.power(growth.original_memory)}"
    ratios = [f"{wording.times(ratio)} at n = {size}" for size, ratio in zip(growth.sizes, growth.ratios, strict=True)]
    return f"{time}{memory}; {', '.join(ratios)}"


def _bytes(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.{int(count < 10 and unit != 'B')}f} {unit}".replace(".0 ", " ")
        count /= 1024
    return f"{count:.1f} GiB"
