"""Whether two definitions are the same code to the interpreter, so that a race between them could only show noise."""

from __future__ import annotations

import ast
from types import CodeType
from typing import Any, cast

from codeens_server.domain.target import Replacement, Target
from codeens_server.syntax.parsing import ParseFailure, compiled, parse

SAME = "same bytecode, same speed"


def same_bytecode(target: Target, replacement: Replacement) -> bool:
    """Return whether a replacement compiles to the bytecode and the constants of the target, line numbers aside.

    Docstrings and annotations do not count; decorators and defaults do, and what comes beside the function does: an
    import may give a name another meaning.
    """
    if replacement.imports or replacement.helpers or replacement.module is not None:
        return False
    one, other = _essence(target.source), _essence(replacement.function)
    return one is not None and one == other


def _essence(text: str) -> tuple[Any, ...] | None:
    """Return what decides how fast a definition's calls are; None of a text that is not one definition."""
    tree = parse(text)
    if isinstance(tree, ParseFailure) or len(tree.body) != 1:
        return None
    function = tree.body[0]
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return None
    for node in ast.walk(function):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            _strip(node)
    code = compiled(tree)
    if isinstance(code, ParseFailure):
        return None
    around = [*function.decorator_list, *function.args.defaults, *function.args.kw_defaults]
    return tuple(ast.dump(node) if node else "" for node in around), _plain(_inner(code))


def _strip(function: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    """Take the docstring and the annotations of the signature away."""
    if ast.get_docstring(function, clean=False) is not None:
        function.body = function.body[1:] or [ast.copy_location(ast.Pass(), function)]
    function.returns = None
    for node in ast.walk(function.args):
        if isinstance(node, ast.arg):
            node.annotation = None


def _inner(code: CodeType) -> CodeType:
    """Return the code of the function that a module's code defines; those of defaults and decorators come before."""
    return [one for one in code.co_consts if isinstance(one, CodeType)][-1]


def _plain(constant: object) -> object:
    """Return a constant such that 1, 1.0 and True differ, and code without its line numbers and its file."""
    if isinstance(constant, CodeType):
        names = (constant.co_name, constant.co_names, constant.co_varnames, constant.co_freevars, constant.co_cellvars)
        counts = (constant.co_argcount, constant.co_posonlyargcount, constant.co_kwonlyargcount, constant.co_flags)
        handlers = getattr(constant, "co_exceptiontable", b"")
        return names, counts, constant.co_code, handlers, tuple(map(_plain, constant.co_consts))
    if isinstance(constant, tuple):
        return tuple(map(_plain, cast("tuple[object, ...]", constant)))
    return type(constant).__name__, repr(constant)
