"""Finds the functions that a change of a repository changes, each as it was, with what it is now as its candidate."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from codeens_sandbox_backends.programs import ModuleSource
from codeens_server.domain.target import Candidate, Replacement, Target
from codeens_server.errors import Hint, InputError, TargetError
from codeens_server.generation.reply.assemble import digest
from codeens_server.generation.reply.python_text import Statement, names_of, statements_of
from codeens_server.workspace.find import find_in_text, site_called
from codeens_server.workspace.functions import FunctionSite, functions_in, normalised, same_code
from codeens_server.workspace.git import git, git_bytes
from codeens_server.workspace.indent import dedent
from codeens_server.workspace.roots import place_of
from codeens_server.workspace.text import decoded, lines_of, parse_source, read_source

NOW = "now"
"""Id of what a function is after the change."""
AUTHOR = "change"
_MOST_BESIDE = 2_000_000
"""Characters of other changed modules that every job can carry."""


class ChangedFunction(NamedTuple):
    """A function that the change changes."""

    name: str
    """`path::qualname`, as it is now; the path relative to the repository."""
    line: int
    """Where it stands now."""
    target: Target | None
    """As it was; None where nothing can be held against it."""
    now: Candidate | None
    why: str = ""
    """Why not."""


class Changes(NamedTuple):
    """What a change is made of."""

    since: str
    """The commit that files are compared with."""
    root: Path
    """The repository."""
    functions: tuple[ChangedFunction, ...]
    added: tuple[str, ...]
    """Functions that are new, by name."""


class _ChangedFile(NamedTuple):
    name: str
    path: Path
    old_path: Path
    old: ast.Module
    """Without a statement where the file is new."""
    new: ast.Module
    """Without a statement where it is gone."""
    old_text: str
    new_text: str


def find_changes(folder: Path, base: str, files: Sequence[str] = ()) -> Changes:
    """Return the functions whose code the files of a repository have changed since it parted from a commit. Blocks.

    Comments and docstrings are no code, tests are left out, and of nested functions the outermost stands for all.

    Args:
        folder: in the repository.
        base: the commit, or a branch: what it got since both parted does not count.
        files: look at these alone; paths as git takes them.

    Raises:
        InputError: there is no repository, no such commit, no history that is shared with it, or no such file.
    """
    root = Path(git(folder, "rev-parse", "--show-toplevel").rstrip("\n"))
    since = _parted(folder, base)
    _refuse_absent(folder, since, base, files)
    changed: list[_ChangedFile] = []
    functions: list[ChangedFunction] = []
    for status, before, name in _statuses(folder, since, files):
        try:
            changed.append(_read(root, since, status, before, name))
        except TargetError as error:
            functions.append(ChangedFunction(name, 1, None, None, str(error)))
    known = _modules_before(changed)
    added: list[str] = []
    for file in changed:
        sites = {site.qualname: site for site in functions_in(file.new) if not site.is_nested}
        old = {site.qualname: site for site in functions_in(file.old) if not site.is_nested}
        added += [f"{file.name}::{name}" for name in sites if name not in old]
        functions += [
            _changed(file, root, old[name], site, known)
            for name, site in sites.items()
            if name in old and not same_code(_text(file.old_text, old[name]), _text(file.new_text, site))
        ]
    return Changes(since, root, tuple(functions), tuple(added))


def _parted(folder: Path, base: str) -> str:
    try:
        commit = git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}").strip()
    except InputError:
        message = f"there is no commit {base!r} in this repository."
        advice = "Name a branch or a commit that is here: git fetch brings what is not."
        raise InputError(message, code="no_commit", hint=Hint("fix", advice)) from None
    try:
        return git(folder, "merge-base", commit, "HEAD").strip()
    except InputError:
        message = f"this repository has no history that HEAD shares with {base}."
        advice = "Fetch it: git fetch --unshallow, or fetch-depth: 0 of actions/checkout."
        raise InputError(message, code="no_shared_history", hint=Hint("fix", advice)) from None


def _refuse_absent(folder: Path, since: str, base: str, files: Sequence[str]) -> None:
    """Refuse a file that is not there and was not either; one that the change takes away is a change."""
    for file in files:
        if not (folder / file).exists() and not git(folder, "ls-files", f"--with-tree={since}", "--", file):
            message = f"there is no file {file!r} in {folder}, and {base} has none."
            raise InputError(message, code="no_file", hint=Hint("fix", "Name files that are there, or leave them out."))


def _statuses(folder: Path, since: str, files: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield what became of each file of Python, the name that it had and the one that it has; tests are left out."""
    asked = ("diff", "--no-relative", "--no-ext-diff", "--name-status", "-M", "-z", since, "--", *files)
    fields = iter(git(folder, *asked).split("\0"))
    for status in filter(None, fields):
        before = next(fields)
        name = next(fields) if status[0] in "RC" else before
        if name.endswith(".py") and not is_test(Path(name)):
            yield status[0], before, name


