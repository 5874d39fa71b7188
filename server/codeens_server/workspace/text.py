"""A source file as text: read so that it can be written back byte for byte, and remembered as it was."""

from __future__ import annotations

import ast
import hashlib
import io
import re
import sys
import tokenize
from collections import OrderedDict
from pathlib import Path
from typing import NamedTuple

from codeens_server.domain.target import Target
from codeens_server.errors import ChangedError, TargetError
from codeens_server.files import read_regular
from codeens_server.syntax.newer import needed_python
from codeens_server.syntax.parsing import ParseFailure, parse

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_KEPT = 64
"""Texts that are remembered at a time."""
_snapshots: OrderedDict[str, SourceText] = OrderedDict()


class SourceText(NamedTuple):
    """A decoded file: text with its own newlines, the encoding it came in, and the digest of its bytes."""

    text: str
    encoding: str
    sha256: str

    def encode(self, text: str) -> bytes:
        """Return bytes of a new text in this file's encoding, byte order mark included where there was one."""
        return text.encode(self.encoding)


def read_source(path: Path) -> SourceText:
    """Read a Python file by its own coding rules (PEP 263).

    Raises:
        TargetError: there is no such file, or its bytes are not what its encoding says.
    """
    try:
        data = read_regular(path)
    except FileNotFoundError:
        message = f"there is no file {path}. Give the target as path.py::function or path.py:LINE."
        raise TargetError(message) from None
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}."
        raise TargetError(message) from None
    return decoded(data, str(path))


def decoded(data: bytes, name: str) -> SourceText:
    """Return the text of a Python file's bytes by its own coding rules (PEP 263).

    Args:
        data: what the file holds.
        name: what people call it.

    Raises:
        TargetError: they are not what their encoding says.
    """
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return SourceText(data.decode(encoding), encoding, hashlib.sha256(data).hexdigest())
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        message = f"{name} is not text in the encoding that it declares: {error}."
        raise TargetError(message) from None


def source_of(path: Path, text: str) -> SourceText:
    """Return a text meant for a file: as if read from there when it is what the file holds, else as UTF-8."""
    if path.is_file():
        try:
            if (saved := read_source(path)).text == text:
                return saved
        except TargetError:
            pass  # what cannot be read is not the same
    return SourceText(text, "utf-8", hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())


def parse_source(text: str, path: str) -> ast.Module:
    """Return the syntax tree of a file's text.

    Raises:
        TargetError: it is not valid Python; the message has the position. Or it is, for a newer one than this.
    """
    tree = parse(text)
    if isinstance(tree, ParseFailure):
        if needed := needed_python(text):
            own = ".".join(map(str, sys.version_info[:2]))
            message = (
                f"{path} needs Python {needed[0]}.{needed[1]} or later to be read, and codeens runs on {own}. "
                "Install codeens with that Python."
            )
            raise TargetError(message, code="needs_newer_python")
        place = f"{path}:{tree.line}:{tree.column or 1}: " if tree.line else f"{path} cannot be parsed: "
        raise TargetError(f"{place}{tree.message}.{' Mend it first.' if tree.line else ''}", code="syntax")
    return tree


def lines_of(text: str) -> list[str]:
    """Return lines with their ends, split where Python splits them (not at form feeds and the like)."""
    return _LINE.findall(text)


def newline_of(text: str) -> str:
    """Return the newline that the text uses most; a line feed when it has none."""
    counts = {"\r\n": text.count("\r\n"), "\n": 0, "\r": 0}
    counts["\n"] = text.count("\n") - counts["\r\n"]
    counts["\r"] = text.count("\r") - counts["\r\n"]
    return max(counts, key=lambda newline: (counts[newline], newline == "\n"))


def indentation_of(line: str) -> str:
    """Return the white space that a line begins with."""
    return line[: len(line) - len(line.lstrip(" \t\f"))]


def remember(source: SourceText) -> None:
    """Keep a text under the digest of its bytes; the oldest of many is forgotten."""
    _snapshots[source.sha256] = source
    _snapshots.move_to_end(source.sha256)
    while len(_snapshots) > _KEPT:
        _snapshots.popitem(last=False)


def snapshot(target: Target) -> SourceText:
    """Return the target's file as it was when the target was found.

    Raises:
        ChangedError: it is not remembered, and the file is another one by now.
    """
    return _snapshots.get(target.file_sha256) or current_source(target)


def current_source(target: Target) -> SourceText:
    """Read the target's file now.

    Raises:
        ChangedError: the file is not what it was when the target was found.
    """
    source = read_source(Path(target.path))
    if source.sha256 != target.file_sha256:
        message = f"{target.path} has changed since the run; nothing was written. Run again on the file as it is now."
        raise ChangedError(message)
    return source
