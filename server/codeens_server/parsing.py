"""The one way to Python's own parser, for text that may be broken or hostile; it runs nothing of it."""

from __future__ import annotations

import ast
import threading
import warnings

UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
"""All that parsing raises for a text that it refuses."""

# Python before 3.11.8 and 3.12.2 counts the depth of all trees under construction in one place: a collection of garbage
# that lets another thread parse makes it fail with SystemError (CPython issue 106905). Filters of warnings, too, belong
# to the process.
_one_at_a_time = threading.Lock()


def parse_module(source: str | bytes, filename: str = "<unknown>") -> ast.Module:
    """The tree of a module, from any thread; what Python would warn of is not told.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: it has none (`UNPARSABLE`).
    """
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source, filename=filename)


def parse_expression(text: str) -> ast.expr:
    """The tree of one expression, with blanks around it or none; see `parse_module`."""
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text.strip(), mode="eval").body