def is_test(path: Path) -> bool:
    """Return whether a file holds tests, by its name."""
    return path.name.startswith("test_") or path.stem.endswith("_test") or path.name == "conftest.py"


def _read(root: Path, since: str, status: str, before: str, name: str) -> _ChangedFile:
    path = root / name
    new = read_source(path).text if status != "D" else ""
    old = "" if status == "A" else decoded(git_bytes(root, "show", f"{since}:{before}"), f"the earlier {before}").text
    return _ChangedFile(
        name=name,
        path=path,
        old_path=root / before,
        old=parse_source(old, f"the earlier {before}"),
        new=parse_source(new, name),
        old_text=old,
        new_text=new,
    )


def _modules_before(changed: Sequence[_ChangedFile]) -> tuple[ModuleSource, ...]:
    """Return the modules as they were, as far as every job can carry them."""
    found: list[ModuleSource] = []
    for file in changed:
        if file.old_text and sum(len(one.source) for one in found) + len(file.old_text) <= _MOST_BESIDE:
            module = place_of(file.old_path, file.old).module
            found.append(ModuleSource(name=module, source=file.old_text, path=str(file.old_path)))
    return tuple(found)


def _changed(
    file: _ChangedFile, root: Path, old: FunctionSite, new: FunctionSite, known: Sequence[ModuleSource]
) -> ChangedFunction:
    name = f"{file.name}::{new.qualname}"
    try:
        target = find_in_text(file.path, old.node.lineno, file.old_text, folder=root)
        site_called(new.qualname, file.new, file.path)
    except TargetError as error:
        return ChangedFunction(name, new.line, None, None, str(error))
    if target.body_missing:
        return ChangedFunction(name, new.line, None, None, "it had no body before")
    others = tuple(module for module in known if module.name != target.module)
    now = _candidate(_replacement(file, new))
    return ChangedFunction(name, new.line, replace(target, modules=others), now)


def _replacement(file: _ChangedFile, site: FunctionSite) -> Replacement:
    """Return the changed module, with what the function uses of what is new in it told apart."""
    function = _text(file.new_text, site)
    before = {normalised(one.text) for one in statements_of(file.old_text)}
    statements = statements_of(file.new_text)
    left = [one for one in statements if normalised(one.text) not in before and not _holds(one.node, site)]
    used, wanted = list[Statement](), {*names_of(function).used}
    while more := [one for one in left if wanted & names_of(one.text).bound]:
        used += more
        left = [one for one in left if one not in more]
        wanted |= {name for one in more for name in names_of(one.text).used}
    texts = [one.text.strip("\n") for one in statements if one in used]
    imports = [text for text in texts if text.startswith(("import ", "from "))]
    helpers = [text for text in texts if text not in imports]
    return Replacement(function=function, imports=tuple(imports), helpers=tuple(helpers), module=file.new_text)


def _candidate(replacement: Replacement) -> Candidate:
    return Candidate(
        id=NOW,
        model=AUTHOR,
        variant=NOW,
        source=replacement.source,
        replacement=replacement,
        digest=digest(replacement),
        cost_usd=0.0,
    )


def _text(source: str, site: FunctionSite) -> str:
    return dedent("".join(lines_of(source)[site.line - 1 : site.end_line]))


def _holds(node: ast.stmt, site: FunctionSite) -> bool:
    return node.lineno <= site.node.lineno <= (node.end_lineno or node.lineno)
