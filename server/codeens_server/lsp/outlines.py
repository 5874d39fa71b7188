"""The outlines of all open documents, made ahead so that no answer waits for them."""

from __future__ import annotations

from typing import NamedTuple

import anyio
import anyio.lowlevel
import anyio.to_thread

from codeens_server.errors import TargetError
from codeens_server.lsp.documents import Document, Documents
from codeens_server.lsp.notebooks import without_magics
from codeens_server.lsp.outline import Outline, Outliner
from codeens_server.workspace.text import parse_source

_QUIET_S = 0.2
"""Time without an edit after which what is not read yet is read."""


class _Kept(NamedTuple):
    document: Document
    edits: int
    outline: Outline
    outliner: Outliner


class Outlines:
    """One outline for each document, as of its last edit."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._kept: dict[str, _Kept] = {}
        self._touched: set[str] = set()
        self._touch = anyio.Event()

    def of(self, document: Document) -> Outline:
        """The outline of a document as it is now."""
        kept = self._kept.get(document.uri)
        if kept is not None and kept.document is document and kept.edits == document.edits:
            return kept.outline
        outliner = kept.outliner if kept is not None and kept.document is document else Outliner()
        return self._keep(document, outliner, outliner.outline(self._text(document)))

    def touch(self, uri: str) -> None:
        """Say that a document was opened or edited."""
        self._touched.add(uri)
        self._touch.set()

    def forget(self, uri: str) -> None:
        """Say that a document was closed."""
        self._kept.pop(uri, None)
        self._touched.discard(uri)

    async def read_ahead(self) -> None:
        """Read what was touched, in small steps between other work; never ends."""
        while True:
            await self._touch.wait()
            self._touch = anyio.Event()
            with anyio.move_on_after(_QUIET_S):
                await self._touch.wait()
                continue
            while self._touched:
                uri = self._touched.pop()
                if document := self._documents.opened(uri):
                    await self._read(document)

    async def _read(self, document: Document) -> None:
        outline, edits = self.of(document), document.edits
        for piece in list(outline.unread()):
            outline.read(piece)
            await anyio.lowlevel.checkpoint()
            if document.edits != edits:
                return
        if outline.broken():
            text = self._text(document)
            is_sound = await anyio.to_thread.run_sync(_parses, text)
            if is_sound and document.edits == edits:
                outliner = self._kept[document.uri].outliner
                self._keep(document, outliner, outliner.outline(text, whole=True))

    def _keep(self, document: Document, outliner: Outliner, outline: Outline) -> Outline:
        self._kept[document.uri] = _Kept(document, document.edits, outline, outliner)
        return outline

    def _text(self, document: Document) -> str:
        is_cell = self._documents.get_notebook_document(cell_uri=document.uri) is not None
        return without_magics(document.source) if is_cell else document.source


def _parses(text: str) -> bool:
    try:
        parse_source(text.removeprefix("\ufeff"), "")
    except TargetError:
        return False
    return True
