"""Moves code to the left or right without touching the inside of its strings; docstrings move with the code."""

from __future__ import annotations

import io
import tokenize

from codeens_server.workspace.text import indentation_of, lines_of


def dedent(source: str) -> str:
    """Move a definition to the left margin, newlines as line feeds."""
    return dedented("".join(line.rstrip("\r\n") + "\n" for line in lines_of(source)))


def indent(source: str, margin: str, newline: str) -> str:
    """Move a definition to a margin, with the newline given; a tab margin turns four-space steps into tabs."""
    lines = [line.rstrip("\r\n") for line in lines_of(source)]
    inside = lines_inside_strings("\n".join(lines))
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


def indented(text: str, prefix: str) -> str:
    """Move text, which may be broken, to the right."""
    inside = lines_inside_strings(text)
    return "\n".join(
        line if number in inside or not line.strip() else prefix + line
        for number, line in enumerate(text.split("\n"), 1)
    )


def dedented(text: str) -> str:
    """Move text, which may be broken, to the left margin by its first line's indentation."""
    lines = text.split("\n")
    margin = indentation_of(next((line for line in lines if line.strip()), ""))
    if not margin:
        return text
    moved = [line.removeprefix(margin) if line.strip() else line.lstrip(" \t\f") for line in lines]
    inside = lines_inside_strings("\n".join(moved))
    return "\n".join(
        old if number in inside else new for number, (old, new) in enumerate(zip(lines, moved, strict=True), 1)
    )


def lines_inside_strings(text: str) -> set[int]:
    """Return numbers of lines that begin inside of a string other than a docstring; of broken text, up to the break."""
    inside: set[int] = set()
    opened: list[int] = []
    statement_begins = True
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            name = tokenize.tok_name[token.type]
            if name == "STRING" and not statement_begins:
                inside.update(range(token.start[0] + 1, token.end[0] + 1))
            elif name in ("FSTRING_START", "TSTRING_START"):  # Python 3.12 and later
                opened.append(token.start[0])
            elif name in ("FSTRING_END", "TSTRING_END"):
                inside.update(range(opened.pop() + 1, token.end[0] + 1))
            if name not in ("COMMENT", "NL"):
                statement_begins = name in ("NEWLINE", "INDENT", "DEDENT")
    except (tokenize.TokenError, SyntaxError):
        pass
    return inside
