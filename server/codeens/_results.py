"""What judging came to: a document, and ways to look at it in a program, a terminal and a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from codeens._html import Cell, bars, folded, page, paragraph, table
from codeens_server.domain.document import RankedResult, RunDocument
from codeens_server.domain.terms import ORIGINAL
from codeens_server.errors import InputError, unknown
from codeens_server.tasks.schema import ScoreReport
from codeens_server.views.model import CellView, RunView
from codeens_server.views.run_view import document_view
from codeens_server.workspace.edit import apply_edit, unified_diff

_HEADINGS = ("", "candidate", "verdict", "speed", "", "memory", "readability", "lines", "cost")


class Run:
    """A finished run: the original, and candidates ranked against it."""

    def __init__(self, document: RunDocument) -> None:
        """Wrap the document of a run."""
        self.document = document
        """All facts; its JSON is what every door of codeens gives."""

    @property
    def run_id(self) -> str:
        """The id under which the store keeps it."""
        return self.document.run_id

    @property
    def headline(self) -> str:
        """Which candidate is best and why, in one sentence."""
        return self.document.headline

    @property
    def best(self) -> RankedResult:
        """The row to take: the original where nothing measured speaks against keeping it."""
        return self.row(self.document.best)

    @property
    def view(self) -> RunView:
        """What people are shown of it: texts for every cell, in order."""
        return document_view(self.document)

    def row(self, candidate_id: str) -> RankedResult:
        """Return the row of a candidate, or of `original`.

        Raises:
            InputError: there is none of that id (code `no_such_candidate`).
        """
        rows = {row.candidate.id: row for row in (self.document.original, *self.document.results)}
        if candidate_id not in rows:
            raise InputError(unknown("candidate", candidate_id, list(rows)), code="no_such_candidate")
        return rows[candidate_id]

    def diff(self, candidate_id: str | None = None) -> str:
        """Return the change that a candidate stands for, as a unified diff; empty for the original.

        Args:
            candidate_id: None: the best.

        Raises:
            InputError: there is no such candidate, or the file is not what it was.
        """
        row = self.best if candidate_id is None else self.row(candidate_id)
        if row.candidate.id == ORIGINAL:
            return ""
        return unified_diff(self.document.target, row.candidate.replacement)

    def apply(self, candidate_id: str | None = None) -> None:
        """Write a candidate into the file that the run was about; the original leaves it as it is.

        Args:
            candidate_id: None: the best.

        Raises:
            InputError: there is no such candidate, it has no rank (code `no_rank`), or the file is not what it was.
        """
        row = self.best if candidate_id is None else self.row(candidate_id)
        if row.candidate.id == ORIGINAL:
            return
        if row.rank is None:
            message = f"candidate {row.candidate.id} has no rank: {row.reason}."
            raise InputError(message, code="no_rank")
        apply_edit(self.document.target, row.candidate.replacement)

    def to_dataframe(self) -> Any:
        """Return a `pandas.DataFrame` with a row for the original and for each candidate.

        Raises:
            ImportError: pandas is not installed.
        """
        return _dataframe([_facts(row) for row in (self.document.original, *self.document.results)])

    def __repr__(self) -> str:
        return f"<Run {self.run_id}: {self.headline}>"

    def __str__(self) -> str:
        view = self.view
        rows = [
            f"{row.place or '-':>3}  {row.label}  {row.verdict.text}  {row.speed.text} {row.speed.detail}".rstrip()
            for row in view.rows
        ]
        return "\n".join([view.headline, *rows, view.summary])

    def _repr_html_(self) -> str:
        view = self.view
        drawn = bars([row.speed for row in (self.document.original, *self.document.results)])
        rows = [
            (
                Cell(text=row.place),
                Cell(text=row.label, detail=row.reason, trend="better" if row.best else None),
                _cell(row.verdict),
                _cell(row.speed),
                Cell(bar=bar),
                _cell(row.memory),
                _cell(row.readability),
                _cell(row.diff),
                Cell(text=row.cost),
            )
            for row, bar in zip(view.rows, drawn, strict=True)
        ]
        notes = [paragraph(note.text) for note in view.notes]
        change = folded(f"the change of {self.best.candidate.id}", self._shown_diff())
        return page(view.headline, [table(_HEADINGS, rows), paragraph(view.summary), *notes, change])

    def _shown_diff(self) -> str:
        """Return the best change, or why it can no longer be shown: looking at a result never fails."""
        try:
            return self.diff()
        except InputError as error:
            return str(error)


class Report:
    """What became of candidates that were judged by a task."""

    def __init__(self, document: ScoreReport) -> None:
        """Wrap the document of a report."""
        self.document = document
        """All facts."""

    @property
    def passed(self) -> tuple[str, ...]:
        """Ids of the candidates that meet every demand."""
        return tuple(result.candidate.id for result in self.document.results if result.rank is not None)

    def to_dataframe(self) -> Any:
        """Return a `pandas.DataFrame` with a row for each candidate.

        Raises:
            ImportError: pandas is not installed.
        """
        rows = [
            {
                "id": result.candidate.id,
                "rank": result.rank,
                "status": result.verdict.status,
                "passed": result.verdict.passed,
                "total": result.verdict.total,
                "weight_passed": result.weight_passed,
                "weight_total": result.weight_total,
                "reason": result.reason,
            }
            for result in self.document.results
        ]
        return _dataframe(rows)

    def __repr__(self) -> str:
        return f"<Report on {self.document.task}: {len(self.passed)} of {len(self.document.results)} passed>"

    def _repr_html_(self) -> str:
        rows = [
            (
                Cell(text="-" if result.rank is None else str(result.rank)),
                Cell(text=result.candidate.id),
                Cell(text=result.verdict.status, trend="worse" if result.rank is None else "better"),
                Cell(text=f"{result.weight_passed:g} of {result.weight_total:g}", detail=result.reason),
            )
            for result in self.document.results
        ]
        title = f"{self.document.task}: {len(self.passed)} of {len(rows)} passed"
        return page(title, [table(("", "candidate", "verdict", "weight"), rows)])


def _cell(cell: CellView) -> Cell:
    return Cell(text=cell.text, detail=cell.detail, trend=cell.trend)


def _facts(row: RankedResult) -> dict[str, Any]:
    speed, memory, readability = row.speed, row.memory, row.measurement.readability
    return {
        "id": row.candidate.id,
        "model": row.candidate.model,
        "variant": row.candidate.variant,
        "rank": row.rank,
        "tied": row.tied,
        "status": row.verdict.status if row.judged else "not run",
        "evidence": row.verdict.evidence,
        "speed": speed.ratio if speed else None,
        "speed_low": speed.low if speed else None,
        "speed_high": speed.high if speed else None,
        "memory": memory.ratio if memory else None,
        "readability": readability.score if readability else None,
        "lines_added": row.measurement.diff.added,
        "lines_removed": row.measurement.diff.removed,
        "cost_usd": row.cost_usd,
        "cluster": row.cluster,
        "reason": row.reason,
        "source": row.candidate.source,
    }


def _dataframe(rows: Sequence[Mapping[str, Any]]) -> Any:
    # It is not among the dependencies: who asks for a data frame has it.
    return import_module("pandas").DataFrame(list(rows))
