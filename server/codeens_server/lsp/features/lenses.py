"""Lenses above functions that were run: how it goes, what came of it, and what can be done with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lsprotocol import types

from codeens_server.domain import ORIGINAL, RankedResult
from codeens_server.lsp.documents.documents import Document
from codeens_server.lsp.documents.edits import applied, unchanged
from codeens_server.lsp.documents.outline import Outline
from codeens_server.lsp.features.titles import applied_title, lens_title
from codeens_server.lsp.runs.arguments import RerunArguments, RowArguments, RunId, command
from codeens_server.lsp.runs.records import Record
from codeens_server.lsp.transport.names import APPLY, CANCEL, DIFF, RERUN, SHOW_RUN


def lenses(document: Document, outline: Outline, records: Iterable[Record]) -> list[types.CodeLens]:
    """All lenses of a document."""
    return [lens for record in records for lens in _of_function(document, outline, record)]


def _of_function(document: Document, outline: Outline, record: Record) -> Iterator[types.CodeLens]:
    function = unchanged(document, outline, record.target)
    is_same, row = function is not None, None
    if function is None:
        row = applied(document, outline, record.run) if record.run is not None else None
        function = next(iter(outline.named(record.qualname)), None)
    if function is None:
        return
    place = types.Position(line=function.line, character=0)
    for said in _commands(record, row, is_same=is_same):
        yield types.CodeLens(range=types.Range(start=place, end=place), command=said)


def _commands(record: Record, row: RankedResult | None, *, is_same: bool) -> Iterator[types.Command]:
    """`row`: the candidate that stands in the place of what was run."""
    this = RunId(run_id=record.run_id)
    if record.is_under_way:
        yield command(lens_title(record), SHOW_RUN, this)
        yield command("cancel", CANCEL, this)
    elif record.run is None:
        yield command(lens_title(record), RERUN, RerunArguments(run_id=record.run_id))
    elif not is_same:
        yield command(applied_title(row) if row else "codeens: changed since the run", SHOW_RUN, this)
        yield command("run again", RERUN, RerunArguments(run_id=record.run_id))
    else:
        yield command(lens_title(record), SHOW_RUN, this)
        if record.run.best != ORIGINAL:
            best = RowArguments(run_id=record.run_id, candidate=record.run.best)
            yield command("apply", APPLY, best)
            yield command("diff", DIFF, best)
        yield command("why", SHOW_RUN, this)
