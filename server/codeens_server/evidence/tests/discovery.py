"""Which test files are likely to reach the target, most likely first, by names and imports alone.

The files are those that pytest would collect. The index only orders and bounds the work: what really reaches the target
is found by running (see `running.py`).
"""

from __future__ import annotations

import ast
import configparser
import fnmatch
import os
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from codeens_server.domain.target import Target
from codeens_server.errors import EvidenceError, InputError
from codeens_server.evidence.tests.import_graph import FileFacts, ImportGraph, facts_of, imports_of
from codeens_server.files import read_regular, work_bound
from codeens_server.syntax.parsing import ParseFailure, parse
from codeens_server.workspace.roots import import_root, module_name
from codeens_server.workspace.text import read_source

_MAX_FILES_SEEN = 20_000
_MAX_ROOTS = 300
"""Folders of test files, the likely ones first, that modules of the workspace are looked up in."""
_MOST_BYTES = 1 << 20
_MAX_FILES_FOLLOWED = 1_500
_MAX_GUESSES = 10
_DEFAULT_PATTERNS = ("test_*.py", "*_test.py")
_SKIPPED_FOLDERS = frozenset({"node_modules", "build", "dist", "venv", "env", "site-packages", "__pycache__", "CVS"})
_BEFORE_PYPROJECT = (("pytest.ini", "pytest"), (".pytest.ini", "pytest"))
_AFTER_PYPROJECT = (("tox.ini", "pytest"), ("setup.cfg", "tool:pytest"))
_MAX_FOLDERS = 20_000


class Discovery(NamedTuple):
    """The test files to run, relative to the workspace, most likely first."""

    files: tuple[str, ...]
    left_out: int = 0
    """Likely files over the bound."""
    unread: int = 0
    """Files not looked at for want of time."""


def discover(target: Target, *, max_files: int = 40, max_seconds: float = 5.0) -> Discovery:
    """Rank the workspace's pytest files by what they import and name, and keep the likely ones.

    Files that hold the target's names as text are read first: reading is much quicker than parsing.
    """
    root = Path(target.root)
    is_over = work_bound(max_seconds)
    nearest = sorted(pytest_files(root, limit=_MAX_FILES_SEEN), key=lambda path: _nearness(path, target))
    held = _names_held(nearest, _Wanted.of(target), is_over=work_bound(max_seconds / 2))
    files = sorted(nearest, key=lambda path: -held.get(path, 0))
    index = _Index(target, files)
    scores: dict[Path, int] = {}
    for path in files:
        if is_over():
            break
        scores[path] = index.score(path) if held.get(path, 1) else index.score_unnamed(path)
    likely = [path for path in sorted(scores, key=lambda path: -scores[path]) if scores[path] > 0]
    chosen = likely or files[:_MAX_GUESSES]
    return Discovery(
        files=tuple(path.relative_to(root).as_posix() for path in chosen[:max_files]),
        left_out=max(0, len(chosen) - max_files),
        unread=len(files) - len(scores),
    )


def given_tests(target: Target, paths: Sequence[str]) -> tuple[str, ...]:
    """Return files, folders or node ids that the user gave, relative to the workspace.

    Raises:
        EvidenceError: one does not exist, or lies outside the workspace.
    """
    return tuple(_relative(target, text) for text in paths)


def refuse_unknown(root: Path, test: str) -> None:
    """See that a test that somebody named is in the workspace.

    Raises:
        InputError: there is no such file, or no such test in it.
    """
    file, *names = test.partition("[")[0].split("::")
    path = root / test.partition("::")[0]
    if not path.exists():
        message = f"There is no test file {file!r} in the workspace. Give a path below its folder."
        raise InputError(message, code="no_such_test")
    if not names or not path.is_file():
        return
    tree = parse(read_source(path).text)
    found = [] if isinstance(tree, ParseFailure) else [getattr(node, "name", "") for node in ast.walk(tree)]
    if names[-1] not in found:
        tests = ", ".join(dict.fromkeys(name for name in found if name.lower().startswith("test")))
        message = f"{file} has no test {names[-1]!r}. It has {tests or 'no tests'}."
        raise InputError(message, code="no_such_test")


def _relative(target: Target, text: str) -> str:
    name, separator, inside = text.partition("::")
    root = Path(target.root)
    found = next((path for path in (root / name, Path.cwd() / name) if path.exists()), None)
    if found is None:
        message = f"there are no tests at {name}. Give a path relative to {root} or an absolute one."
        raise EvidenceError(message)
    if not found.resolve().is_relative_to(root):
        message = f"the tests at {name} are outside the workspace {root}; codeens runs tests of the workspace only."
        raise EvidenceError(message)
    return found.resolve().relative_to(root).as_posix() + separator + inside


class _Wanted(NamedTuple):
    """What a test of the target would import and name."""

    modules: frozenset[str]
    function: str
    owner: str
    stem: str

    @classmethod
    def of(cls, target: Target) -> _Wanted:
        parts = target.qualname.split(".")
        from_root = Path(target.path).relative_to(target.root).with_suffix("").as_posix().replace("/", ".")
        return cls(
            modules=frozenset({target.module, from_root.removesuffix(".__init__")}),
            function=parts[-1],
            owner=parts[-2] if len(parts) > 1 and parts[-2] != "<locals>" else "",
            stem=Path(target.path).stem,
        )


def _names_held(files: Sequence[Path], wanted: _Wanted, *, is_over: Callable[[], bool]) -> dict[Path, int]:
    """Return how many of the wanted names each file holds as text, as far as there is time."""
    names = [name.encode() for name in (wanted.function, wanted.owner, wanted.stem) if name]
    held: dict[Path, int] = {}
    for path in files:
        if is_over():
            break
        text = _bytes_of(path)
        held[path] = sum(name in text for name in names)
    return held


