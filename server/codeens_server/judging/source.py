"""Reads Python that may be broken or hostile, without running it."""

from __future__ import annotations

import ast

from codeens_server.parsing import parse_module


def parsed(source: str) -> ast.Module | str:
    """The syntax tree, or why there is none. Never raises."""
    try:
        return parse_module(source)
    except SyntaxError as error:
        return f"syntax error: {error.msg} (line {error.lineno or 1})"
    except (RecursionError, MemoryError, ValueError) as error:
        return f"it cannot be parsed: {error}"
