"""Rules of ruff that repair what they find."""

from __future__ import annotations

import ast
import logging
import subprocess
import tempfile
from importlib import import_module

from codeens_server.domain import Target
from codeens_server.errors import InputError, RunError
from codeens_server.generation.rewrites.rule import Draft
from codeens_server.parsing import ParseFailure, parse
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
_log = logging.getLogger(__name__)


class RuffFamily:
    """The autofixes of one family of ruff's rules, preview and "unsafe" ones included: the judge verifies them."""

    def __init__(self, family: str) -> None:
        self.name = f"ruff:{family}"
        self.rationale = f"ruff's {family} autofixes: {FAMILIES[family]}."
        self._family = family

    def apply(self, draft: Draft) -> Draft | None:
        """See `Rule.apply`. The whole file is repaired, so that names resolve; only the function is taken from it.

        Raises:
            RunError: ruff is not installed beside codeens.
        """
        try:
            before = splice(draft.source, draft.target, draft.replacement())
        except InputError:
            return None
        after = _fixed(before, self._family)
        if after is None or after == before:
            return None
        return _taken_over(draft, before, after)


def _fixed(source: str, family: str) -> str | None:
    """Return the source after the family's fixes; None if ruff could not work on it."""
    options = ["--isolated", "--no-cache", "--quiet", "--exit-zero", "--fix", "--unsafe-fixes", "--preview"]
    command = [_ruff(), "check", *options, "--select", family, "--stdin-filename", "module.py", "-"]
    with tempfile.TemporaryDirectory() as empty:
        try:
            done = subprocess.run(
                command, input=source.encode(), capture_output=True, cwd=empty, timeout=TIMEOUT_S, check=False
            )
        except (subprocess.TimeoutExpired, UnicodeEncodeError) as error:
            _log.warning("ruff did not work on the file: %s", error)
            return None
    if done.returncode != 0:
        _log.warning("ruff failed with status %d: %s", done.returncode, done.stderr.decode(errors="replace").strip())
        return None
    return done.stdout.decode()


def _ruff() -> str:
    try:
        return str(import_module("ruff").find_ruff_bin())  # it has no types
    except FileNotFoundError as error:
        message = "ruff's program is missing beside codeens; install codeens again."
        raise RunError(message) from error


def _taken_over(draft: Draft, before: str, after: str) -> Draft | None:
    """Return the draft with the function as it is in the repaired file, and the imports that it needs from there."""
    old_tree, new_tree, original = parse(before), parse(after), parse(draft.source)
    if isinstance(old_tree, ParseFailure) or isinstance(new_tree, ParseFailure) or isinstance(original, ParseFailure):
        return None
    site = _same_function(draft.target, original, old_tree, new_tree)
    if site is None:
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


def _same_function(target: Target, original: ast.Module, old: ast.Module, new: ast.Module) -> FunctionSite | None:
    """Find the target in the repaired tree: the same one, in order, of the functions of its name."""
    first, before, after = (
        [site for site in functions_in(tree) if site.qualname == target.qualname] for tree in (original, old, new)
    )
    place = next((number for number, site in enumerate(first) if site.line == target.line), None)
    return after[place] if place is not None and len(before) == len(after) == len(first) else None


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
