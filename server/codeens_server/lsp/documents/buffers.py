"""What is run: the text that the editor holds, and the file that it stands for, which need not be on the disk."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from lsprotocol import types
from msgspec import Struct
from msgspec.structs import replace
from pygls.uris import to_fs_path

from codeens_server.domain.target import Target
from codeens_server.errors import TargetError
from codeens_server.files import data_folder
from codeens_server.lsp.documents.documents import Document, Documents
from codeens_server.workspace.find import find_in_text
from codeens_server.workspace.functions import FunctionNode
from codeens_server.workspace.text import lines_of, parse_source, read_source

_MAGIC = re.compile(r"[ \t]*[%!?]|.*\?[ \t]*$")
_CELL_MAGIC = re.compile(r"[ \t]*%%")
BYTE_ORDER_MARK = "\ufeff"


class Buffer(Struct, frozen=True, kw_only=True):
    """A text to run, as it was at one moment."""

    uri: str
    path: Path
    text: str
    first_line: int = 0
    """The line at which the document begins in the text: a cell of a notebook stands among others."""
    is_alone: bool = False
    """It belongs to no folder, so that there is nothing around it."""
    folder: Path | None = None
    """The folder of the editor's workspace that holds it."""
    name: str = ""
    """What people call it where no path says it: a notebook and the number of its code cell."""


def buffer_of(documents: Documents, uri: str) -> Buffer:
    """Return the text of a document as the editor has it, or, when it is not open there, of the file.

    Raises:
        TargetError: there is no such document and no such file.
    """
    document = documents.opened(uri)
    path = file_of(uri)
    if document is None:
        if path is None:
            raise TargetError(f"{uri} is not open in the editor, and is no file.")
        return Buffer(uri=uri, path=path, text=read_source(path).text, folder=_around(documents, uri))
    notebook = documents.get_notebook_document(cell_uri=uri)
    if notebook is not None:
        return _cell(documents, notebook, uri)
    text = document.source.removeprefix(BYTE_ORDER_MARK)
    if path is not None:
        return Buffer(uri=uri, path=path, text=text, folder=_around(documents, uri))
    folder = first_folder(documents)
    return Buffer(uri=uri, path=_stand_in(uri, folder), text=text, is_alone=folder is None)


def target_in(buffer: Buffer, line: int) -> Target:
    """Return the function around a line of the document, counted from 0.

    Raises:
        TargetError: there is none, or one that cannot be replaced, or the text does not parse.
    """
    target = find_in_text(buffer.path, buffer.first_line + line + 1, buffer.text, folder=buffer.folder)
    if not buffer.is_alone:
        return target
    folder = str(buffer.path.parent)
    return replace(target, root=folder, import_root=folder)


def first_folder(documents: Documents) -> Path | None:
    """Return the first folder of the workspace."""
    uris = [folder.uri for folder in documents.folders.values()] or [documents.root_uri]
    return next((path for uri in uris if uri and (path := file_of(uri))), None)


def folder_of(documents: Documents, uri: str) -> str | None:
    """Return the URI of the innermost folder of the workspace that holds a document."""
    holding = [folder.uri for folder in documents.folders.values() if uri.startswith(folder.uri.rstrip("/") + "/")]
    return max(holding, key=len, default=None)


def _around(documents: Documents, uri: str) -> Path | None:
    folder = folder_of(documents, uri)
    return file_of(folder) if folder else None


def file_of(uri: str) -> Path | None:
    """Return the file that a URI names; None where it names none."""
    path = to_fs_path(uri) if uri.startswith("file:") else None
    return Path(path) if path else None


def _cell(documents: Documents, notebook: types.NotebookDocument, uri: str) -> Buffer:
    cells = [cell.document for cell in notebook.cells if cell.kind == types.NotebookCellKind.Code]
    texts = [_text(documents.opened(cell)) for cell in cells]
    text, first = module_of(texts, cells.index(uri))
    path, folder = file_of(notebook.uri), first_folder(documents)
    if path is not None:
        path = path.with_name(f"{_word(path.name)}.py")
    is_alone = path is None and folder is None
    return Buffer(
        uri=uri,
        path=path or _stand_in(uri, folder),
        text=text,
        first_line=first,
        is_alone=is_alone,
        name=f"{_notebook_name(notebook)} \N{MIDDLE DOT} cell {cells.index(uri) + 1}",
    )


def _notebook_name(notebook: types.NotebookDocument) -> str:
    return PurePosixPath(unquote(urlsplit(notebook.uri).path)).name


def _text(document: Document | None) -> str:
    return "" if document is None else document.source


def _stand_in(uri: str, folder: Path | None) -> Path:
    """Return where a document without a file would be."""
    return (folder or data_folder() / "unsaved") / f"{_word(uri)[-60:]}.py"


def _word(text: str) -> str:
    return re.sub(r"\W+", "_", text).strip("_") or "untitled"


def without_magics(cell: str) -> str:
    """Turn what only IPython understands into comments; a cell in another language becomes one as a whole."""
    lines = lines_of(cell)
    foreign = next((line for line in lines if line.strip()), "")
    everything = bool(_CELL_MAGIC.match(foreign)) and foreign.split()[0] not in {"%%time", "%%timeit", "%%capture"}
    return "".join(_comment(line) if everything or _MAGIC.match(line) else line for line in lines)


def module_of(cells: Sequence[str], index: int) -> tuple[str, int]:
    """Return the text of a module made of all cells, and the line at which the cell at `index` begins in it.

    A module is loaded where nobody looks at results, so that of all cells only imports, definitions and constants stay.
    """
    texts = [_only_definitions(without_magics(cell)) for cell in cells]
    first = sum(len(lines_of(text)) for text in texts[:index])
    return "".join(texts), first


def _only_definitions(cell: str) -> str:
    if cell and not cell.endswith(("\n", "\r")):
        cell += "\n"
    try:
        tree = parse_source(cell, "a cell")
    except TargetError:
        return "".join(map(_comment, lines_of(cell)))
    lines = lines_of(cell)
    for statement in tree.body:
        if not _stays(statement):
            for number in range(statement.lineno - 1, statement.end_lineno or statement.lineno):
                lines[number] = _comment(lines[number])
    return "".join(lines)


def _stays(statement: ast.stmt) -> bool:
    if isinstance(statement, (ast.Import, ast.ImportFrom, ast.ClassDef, FunctionNode)):
        return True
    assigned = isinstance(statement, (ast.Assign, ast.AnnAssign))
    return assigned and not any(isinstance(node, (ast.Call, ast.Await)) for node in ast.walk(statement))


def _comment(line: str) -> str:
    return f"# {line}"
