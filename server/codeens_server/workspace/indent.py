"""Moves a definition between a class body and the left margin without touching the inside of its strings."""

from __future__ import annotations

import ast
import io
import tokenize

from codeens_server.workspace.text import indentation_of, lines_of


def dedent(source: str) -> str:
    """The definition at the left margin, newlines as line feeds."""
    lines = [line.rstrip("\r\n") for line in lines_of(source)]
    indent = indentation_of(lines[0])
    if not indent:
        return "\n".join(lines) + "\n"
    inside = _string_lines("\n".join(lines), indent)
    moved = [
        line if number in inside else line.removeprefix(indent) if line.strip() else ""
        for number, line in enumerate(lines, 1)
    ]
    return "\n".join(moved) + "\n"


def indent(source: str, margin: str, newline: str) -> str:
    """The definition moved to a margin, with the newline given; a tab margin turns four-space steps into tabs."""
    lines = [line.rstrip("\r\n") for line in lines_of(source)]
    inside = _string_lines("\n".join(lines), "")
    moved: list[str] = []
    for number, line in enumerate(lines, 1):
        if number in inside or not line.strip():
            moved.append(line)
        else:
            moved.append(margin + (_tabbed(line) if "\t" in margin else line))
    return newline.join(moved) + newline


def _tabbed(line: str) -> str:
    spaces = indentation_of(line)
    if "\t" in spaces:
        return line
    steps, rest = divmod(len(spaces), 4)
    return "\t" * steps + " " * rest + line[len(spaces) :]


def _string_lines(source: str, margin: str) -> set[int]:
    """Lines that begin inside a string; those of docstrings are left out, they move with the code."""
    text = f"if True:\n{source}\n" if margin else source + "\n"
    shift = 1 if margin else 0
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
        docstrings = _docstring_lines(ast.parse(text))
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    inside: set[int] = set()
    openings: list[int] = []
    for token in tokens:
        name = tokenize.tok_name[token.type]
        if name.endswith("STRING_START"):
            openings.append(token.start[0])
        elif name.endswith("STRING_END"):
            inside.update(range(openings.pop() + 1, token.end[0] + 1))
        elif name == "STRING":
            inside.update(range(token.start[0] + 1, token.end[0] + 1))
    return {line - shift for line in inside - docstrings}


def _docstring_lines(tree: ast.Module) -> set[int]:
    lines: set[int] = set()
    for node in ast.walk(tree):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        if ast.get_docstring(node, clean=False) is not None:
            literal = node.body[0]
            lines.update(range(literal.lineno, (literal.end_lineno or literal.lineno) + 1))
    return lines
