"""Tasks that ask for a script: what a model is shown, and the script in its reply."""

from __future__ import annotations

import ast
import re

from codeens_server.syntax.parsing import parse

ENTRY = "main"
_HOW = "Read the input from standard input and print the answer to standard output."
_FENCE = re.compile(r"^(`{3,}|~{3,})[^\n`]*\n(.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)


def module_for(prompt: str) -> str:
    """Return a module whose `main` is to be written; models are asked for functions, and a script is one."""
    docstring = ast.unparse(ast.Constant(f"{prompt.strip()}\n\n{_HOW}"))
    return f"def {ENTRY}() -> None:\n    {docstring}\n"


def script_of(reply: str, source: str) -> str:
    """Return the script that a reply holds, empty where there is none.

    Args:
        reply: all that the model said.
        source: the definition of `main` that was found in it, with what it needs; empty: none was found.
    """
    if script := _script_in(reply):
        return script
    return f"{source.rstrip()}\n\n\nif __name__ == '__main__':\n    {ENTRY}()\n" if source.strip() else ""


def _script_in(reply: str) -> str:
    """Return the longest part that does something when it is run."""
    blocks = [match[2] for match in _FENCE.finditer(reply)] or [reply]
    return max(filter(_does_something, blocks), key=len, default="")


def _does_something(text: str) -> bool:
    tree = parse(text)
    return isinstance(tree, ast.Module) and any(map(_is_work, tree.body))


def _is_work(node: ast.stmt) -> bool:
    """Return whether a statement is more than a definition: a loop, a test of `__name__`, a call on its own."""
    match node:
        case ast.For() | ast.While() | ast.If() | ast.With() | ast.Try():
            return True
        case ast.Expr(value=ast.Call()):
            return True
        case _:
            return False
