"""Two runs beside each other: how fast the same code was in both, and a word about what else differs between them."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from codeens_server.domain.document import RankedResult, RunDocument
from codeens_server.domain.measurement import Interval
from codeens_server.measuring.machine import differences
from codeens_server.ranking.wording import label


class SpeedBeside(Struct, frozen=True, kw_only=True):
    """How fast one candidate's code was in each of two runs; None where it was not measured."""

    label: str
    digest: str
    first: Interval | None
    second: Interval | None

    @property
    def differs(self) -> bool:
        """Whether the intervals do not overlap."""
        one, other = self.first, self.second
        return one is not None and other is not None and (one.high < other.low or other.high < one.low)


class RunsBeside(Struct, frozen=True, kw_only=True):
    """What two runs have in common, and what keeps their numbers from being compared."""

    first: str
    second: str
    """Ids of the runs."""
    differences: tuple[str, ...]
    """What was not the same, in words; empty where nothing is known to differ."""
    rows: tuple[SpeedBeside, ...]
    """Candidates whose code is in both, in the order of the first."""


def beside(first: RunDocument, second: RunDocument) -> RunsBeside:
    """Return two runs beside each other."""
    others = {row.candidate.digest: row for row in second.results}
    return RunsBeside(
        first=first.run_id,
        second=second.run_id,
        differences=tuple(_differences(first, second)),
        rows=tuple(_row(row, others[row.candidate.digest]) for row in first.results if row.candidate.digest in others),
    )


def _row(one: RankedResult, other: RankedResult) -> SpeedBeside:
    return SpeedBeside(label=label(one.candidate), digest=one.candidate.digest, first=one.speed, second=other.speed)


def _differences(first: RunDocument, second: RunDocument) -> Iterator[str]:
    if first.target.qualname != second.target.qualname:
        yield f"function: {first.target.qualname}, {second.target.qualname}"
    elif first.target.source != second.target.source:
        yield "the original's code is not the same: ratios are to another original"
    yield from differences(first.machine, second.machine)
    timed = [_timed(run) for run in (first, second)]
    if timed[0] != timed[1] and all(timed):
        yield f"timed inputs: {timed[0]}, {timed[1]}"


def _timed(run: RunDocument) -> int:
    return max((row.speed.inputs for row in run.results if row.speed), default=0)
