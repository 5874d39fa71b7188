"""Makes a script of what is to be run beside a piece of code: files, earlier pieces, tests, modules of a workspace."""

from __future__ import annotations

import ast
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from msgspec import Struct

from codeens_sandbox_backends.jobs import StdioRun
from codeens_server.errors import Hint, InputError
from codeens_server.syntax.parsing import ParseFailure, parse

_LONGEST_VALUE = 20_000
_FRAME = """\
import os, sys, tempfile, traceback
def _codeens_put(files):
    for name, text in files.items():
        folder = os.path.dirname(name)
        if folder:
            os.makedirs(folder, exist_ok=True)
        with open(name, "w", encoding="utf-8") as file:
            file.write(text)
def _codeens_run(source, name, shown, scope):
    import ast
    with open(name, "w", encoding="utf-8") as file:
        file.write(source)
    path = os.path.abspath(name)
    try:
        tree = ast.parse(source, path)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, path, "exec"), scope)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), path, "eval"), scope)
            if shown and value is not None:
                text = repr(value)
                sys.stdout.flush()
                sys.stdout.write({mark!r} + text[:{most}] + ("…" if len(text) > {most} else ""))
    except Exception as error:
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename != path:
            trace = trace.tb_next
        sys.stdout.flush()
        traceback.print_exception(type(error), error, trace)
        sys.stderr.flush()
        os._exit(1)
os.chdir(tempfile.mkdtemp())
sys.path[:0] = [os.getcwd(), *{paths!r}]
_codeens_put({files!r})
_scope = {{"__name__": "__main__", "__builtins__": __builtins__}}
_out, sys.stdout = sys.stdout, open(os.devnull, "w")
for _piece in {before!r}:
    _codeens_run(_piece, "earlier_code.py", False, _scope)
sys.stdout = _out
"""
_PIECE = "_codeens_run({source!r}, 'given_code.py', True, _scope)\n"
_PYTEST = """\
_code = {source!r}
if _code.strip():
    _codeens_run(_code, "given_code.py", False, _scope)
import pytest
sys.stdout.flush()
sys.exit(pytest.main([*{tests!r}, "-q", "-p", "no:cacheprovider", "--rootdir", os.getcwd(), "--tb=short"]))
"""


class Beside(Struct, frozen=True, kw_only=True):
    """What a script finds, and how it is run."""

    files: Mapping[str, str] = {}
    """Relative names and their texts, written into the folder that the code runs in."""
    before: Sequence[str] = ()
    """Earlier pieces of code, run first in the same module, unseen."""
    paths: Sequence[str] = ()
    """Folders whose modules can be imported."""
    pytest: Sequence[str] = ()
    """Test files to run: of `files`, or below one of `paths`."""

    def __post_init__(self) -> None:
        """See that names stay inside of the folder.

        Raises:
            InputError: one does not (code `file_name`).
        """
        for name in self.files:
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or name in ("", ".", "given_code.py", "earlier_code.py"):
                message = f"{name!r} cannot be the name of a file beside the code."
                raise InputError(message, code="file_name", hint=Hint("fix", "Give a relative name, as pkg/mod.py."))

    def script(self, source: str) -> Marked:
        """Return the whole script, with the mark after which the last expression's value is printed."""
        mark = f"\n{secrets.token_hex(8)}\n"
        frame = _FRAME.format(
            mark=mark, most=_LONGEST_VALUE, paths=list(self.paths), files=dict(self.files), before=list(self.before)
        )
        if not self.pytest:
            return Marked(source=frame + _PIECE.format(source=source), mark=mark)
        tests = [self._test(name) for name in self.pytest]
        return Marked(source=frame + _PYTEST.format(source=source, tests=tests), mark=mark)

    def _test(self, name: str) -> str:
        file, colons, rest = name.partition("::")
        if file in self.files:
            return name
        found = next((path for folder in self.paths if (path := Path(folder) / file).exists()), None)
        if found is None:
            message = f"there is no test file {file!r}."
            raise InputError(
                message, code="file_name", hint=Hint("fix", "Give it among the files, or of the workspace.")
            )
        return f"{found}{colons}{rest}"


class Marked(Struct, frozen=True):
    """A script that prints a value after a mark that the code cannot know."""

    source: str
    mark: str

    def value_of(self, run: StdioRun) -> tuple[str | None, StdioRun]:
        """Return the value that was printed, as Python shows it, and the run without it."""
        from msgspec.structs import replace

        out, mark, value = run.stdout.rpartition(self.mark)
        return (value, replace(run, stdout=out)) if mark else (None, run)


def ends_with_expression(source: str) -> bool:
    """Return whether the last statement of a script is an expression, whose value people want to see."""
    tree = parse(source)
    if isinstance(tree, ParseFailure):
        return False
    body = tree.body
    last = body[-1].value if body and isinstance(body[-1], ast.Expr) else None
    return last is not None and not (isinstance(last, ast.Call) and ast.unparse(last.func) == "print")
