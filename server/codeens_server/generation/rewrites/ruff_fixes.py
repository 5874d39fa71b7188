"""Rules of ruff that repair what they find."""

from __future__ import annotations

import ast
import itertools
import logging
import subprocess
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from pathlib import Path

import msgspec
from msgspec import Struct

from codeens_server.errors import InputError, RunError
from codeens_server.generation.rewrites.code_map import CodeMap
from codeens_server.generation.rewrites.python_versions import Version, oldest_python
from codeens_server.generation.rewrites.ruff_proofs import Finding, is_proven
from codeens_server.generation.rewrites.rule import Draft, repeated
from codeens_server.syntax.parsing import ParseFailure, parse
from codeens_server.workspace.edit import splice
from codeens_server.workspace.functions import FunctionSite, functions_in, same_code
from codeens_server.workspace.indent import dedent
from codeens_server.workspace.text import lines_of

FAMILIES = {
    "PERF": "needless work in loops",
    "C4": "comprehensions written the long way round",
    "FURB": "code for which the standard library has a shorter and quicker form",
    "SIM": "conditions and blocks that can be simpler",
    "PIE": "needless code, and several tests that one call can make",
    "RET": "needless branches and assignments around return",
    "UP": "code that newer versions of Python let one write more simply",
}
TIMEOUT_S = 30.0
DEFAULT_VERSION: Version = (3, 10)
"""Where the project does not say which Python it runs on: the oldest that is still maintained."""
_log = logging.getLogger(__name__)


class _Place(Struct, frozen=True):
    """Both are 1-based."""

    row: int
    column: int


class _Edit(Struct, frozen=True):
    content: str
    location: _Place
    end_location: _Place


class _Fix(Struct, frozen=True):
    applicability: str
    """`safe` or `unsafe`; versions of ruff write differently what is only shown."""
    edits: tuple[_Edit, ...]


class _Diagnostic(Struct, frozen=True):
    location: _Place
    end_location: _Place
    code: str | None = None
    fix: _Fix | None = None


class RuffFamily:
    """The autofixes of one family of ruff's rules, in the function only, as far as `ruff_proofs` lets them pass."""

    def __init__(self, family: str) -> None:
        self.name = f"ruff:{family}"
        self.rationale = f"ruff's {family} autofixes: {FAMILIES[family]}."
        self._family = family

    def apply(self, draft: Draft) -> Draft | None:
        """See `Rule.apply`. ruff sees the whole file, so that names resolve.

        Raises:
            RunError: ruff is not installed beside codeens.
        """
        return repeated(self._once, draft)

    def _once(self, draft: Draft) -> Draft | None:
        try:
            before = _as_it_stands(draft)
        except InputError:
            return None
        version = oldest_python(Path(draft.target.path)) or DEFAULT_VERSION
        mine = [found for found in _diagnostics(before, version) if (found.code or "").startswith(self._family)]
        if not mine:  # to find the function, and to read it, takes much longer than to ask ruff once for all families
            return None
        site = _same_function(draft, before)
        if site is None or draft.subject is None or draft.subject.looks_at_names:
            return None
        code = CodeMap(draft.subject, first_row=site.line, margin=site.node.col_offset)
        edits: list[_Edit] = []
        for found in mine:
            is_apart = found.fix and not _overlap([*edits, *found.fix.edits])
            if found.fix and is_apart and _is_inside(found, site) and _is_proven(found, found.fix, code):
                edits += found.fix.edits
        return _taken_over(draft, before, _edited(before, edits)) if edits else None


def _as_it_stands(draft: Draft) -> str:
    """Return the file with the draft's function in it.

    Raises:
        InputError: it does not fit there.
    """
    is_new = draft.function == draft.target.source and not draft.imports
    return draft.source if is_new else splice(draft.source, draft.target, draft.replacement())


def _overlap(edits: Sequence[_Edit]) -> bool:
    """Return whether two of the edits touch the same text."""
    places = sorted((_order(edit.location), _order(edit.end_location)) for edit in edits)
    return any(one[1] > other[0] or one == other for one, other in itertools.pairwise(places))


def _order(place: _Place) -> tuple[int, int]:
    return place.row, place.column


def _is_inside(found: _Diagnostic, site: FunctionSite) -> bool:
    return site.line <= found.location.row and found.end_location.row <= site.end_line


