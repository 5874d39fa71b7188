"""Documents as the editor has them, kept equal to its own by incremental edits.

Lines end where LSP says so (3.17, "Text Documents": line feed, carriage return, or both) and nowhere else: not at form
feeds and not at the line separators of Unicode, which `str.splitlines` would take for ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote

from lsprotocol import types
from pygls.workspace import TextDocument, Workspace

from codeens_server.errors import InputError
from codeens_server.workspace.text import lines_of

UNITS = {
    types.PositionEncodingKind.Utf8.value: 1,
    types.PositionEncodingKind.Utf16.value: 2,
    types.PositionEncodingKind.Utf32.value: 4,
}
"""Bytes of a unit in which an encoding of positions counts."""


class Document(TextDocument):
    """One document. Positions are in the units that were agreed on with the client."""

    def __init__(
        self,
        uri: str,
        source: str | None = None,
        *,
        version: int | None = None,
        language_id: str | None = None,
        unit: int = 2,
    ) -> None:
        super().__init__(uri, source, version, language_id)
        self._unit = unit
        self._lines = _split(source or "")
        self._text: str | None = source or ""
        self.edits = 0
        """Counts up with every change: versions of clients may stand still."""

    @property
    def source(self) -> str:
        if self._text is None:
            self._text = "".join(self._lines)
        return self._text

    @property
    def lines(self) -> Sequence[str]:
        """Lines with their ends. The last one has none; it is empty after a final newline."""
        return self._lines

    def apply_change(self, change: types.TextDocumentContentChangeEvent) -> None:
        """Apply an edit of the client. Positions outside are moved to the nearest place inside."""
        self.edits += 1
        if isinstance(change, types.TextDocumentContentChangeWholeDocument):
            self._lines, self._text = _split(change.text), change.text
            return
        start_line, start = self._place(change.range.start)
        end_line, end = self._place(change.range.end)
        if (end_line, end) < (start_line, start):
            start_line, start, end_line, end = end_line, end, start_line, start
        first = start_line
        before = self._lines[start_line][:start]
        if start_line and self._lines[start_line - 1].endswith("\r"):
            # A line feed that comes to stand after a carriage return makes one end of the two.
            first -= 1
            before = self._lines[first] + before
        changed = before + change.text + self._lines[end_line][end:]
        is_last = end_line + 1 == len(self._lines)
        self._lines[first : end_line + 1] = _split(changed) if is_last else lines_of(changed)
        self._text = None

    def character(self, line: int, units: int) -> int:
        """Return the index into a line that a column of the client means, at most where the line's end begins."""
        text = self._lines[line].rstrip("\r\n")
        if text.isascii() or self._unit == 4:
            return min(units, len(text))
        seen = 0
        for index, char in enumerate(text):
            if seen >= units:
                return index
            seen += _units(char, self._unit)
        return len(text)

    def units(self, line: int, character: int) -> int:
        """Return the column of the client for an index into a line's text."""
        text = self._lines[line][:character]
        if text.isascii() or self._unit == 4:
            return len(text)
        return sum(_units(char, self._unit) for char in text)

    def _place(self, position: types.Position) -> tuple[int, int]:
        if position.line >= len(self._lines):
            return len(self._lines) - 1, len(self._lines[-1])
        return position.line, self.character(position.line, position.character)


class Documents(Workspace):
    """All documents of a client."""

    def __init__(self, opened: Workspace) -> None:
        super().__init__(
            opened.root_uri,
            workspace_folders=list(opened.folders.values()),
            position_encoding=opened.position_encoding,
        )
        self._unit = UNITS.get(str(getattr(opened.position_encoding, "value", opened.position_encoding)), 2)

    def _create_text_document(
        self,
        doc_uri: str,
        source: str | None = None,
        version: int | None = None,
        language_id: str | None = None,
    ) -> TextDocument:
        return Document(doc_uri, source, version=version, language_id=language_id, unit=self._unit)

    def update_text_document(
        self,
        text_doc: types.VersionedTextDocumentIdentifier,
        change: types.TextDocumentContentChangeEvent,
    ) -> None:
        """Apply an edit.

        Raises:
            InputError: the document is not open.
        """
        if unquote(text_doc.uri) not in self.text_documents:
            raise InputError(f"{text_doc.uri} is not open.")
        super().update_text_document(text_doc, change)

    def update_notebook_document(self, params: types.DidChangeNotebookDocumentParams) -> None:
        """Apply an edit of a notebook.

        Raises:
            InputError: the notebook is not open.
        """
        if unquote(params.notebook_document.uri) not in self.notebook_documents:
            raise InputError(f"{params.notebook_document.uri} is not open.")
        super().update_notebook_document(params)

    def opened(self, uri: str) -> Document | None:
        """Return a document that the client has open."""
        document = self.text_documents.get(unquote(uri))
        return document if isinstance(document, Document) else None


def _split(text: str) -> list[str]:
    lines = lines_of(text)
    if not lines or lines[-1].endswith(("\n", "\r")):
        lines.append("")
    return lines


def _units(char: str, unit: int) -> int:
    code = ord(char)
    if unit == 2:
        return 1 if code < 0x10000 else 2
    return 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4
