"""Lenses above functions that were run: how it goes, what came of it, and what can be done with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lsprotocol import types

from codeens_server.domain.terms import ORIGINAL
from codeens_server.lsp.documents.documents import Document
from codeens_server.lsp.documents.edits import applied, unchanged
from codeens_server.lsp.documents.outline import Outline
from codeens_server.lsp.runs.messages import RerunArguments, RowArguments, RunId, command
from codeens_server.lsp.runs.records import RunRecord
from codeens_server.lsp.transport.names import APPLY, CANCEL, DIFF, RERUN, SHOW_RUN
from codeens_server.views.model import RowView, RunView


def lenses(document: Document, outline: Outline, records: Iterable[RunRecord]) -> list[types.CodeLens]:
    """Return all lenses of a document."""
    return [lens for record in records for lens in _of_function(document, outline, record)]


def _of_function(document: Document, outline: Outline, record: RunRecord) -> Iterator[types.CodeLens]:
    view = record.view
    if view is None:
        return
    function = unchanged(document, outline, record.target)
    is_same, row = function is not None, None
    if function is None:
        there = applied(document, outline, record.document) if record.document is not None else None
        row = view.row(there.candidate.id) if there is not None else None
        function = next(iter(outline.named(record.qualname)), None)
    if function is None:
        return
    place = types.Position(line=function.line, character=0)
    for each in _commands(view, row, is_same=is_same):
        yield types.CodeLens(range=types.Range(start=place, end=place), command=each)


def _commands(view: RunView, row: RowView | None, *, is_same: bool) -> Iterator[types.Command]:
    """`row`: the candidate that stands in the place of what was run."""
    this, rerun = RunId(run_id=view.run_id), RerunArguments(run_id=view.run_id)
    title = f"codeens: {view.short}"
    if view.status == "running":
        yield command(title, SHOW_RUN, this)
        yield command("cancel", CANCEL, this)
    elif view.status != "finished":
        yield command(title, RERUN, rerun)
    elif not is_same:
        yield command(_applied_title(row) if row else "codeens: changed since the run", SHOW_RUN, this)
        yield command("run again", RERUN, rerun)
    else:
        yield command(title, SHOW_RUN, this)
        if view.best != ORIGINAL:
            best = RowArguments(run_id=view.run_id, candidate=view.best)
            yield command("apply", APPLY, best)
            yield command("diff", DIFF, best)
        yield command("why", SHOW_RUN, this)


def _applied_title(row: RowView) -> str:
    speed = f": {row.speed.text} {row.speed.detail}" if row.speed.trend == "better" else ""
    return f"codeens: applied {row.label}{speed}"