def _is_proven(found: _Diagnostic, fix: _Fix, code: CodeMap) -> bool:
    if fix.applicability not in {"safe", "unsafe"}:
        return False
    start, end = found.location, found.end_location
    node = code.smallest((start.row, start.column), (end.row, end.column))
    written = "".join(edit.content for edit in fix.edits)
    return is_proven(found.code or "", Finding(code.subject, node, written), is_safe=fix.applicability == "safe")


def _edited(text: str, edits: Sequence[_Edit]) -> str:
    """Return the text after edits that do not overlap."""
    starts = [0, *itertools.accumulate(map(len, lines_of(text)))]
    for edit in sorted(edits, key=lambda edit: _order(edit.location), reverse=True):
        first = starts[edit.location.row - 1] + edit.location.column - 1
        last = starts[edit.end_location.row - 1] + edit.end_location.column - 1
        text = text[:first] + edit.content + text[last:]
    return text


_OLDEST_KNOWN: Version = (3, 7)
"""To ruff. For an older Python nothing is written in the words of a newer one."""


@lru_cache(maxsize=8)
def _diagnostics(source: str, version: Version) -> tuple[_Diagnostic, ...]:
    """Return what the families find in the source, which most of them see as it is; nothing if ruff failed."""
    options = ["--isolated", "--no-cache", "--quiet", "--exit-zero", "--preview", "--output-format", "json"]
    families = [family for family in FAMILIES if version >= _OLDEST_KNOWN or family != "UP"]
    oldest = "py{}{}".format(*max(version, _OLDEST_KNOWN))
    command = [_ruff(), "check", *options, "--target-version", oldest, "--select", ",".join(families)]
    with tempfile.TemporaryDirectory() as empty:
        try:
            done = subprocess.run(
                [*command, "--stdin-filename", "module.py", "-"],
                input=source.encode(),
                capture_output=True,
                cwd=empty,
                timeout=TIMEOUT_S,
                check=False,
            )
        except (subprocess.TimeoutExpired, UnicodeEncodeError) as error:
            _log.warning("ruff did not work on the file: %s", error)
            return ()
    if done.returncode != 0:
        _log.warning("ruff failed with status %d: %s", done.returncode, done.stderr.decode(errors="replace").strip())
        return ()
    return msgspec.json.decode(done.stdout, type=tuple[_Diagnostic, ...])


def _ruff() -> str:
    try:
        return str(import_module("ruff").find_ruff_bin())  # it has no types
    except FileNotFoundError as error:
        message = "ruff's program is missing beside codeens; install codeens again."
        raise RunError(message) from error


def _taken_over(draft: Draft, before: str, after: str) -> Draft | None:
    """Return the draft with the function as it is in the repaired file, and the imports that it needs from there."""
    site = _same_function(draft, after)
    old_tree, new_tree = parse(before), parse(after)
    if site is None or isinstance(old_tree, ParseFailure) or isinstance(new_tree, ParseFailure):
        return None
    lines = lines_of(after)[site.line - 1 : site.end_line]
    function = dedent("".join(lines))
    if same_code(function, draft.function):
        return None
    used = {node.id for node in ast.walk(site.node) if isinstance(node, ast.Name)}
    known = set(_imports(old_tree))
    bound = {name for name, _ in known}
    added = [line for name, line in _imports(new_tree) if (name, line) not in known and name in used - bound]
    return draft.changed(function, added)


def _same_function(draft: Draft, text: str) -> FunctionSite | None:
    """Find the target in another text of its file: the same one, in order, of the functions of its name."""
    original, changed = parse(draft.source), parse(text)
    if isinstance(original, ParseFailure) or isinstance(changed, ParseFailure):
        return None
    target = draft.target
    first, after = (
        [one for one in functions_in(tree) if one.qualname == target.qualname] for tree in (original, changed)
    )
    place = next((number for number, site in enumerate(first) if site.line == target.line), None)
    return after[place] if place is not None and len(after) == len(first) else None


def _imports(tree: ast.Module) -> list[tuple[str, str]]:
    """Return each name that an import at the top of the file binds, with a statement that imports just that."""
    found: list[tuple[str, str]] = []
    for node in tree.body:
        if isinstance(node, ast.Import):
            found += [
                (alias.asname or alias.name.split(".")[0], ast.unparse(ast.Import([alias]))) for alias in node.names
            ]
        elif isinstance(node, ast.ImportFrom):
            found += [
                (alias.asname or alias.name, ast.unparse(ast.ImportFrom(node.module, [alias], node.level)))
                for alias in node.names
            ]
    return found
