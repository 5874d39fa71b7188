"""Reads Python that may be broken or hostile, without running it."""

from __future__ import annotations

import ast
import warnings


def parsed(source: str) -> ast.Module | str:
    """The syntax tree, or why there is none. Never raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except SyntaxError as error:
        return f"syntax error: {error.msg} (line {error.lineno or 1})"
    except (RecursionError, MemoryError, ValueError) as error:
        return f"it can not be parsed: {error}"
