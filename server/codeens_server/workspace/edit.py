"""The one edit that puts a replacement into its file, and the module that a sandbox gets with it."""

from __future__ import annotations

import ast
import difflib
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

from codeens_sandbox_backends.programs import Definition, ModuleSource, Program
from codeens_server.domain.measurement import DiffSize
from codeens_server.domain.target import Replacement, Target
from codeens_server.errors import ChangedError, InputError
from codeens_server.workspace.find import site_called
from codeens_server.workspace.functions import FunctionSite, bound_names, functions_in, same_code, top_line
from codeens_server.workspace.indent import indent
from codeens_server.workspace.text import current_source, indentation_of, lines_of, newline_of, parse_source, snapshot

_WORD = re.compile(r"\w+")
_READS_VARIABLES = re.compile(r"\b(?:environb?|getenvb?)\b")
_VARIABLE = re.compile(r"""["']([A-Z][A-Z0-9_]+)["']""")
_NEEDED = frozenset({"HOME", "PATH", "TZ", "TMPDIR", "LANG", "LANGUAGE", "LC_ALL", "PYTHONPATH", "PYTHONHASHSEED"})
"""What the interpreter and the sandbox themselves read."""
_MOST_VARIABLES = 6


class ConflictError(InputError):
    """The replacement brings a name that the module already uses for something else."""


class LineEdit(NamedTuple):
    """Lines `start` to `end` (from 0, `end` excluded) of a text are replaced by `text`."""

    start: int
    end: int
    text: str


def splice(source: str, target: Target, replacement: Replacement) -> str:
    """Put the replacement in place of the target in a module's text; all other characters stay as they are.

    Imports that the module has already, and helpers equal to its own, are not added again.

    Raises:
        ConflictError: an import or a helper would rebind a name of the module.
        TargetError: `source` does not parse.
    """
    return edited(source, line_edits(source, target, replacement))


def edited(source: str, edits: list[LineEdit]) -> str:
    """Make edits, which are in the order of the file, in a text."""
    lines = lines_of(source)
    for edit in reversed(edits):
        lines[edit.start : edit.end] = [edit.text]
    return "".join(lines)


def line_edits(source: str, target: Target, replacement: Replacement) -> list[LineEdit]:
    """Return the edits that `splice` makes, in the order of the file; none of them touches another.

    Raises:
        ConflictError: see `splice`.
        TargetError: see `splice`.
    """
    lines = lines_of(source)
    if replacement.module is not None:
        return [LineEdit(0, len(lines), replacement.module)]
    tree = parse_source(source, target.path)
    newline = newline_of(source)
    site = _site(tree, target)
    helpers = _new_helpers(tree, replacement.helpers, target)
    imports = _new_imports(tree, replacement.imports)

    body = indent(replacement.function.strip("\n"), indentation_of(lines[site.line - 1]), newline)
    if not lines[site.end_line - 1].endswith(("\n", "\r")):
        body = body.rstrip("\r\n")
    edits = [_import_edit(tree, lines, imports, newline)] if imports else []
    if helpers:
        at = _above_comments(lines, top_line(tree, site) - 1)
        text = "".join(indent(helper.strip("\n"), "", newline) + newline * 2 for helper in helpers)
        edits.append(LineEdit(at, at, text))
    edits.append(LineEdit(site.line - 1, site.end_line, body))
    return sorted(edits, key=lambda edit: edit.start)


def _site(tree: ast.Module, target: Target) -> FunctionSite:
    for site in functions_in(tree):
        if site.line == target.line and site.qualname == target.qualname:
            return site
    message = f"{target.qualname} is no longer at line {target.line} of {target.path}; run again."
    raise ChangedError(message)


def _new_helpers(tree: ast.Module, helpers: tuple[str, ...], target: Target) -> list[str]:
    existing = {name: node for node in tree.body for name in bound_names(node)}
    new: list[str] = []
    for helper in helpers:
        nodes = parse_source(helper, "a helper of the candidate").body
        clashes = [name for node in nodes for name in bound_names(node) if name in existing]
        if not clashes:
            new.append(helper)
        elif not all(
            same_code(ast.unparse(existing[name]), ast.unparse(node)) for node in nodes for name in bound_names(node)
        ):
            message = f"it redefines {clashes[0]}, which {Path(target.path).name} has already"
            raise ConflictError(message)
    return new


def _new_imports(tree: ast.Module, imports: tuple[str, ...]) -> list[str]:
    present = {ast.unparse(part) for node in tree.body for part in _import_parts(node)}
    bound = {
        name for node in tree.body if not isinstance(node, (ast.Import, ast.ImportFrom)) for name in bound_names(node)
    }
    imported = {
        name: ast.unparse(part) for node in tree.body for part in _import_parts(node) for name in bound_names(part)
    }
    new: list[str] = []
    for text in imports:
        for part in (
            part for node in parse_source(text, "an import of the candidate").body for part in _import_parts(node)
        ):
            line = ast.unparse(part)
            if line in present or line in new:
                continue
            for name in bound_names(part):
                if name in bound or (name in imported and imported[name] != line):
                    message = f"its `{line}` would rebind {name}, which the module uses for something else"
                    raise ConflictError(message)
            new.append(line)
    return new


