"""Lenses above functions that were run: how it goes, what came of it, and what can be done with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lsprotocol import types

from codeens_server.domain.terms import ORIGINAL
from codeens_server.lsp.documents.documents import Document
from codeens_server.lsp.documents.edits import applied, unchanged
from codeens_server.lsp.documents.outline import Function, Outline
from codeens_server.lsp.runs.messages import RerunArguments, RowArguments, RunArguments, RunId, command
from codeens_server.lsp.runs.records import RunRecord
from codeens_server.lsp.transport.names import APPLY, CANCEL, DIFF, RERUN, RUN, SHOW_RUN
from codeens_server.views.model import RowView, RunView


def lenses(
    document: Document, outline: Outline, records: Mapping[str, RunRecord], *, before_run: bool
) -> list[types.CodeLens]:
    """Return all lenses of a document; `before_run`: also for functions that were not run yet."""
    found = [lens for record in records.values() for lens in _of_function(document, outline, record)]
    if before_run:
        fresh = (function for function in outline.functions() if function.qualname not in records)
        found += [_to_run(document, function) for function in fresh if not function.refusal]
    return found


def _to_run(document: Document, function: Function) -> types.CodeLens:
    mode = "implement" if function.body_missing else "auto"
    argument = RunArguments(uri=document.uri, function=function.qualname, mode=mode)
    place = types.Position(line=function.line, character=0)
    said = command(f"codeens: {'implement' if function.body_missing else 'improve'}", RUN, argument)
    return types.CodeLens(range=types.Range(start=place, end=place), command=said)


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
    if view.status in {"running", "queued"}:
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
