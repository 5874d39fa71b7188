"""Python's own parser, for text that may be broken or hostile. Nothing of the text is run, and every thread may ask."""

from __future__ import annotations

import ast
import symtable
import threading
import warnings
from collections.abc import Callable
from types import CodeType
from typing import NamedTuple, TypeVar

T = TypeVar("T")

# Python before 3.11.8 and 3.12.2 counts the depth of all trees under construction in one place: a collection of garbage
# that lets another thread parse makes it fail with SystemError (CPython issue 106905). Filters of warnings, too, belong
# to the process.
_one_at_a_time = threading.Lock()


class ParseFailure(NamedTuple):
    """Why a text is refused."""

    message: str
    """The parser's words, `syntax error: ` before them where it is one."""
    line: int = 0
    """1-based; 0 where no line is to blame: the text is too deep or too large."""
    column: int = 0
    """1-based; 0 where it is not known."""

    def __str__(self) -> str:
        return f"{self.message} (line {self.line})" if self.line else f"it cannot be parsed: {self.message}"


def parse(text: str | bytes) -> ast.Module | ParseFailure:
    """Return the syntax tree of a module, or why it has none; never raise, and show no warning."""
    return _alone(lambda: ast.parse(text))


def parse_expression(text: str) -> ast.expr | ParseFailure:
    """Return the syntax tree of one expression, with or without blanks around it; see `parse`."""
    return _alone(lambda: ast.parse(text.strip(), mode="eval").body)


def symbol_table(text: str) -> symtable.SymbolTable | ParseFailure:
    """Return which names the scopes of a module bind and use; see `parse`."""
    return _alone(lambda: symtable.symtable(text, "<text>", "exec"))


def compiled(tree: ast.Module | str) -> CodeType | ParseFailure:
    """Return the code of a module's tree, or text; see `parse`."""
    return _alone(lambda: compile(tree, "<text>", "exec", dont_inherit=True))


def _alone(read: Callable[[], T]) -> T | ParseFailure:
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _again_if_disturbed(read)
        except SyntaxError as error:
            return ParseFailure(f"syntax error: {error.msg}", error.lineno or 0, error.offset or 0)
        except (ValueError, RecursionError, MemoryError) as error:
            return ParseFailure(str(error) or type(error).__name__)


def _again_if_disturbed(read: Callable[[], T]) -> T:
    """Read once more where a library that does not know of our turns has parsed meanwhile."""
    try:
        return read()
    except SystemError:
        return read()