def _bytes_of(path: Path) -> bytes:
    try:
        return read_regular(path, _MOST_BYTES)
    except OSError:
        return b""


class _Index:
    """Scores files; what is shared between them (packages, conftest files) is read once."""

    def __init__(self, target: Target, files: list[Path]) -> None:
        self._root = Path(target.root)
        self._wanted = _Wanted.of(target)
        roots = [
            Path(target.import_root),
            self._root,
            self._root / "src",
            *(import_root(path) for path in files[:_MAX_ROOTS]),
        ]
        self._graph = ImportGraph(tuple(dict.fromkeys(roots)), max_files=_MAX_FILES_FOLLOWED)
        self._conftests: dict[Path, frozenset[str]] = {}

    def score(self, path: Path) -> int:
        """Return how likely a file tests the target: 0 for one that neither imports nor names it."""
        wanted = self._wanted
        facts = facts_of(path, module=module_name(path))
        if any(_leads_straight(name, wanted) for name in facts.imports):
            score = 60
        elif self._graph.reaches(facts.imports | self._fixture_imports(path.parent), wanted.modules):
            score = 25
        else:
            return 5 if _names_all(facts, wanted) else 0
        score += 30 * (wanted.function in facts.names)
        score += 10 * (wanted.owner in facts.names)
        return score + 15 * (path.stem.removeprefix("test_").removesuffix("_test") == wanted.stem)

    def score_unnamed(self, path: Path) -> int:
        """Return the score of a file that holds none of the target's names: it may reach the target through others."""
        imports = imports_of(path, module=module_name(path)) | self._fixture_imports(path.parent)
        return 25 if self._graph.reaches(imports, self._wanted.modules) else 0

    def _fixture_imports(self, folder: Path) -> frozenset[str]:
        """Return what the conftest files of a folder and of those above it import."""
        if folder not in self._conftests:
            above = self._fixture_imports(folder.parent) if folder != self._root else frozenset[str]()
            conftest = folder / "conftest.py"
            own = imports_of(conftest, module=module_name(conftest)) if conftest.is_file() else frozenset[str]()
            self._conftests[folder] = above | own
        return self._conftests[folder]


def _names_all(facts: FileFacts, wanted: _Wanted) -> bool:
    return wanted.function in facts.names and (not wanted.owner or wanted.owner in facts.names)


def _leads_straight(name: str, wanted: _Wanted) -> bool:
    if any(name == module or name.startswith(f"{module}.") for module in wanted.modules):
        return True
    package, _, last = name.rpartition(".")
    return last in {wanted.function, wanted.owner} and any(
        module.startswith(f"{package}.") for module in wanted.modules
    )


def _nearness(path: Path, target: Target) -> tuple[bool, int, str]:
    """Order files named after the module first, then those that share more of the path."""
    stem = Path(target.path).stem
    shared = sum(1 for a, b in zip(path.parts, Path(target.path).parts, strict=False) if a == b)
    return stem not in path.stem, -shared, path.as_posix()


def python_files_of(root: Path) -> tuple[str, ...]:
    """Return the glob patterns of the project's own `python_files` setting, else pytest's default.

    Files are tried in pytest's order: pytest.ini, .pytest.ini, pyproject.toml, tox.ini, setup.cfg.
    """
    for name, section in (*_BEFORE_PYPROJECT, ("pyproject.toml", ""), *_AFTER_PYPROJECT):
        patterns = _from_toml(root / name) if not section else _from_ini(root / name, section)
        if patterns:
            return patterns
    return _DEFAULT_PATTERNS


def _from_ini(path: Path, section: str) -> tuple[str, ...]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(read_regular(path).decode("utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error):
        return ()
    return tuple(parser.get(section, "python_files", fallback="").split())


def _from_toml(path: Path) -> tuple[str, ...]:
    try:
        document: Mapping[str, Any] = tomllib.loads(read_regular(path).decode("utf-8"))
        tool = document.get("tool", {}).get("pytest", {})
        value = tool.get("ini_options", tool).get("python_files", ())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, AttributeError):
        return ()
    if isinstance(value, str):
        return tuple(value.split())
    if isinstance(value, list):
        return tuple(item for item in cast("list[object]", value) if isinstance(item, str))
    return ()


def pytest_files(root: Path, *, limit: int) -> list[Path]:
    """Return absolute paths of at most `limit` test files under `root`, in a fixed order.

    Hidden folders, virtual environments, build output and `node_modules` are not entered.
    """
    patterns = python_files_of(root)
    found: list[Path] = []
    for path in python_sources(root):
        if _matches(path, root, patterns):
            found.append(path)
            if len(found) >= limit:
                break
    return found


def _matches(path: Path, root: Path, patterns: tuple[str, ...]) -> bool:
    relative = "/" + path.relative_to(root).as_posix()
    return any(fnmatch.fnmatch(relative, f"*/{pattern}") for pattern in patterns)


def python_sources(root: Path) -> Iterator[Path]:
    """Yield the Python files under a folder in a fixed order; what `pytest_files` does not enter is not entered."""
    for entered, (folder, folders, files) in enumerate(os.walk(root)):
        if entered >= _MAX_FOLDERS:
            return
        here = Path(folder)
        folders[:] = sorted(name for name in folders if not _is_skipped(here / name))
        yield from (here / name for name in sorted(files) if name.endswith(".py") and (here / name).is_file())


def _is_skipped(folder: Path) -> bool:
    name = folder.name
    if name.startswith(".") or name.endswith(".egg-info") or name in _SKIPPED_FOLDERS:
        return True
    return (folder / "pyvenv.cfg").exists()
