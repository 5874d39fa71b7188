"""The code cells of a notebook as one module, line for line: a function of one cell finds what others define."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from codeens_server.errors import TargetError
from codeens_server.workspace.functions import FunctionNode
from codeens_server.workspace.text import lines_of, parse_source

_MAGIC = re.compile(r"[ \t]*[%!?]|.*\?[ \t]*$")
_CELL_MAGIC = re.compile(r"[ \t]*%%")


def without_magics(cell: str) -> str:
    """A cell with what only IPython understands made comments; of a cell in another language nothing stays."""
    lines = lines_of(cell)
    foreign = next((line for line in lines if line.strip()), "")
    everything = bool(_CELL_MAGIC.match(foreign)) and foreign.split()[0] not in {"%%time", "%%timeit", "%%capture"}
    return "".join(_comment(line) if everything or _MAGIC.match(line) else line for line in lines)


def module_of(cells: Sequence[str], index: int) -> tuple[str, int]:
    """The text of a module made of all cells, and the line at which the cell at `index` begins in it.

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
