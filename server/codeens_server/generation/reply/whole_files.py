"""Reads a change of a whole file as one candidate: the target, and what it uses of what was changed beside it."""

from __future__ import annotations

import ast
from typing import NamedTuple

from codeens_server.domain.target import Replacement
from codeens_server.generation.reply.python_text import names_of, statements_of
from codeens_server.syntax.parsing import ParseFailure, parse
from codeens_server.workspace.functions import FunctionSite, functions_in, same_code
from codeens_server.workspace.indent import dedented
from codeens_server.workspace.text import lines_of


class FileChange(NamedTuple):
    """A changed module, read for one function of it."""

    text: str
    """What stands at its top, then the function at the left margin."""
    others: tuple[str, ...]
    """Qualified names of other functions that were changed or are new."""


def changed_module(before: str, after: str, qualname: str) -> FileChange | None:
    """Return the change of a module as it is about one function; None where the changed module does not have it."""
    old, new = parse(before), parse(after)
    if isinstance(old, ParseFailure) or isinstance(new, ParseFailure):
        return None
    sites = {site.qualname: site for site in functions_in(new)}
    if (own := sites.get(qualname)) is None:
        return None
    lines = lines_of(after)
    top = [each for each in statements_of(after) if not _holds(each.node, own)]
    function = dedented("".join(lines[own.line - 1 : own.end_line]))
    known = {site.qualname: ast.unparse(site.node) for site in functions_in(old)}
    others = tuple(
        name
        for name, site in sites.items()
        if name != qualname
        and not site.is_nested
        and not (name in known and same_code(known[name], ast.unparse(site.node)))
    )
    return FileChange("\n\n".join([*(each.text.strip("\n") for each in top), function]), others)


def left_out(change: FileChange, taken: Replacement) -> tuple[str, ...]:
    """Return a sentence about changed functions that the target does not use, if there are any."""
    used = {name for helper in taken.helpers for name in names_of(helper).bound}
    missing = [name for name in change.others if name not in used]
    return (f"left out, as the function alone is judged: the change of {', '.join(missing)}",) if missing else ()


def _holds(node: ast.stmt, site: FunctionSite) -> bool:
    return node.lineno <= site.node.lineno <= (node.end_lineno or node.lineno)
