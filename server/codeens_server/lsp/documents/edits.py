"""A candidate as one edit of the document as it is now, wherever in it the function stands by now."""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol import types
from msgspec.structs import replace

from codeens_server.domain.document import RankedResult, RunDocument
from codeens_server.domain.target import Replacement, Target
from codeens_server.lsp.documents.buffers import BYTE_ORDER_MARK
from codeens_server.lsp.documents.documents import Document
from codeens_server.lsp.documents.outline import Function, Outline
from codeens_server.workspace.edit import LineEdit, line_edits
from codeens_server.workspace.indent import dedent


def unchanged(document: Document, outline: Outline, target: Target) -> Function | None:
    """Return a run's function where it stands in the document now; None if it was changed, or defined again, since."""
    live = [function for function in outline.named(target.qualname) if not function.refusal][-1:]
    for function in live:
        lines = document.lines[function.line : function.end_line + 1]
        if dedent("".join(lines).removeprefix(BYTE_ORDER_MARK)) == target.source:
            return function
    return None


def applied(document: Document, outline: Outline, run: RunDocument) -> RankedResult | None:
    """Return the candidate that has replaced a run's function by now, whoever put it there."""
    found = standing(document, outline, run)
    return found[0] if found else None


def standing(document: Document, outline: Outline, run: RunDocument) -> tuple[RankedResult, Function] | None:
    """Return the candidate that has replaced a run's function, and where it stands."""
    ranked = {_plain(row.candidate.replacement.function): row for row in run.results if row.rank is not None}
    for function in outline.named(run.target.qualname):
        text = "".join(document.lines[function.line : function.end_line + 1])
        if row := ranked.get(_plain(text.removeprefix(BYTE_ORDER_MARK))):
            return row, function
    return None


def _plain(function: str) -> str:
    """Normalize a function's margin and its tabs."""
    return dedent(function.strip("\r\n")).expandtabs(4)


def text_edits(
    document: Document, text: str, function: Function, target: Target, new: Replacement
) -> list[types.TextEdit]:
    """Return the edits that put a replacement into a document.

    Args:
        document: where they will be made.
        text: of the document, without a byte order mark, such that it can be parsed; it has the document's lines.
        function: the target as it stands there.

    Raises:
        ConflictError: an import or a helper would rebind a name of the module.
        TargetError: the text does not parse.
    """
    here = replace(target, line=function.line + 1, end_line=function.end_line + 1)
    return [_text_edit(document, edit) for edit in _joined(line_edits(text, here, new))]


def workspace_edit(document: Document, edits: Sequence[types.TextEdit], *, versioned: bool) -> types.WorkspaceEdit:
    """Join edits into one step, which one undo takes back and a client with another version refuses."""
    if not versioned:
        return types.WorkspaceEdit(changes={document.uri: edits})
    identifier = types.OptionalVersionedTextDocumentIdentifier(uri=document.uri, version=document.version)
    return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(text_document=identifier, edits=edits)])


def _joined(edits: Sequence[LineEdit]) -> list[LineEdit]:
    """Edits that touch as one: clients do not agree on the order of those at one place."""
    joined: list[LineEdit] = []
    for edit in edits:
        if joined and joined[-1].end == edit.start:
            last = joined.pop()
            joined.append(LineEdit(last.start, edit.end, last.text + edit.text))
        else:
            joined.append(edit)
    return joined


def _text_edit(document: Document, edit: LineEdit) -> types.TextEdit:
    return types.TextEdit(
        range=types.Range(start=_start_of(document, edit.start), end=_start_of(document, edit.end)), new_text=edit.text
    )


def _start_of(document: Document, line: int) -> types.Position:
    """Return where a line begins; past the last one, where the document ends."""
    if line >= len(document.lines):
        last = len(document.lines) - 1
        return types.Position(line=last, character=document.units(last, len(document.lines[last])))
    # A byte order mark stays where it is.
    has_mark = line == 0 and document.lines[0].startswith(BYTE_ORDER_MARK)
    return types.Position(line=line, character=document.units(0, 1) if has_mark else 0)