def _import_parts(node: ast.stmt) -> list[ast.stmt]:
    """Return an import statement as statements of one name each."""
    if isinstance(node, ast.Import):
        return [ast.Import(names=[alias]) for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [ast.ImportFrom(module=node.module, names=[alias], level=node.level) for alias in node.names]
    return []


def _import_edit(tree: ast.Module, lines: list[str], imports: list[str], newline: str) -> LineEdit:
    future = [line for line in imports if line.startswith("from __future__")]
    plain = [line for line in imports if not line.startswith("from __future__")]
    last = 0
    for node in tree.body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not isinstance(node, (ast.Import, ast.ImportFrom)) and not (is_docstring and last == 0):
            break
        last = node.end_lineno or node.lineno
    if last == 0:
        last = _after_header(lines)
    first_gap = newline if last and not lines[last - 1].endswith(("\n", "\r")) else ""
    has_imports = any(isinstance(node, (ast.Import, ast.ImportFrom)) for node in tree.body[:2])
    gap = "" if has_imports else newline
    block = "".join(line + newline for line in [*future, *plain])
    return LineEdit(last, last, first_gap + (gap if last else "") + block + gap)


def _after_header(lines: list[str]) -> int:
    """Return the line past the shebang and the coding comment."""
    count = 0
    while count < min(2, len(lines)) and lines[count].startswith("#"):
        count += 1
    return count


def _above_comments(lines: list[str], at: int) -> int:
    while at > 0 and lines[at - 1].startswith("#"):
        at -= 1
    return at


def apply_edit(target: Target, replacement: Replacement) -> None:
    """Write the replacement into the target's file in one step, keeping newlines, encoding and permissions.

    Raises:
        ChangedError: the file changed since the target was found; nothing is written.
        ConflictError: see `splice`.
    """
    source = current_source(target)
    path = Path(target.path).resolve()
    data = source.encode(splice(source.text, target, replacement))
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        shutil.copymode(path, temporary)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def unified_diff(target: Target, replacement: Replacement) -> str:
    """Return the edit as a unified diff with paths relative to the workspace, as `git apply` takes it.

    Raises:
        ChangedError: the file as it was is not at hand any more.
    """
    before = snapshot(target).text
    name = os.path.relpath(target.path, target.root)
    return "".join(_diff(before, splice(before, target, replacement), f"a/{name}", f"b/{name}"))


def diff_size(target: Target, replacement: Replacement) -> DiffSize:
    """Return the lines that the edit adds and removes, in the file as it was when the target was found."""
    before = snapshot(target).text
    changes = list(_diff(before, splice(before, target, replacement), "a", "b"))[2:]
    return DiffSize(
        added=sum(line.startswith("+") for line in changes), removed=sum(line.startswith("-") for line in changes)
    )


def _diff(before: str, after: str, old: str, new: str) -> list[str]:
    lines: list[str] = []
    for line in difflib.unified_diff(lines_of(before), lines_of(after), old, new):
        lines.append(line)
        if not line.endswith(("\n", "\r")):
            lines.append("\n\\ No newline at end of file\n")
    return lines


def program_for(target: Target, replacement: Replacement | None, *, holder: str | None = None) -> Program:
    """Return the target's module with the replacement in it; with None, as it stands.

    Args:
        target: the function.
        replacement: what stands in its place.
        holder: what must stand under the target's name; see `Definition`.

    Raises:
        ChangedError: the file as it was is not at hand any more.
        ConflictError: the replacement would rebind a name of the module.
        TargetError: a whole module does not hold the function.
    """
    text = snapshot(target).text
    edits = [] if replacement is None else line_edits(text, target, replacement)
    own = () if replacement is None else _own_names(text, target, replacement)
    whole = None if replacement is None else replacement.module
    folders = dict.fromkeys((target.import_root, target.root))
    return Program(
        module=target.module,
        qualname=target.qualname,
        modules=(
            ModuleSource(name=target.module, source=edited(text, edits), path=target.path),
            *(target.modules if whole is None else ()),
        ),
        sys_path=tuple(folders),
        own=own,
        definition=None if target.kind == "nested" else _definition(target, edits, whole, holder),
        variables=_variables_read(text, target),
    )


def _variables_read(text: str, target: Target) -> tuple[str, ...]:
    """Return names in a file that environment variables have, where the target or a function that it names reads any.

    They are those of the file as it stands, whatever replaces the target: all programs are tried alike.
    """
    if not _READS_VARIABLES.search(text):
        return ()
    named = set(_WORD.findall(target.source))
    functions = (site.node for site in functions_in(parse_source(text, target.path)))
    called = (ast.unparse(node) for node in functions if node.name in named)
    if not any(map(_READS_VARIABLES.search, (target.source, *called))):
        return ()
    found = (name for name in _VARIABLE.findall(text) if name not in _NEEDED)
    return tuple(dict.fromkeys(found))[:_MOST_VARIABLES]


def _definition(target: Target, edits: list[LineEdit], whole: str | None, holder: str | None) -> Definition:
    """Return where the target stands once the edits are made, or in the whole module that comes in place of its own."""
    if whole is not None:
        site = site_called(target.qualname, parse_source(whole, target.path), Path(target.path))
        return Definition(line=site.line, end_line=site.end_line, holder=holder)
    first, last = target.line, target.end_line
    for edit in edits:
        grown = len(lines_of(edit.text)) - (edit.end - edit.start)
        last += grown
        first += 0 if edit.start == target.line - 1 and edit.end == target.end_line else grown
    return Definition(line=first, end_line=last, holder=holder)


def _own_names(text: str, target: Target, replacement: Replacement) -> tuple[str, ...]:
    """Return the names that a replacement brings along, and that its module has not."""
    tree = parse_source(text, target.path)
    taken = {name for node in tree.body for name in bound_names(node)}
    taken |= {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}
    brought = [*replacement.helpers, *replacement.imports]
    nodes = [node for part in brought for node in parse_source(part, "a helper of the candidate").body]
    return tuple(dict.fromkeys(name for node in nodes for name in bound_names(node) if name not in taken))
