"""Which functions a document has, known at once after every edit.

What was read of a piece of the text is kept by the piece's text, so that an edit costs the parsing of what it changed.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import anyio
import anyio.lowlevel
import anyio.to_thread

from codeens_server.errors import TargetError
from codeens_server.lsp.documents.buffers import without_magics
from codeens_server.lsp.documents.documents import Document, Documents
from codeens_server.lsp.documents.splitter import Piece, Splitter, starts_of
from codeens_server.workspace.functions import (
    Branch,
    FunctionSite,
    decorator_names,
    exclude_each_other,
    functions_in,
    is_body_missing,
)
from codeens_server.workspace.text import parse_source

_QUIET_S = 0.2
"""Time without an edit after which what is not read yet is read."""
_BROKEN_AT = re.compile(r":(\d+):\d+: syntax error: (.*)\. Mend it first\.", re.DOTALL)


class Function(NamedTuple):
    """A function of a document. Lines are counted from 0."""

    qualname: str
    line: int
    """Of the first decorator, else of the `def`."""
    def_line: int
    end_line: int
    """The last line."""
    body_missing: bool
    refusal: str
    """Why it cannot be a target; empty when it can."""
    branches: tuple[Branch, ...] = ()

    def moved(self, piece: Piece, line: int) -> Function:
        """Return the function as it is when its piece begins at a line."""
        in_class = piece.place == "member" and self.qualname.startswith("_.")
        return self._replace(
            qualname=piece.name + self.qualname[1:] if in_class else self.qualname,
            line=self.line + line,
            def_line=self.def_line + line,
            end_line=self.end_line + line,
            branches=tuple(branch._replace(statement=branch.statement + line) for branch in self.branches),
        )

    def is_alternative_to(self, other: Function) -> bool:
        """Return whether one is in a branch that is taken in place of the other's."""
        return exclude_each_other(self.branches, other.branches)


class Broken(NamedTuple):
    """Text that does not parse."""

    line: int
    why: str


_Read: TypeAlias = tuple[Function, ...] | Broken


class Outline:
    """The functions of one text."""

    def __init__(self, pieces: list[Piece], known: dict[str, _Read]) -> None:
        self._pieces = pieces
        self._starts = starts_of(pieces)
        self._known = known

    def at(self, line: int) -> Function | Broken | None:
        """Return the innermost function around a line."""
        found = self._functions(max(0, bisect_right(self._starts, line) - 1))
        if isinstance(found, Broken):
            return found
        around = [function for function in found if function.line <= line <= function.end_line]
        return max(around, key=lambda function: function.line, default=None)

    def functions(self) -> Iterator[Function]:
        """Yield all functions, in the order of the document; those of a piece that does not parse are not known."""
        for index in range(len(self._pieces)):
            found = self._functions(index)
            if not isinstance(found, Broken):
                yield from found

    def named(self, qualname: str) -> list[Function]:
        """Return all functions of a name, in the order of the document."""
        first = qualname.partition(".")[0]
        likely = [index for index, piece in enumerate(self._pieces) if piece.name == first]
        return self._of_name(likely, qualname) or self._of_name(range(len(self._pieces)), qualname)

    def broken(self) -> Broken | None:
        """Return the first piece that is known not to parse; pieces not read yet are skipped."""
        for index, piece in enumerate(self._pieces):
            if isinstance(self._known.get(piece.text), Broken):
                found = self._functions(index)
                return found if isinstance(found, Broken) else None
        return None

    def unread(self) -> Iterator[Piece]:
        """Pieces whose text was not read yet."""
        return (piece for piece in self._pieces if piece.text not in self._known)

    def read(self, piece: Piece) -> None:
        """Read a piece, and keep what is in it."""
        self._known[piece.text] = _read(piece)

    def _of_name(self, indices: range | list[int], qualname: str) -> list[Function]:
        found: list[Function] = []
        for index in indices:
            functions = self._functions(index)
            if not isinstance(functions, Broken):
                found += [function for function in functions if function.qualname == qualname]
        return found

    def _functions(self, index: int) -> _Read:
        piece, line = self._pieces[index], self._starts[index]
        if piece.text not in self._known:
            self.read(piece)
        known = self._known[piece.text]
        if isinstance(known, Broken):
            return known._replace(line=known.line + line)
        return tuple(function.moved(piece, line) for function in known)


class Outliner:
    """Makes outlines of one document's texts, one after another."""

    def __init__(self) -> None:
        self._splitter = Splitter()
        self._known: dict[str, _Read] = {}

    def outline(self, text: str, *, whole: bool = False) -> Outline:
        """Outline a text, and forget what was known of pieces that it no longer has.

        Args:
            whole: do not cut it. A cut at a wrong place makes pieces that do not parse of text that does.
        """
        pieces = [Piece(text)] if whole else self._splitter.cut(text)
        known = self._known
        self._known = {piece.text: known[piece.text] for piece in pieces if piece.text in known}
        return Outline(pieces, self._known)


def _read(piece: Piece) -> _Read:
    added = piece.place == "member"
    try:
        sites = functions_in(parse_source(piece.as_module().removeprefix("\ufeff"), ""))
    except TargetError as error:
        match = _BROKEN_AT.match(str(error))
        return Broken(int(match[1]) - 1 - added, match[2]) if match else Broken(0, str(error).lstrip())
    return tuple(
        Function(
            qualname=site.qualname,
            line=site.line - 1 - added,
            def_line=site.node.lineno - 1 - added,
            end_line=site.end_line - 1 - added,
            body_missing=is_body_missing(site.node),
            refusal=_refusal(site),
            branches=site.branches,
        )
        for site in sites
    )


def _refusal(site: FunctionSite) -> str:
    endings = {name.rpartition(".")[2] for name in decorator_names(site.node)}
    if endings & {"setter", "deleter"}:
        return "a property's setter or deleter is not replaced; go to the getter"
    return "an overload stub is not replaced; go to the implementation" if "overload" in endings else ""


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
        """Return the outline of a document as it is now."""
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
