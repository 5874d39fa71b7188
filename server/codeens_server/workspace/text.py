"""A source file as text, with what is needed to write it back byte for byte."""

from __future__ import annotations

import ast
import hashlib
import io
import re
import tokenize
from pathlib import Path
from typing import NamedTuple

from codeens_server.errors import TargetError
from codeens_server.parsing import parse_module

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


class SourceText(NamedTuple):
    """A decoded file: text with its own newlines, the encoding it came in, and the digest of its bytes."""

    text: str
    encoding: str
    sha256: str

    def encode(self, text: str) -> bytes:
        """Bytes of a new text in this file's encoding, byte order mark included where there was one."""
        return text.encode(self.encoding)


def read_source(path: Path) -> SourceText:
    """Read a Python file by its own coding rules (PEP 263).

    Raises:
        TargetError: there is no such file, or its bytes are not what its encoding says.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        message = f"there is no file {path}. Give the target as path.py::function or path.py:LINE."
        raise TargetError(message) from None
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}."
        raise TargetError(message) from None
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return SourceText(data.decode(encoding), encoding, hashlib.sha256(data).hexdigest())
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        message = f"{path} is not text in the encoding that it declares: {error}."
        raise TargetError(message) from None


def source_of(path: Path, text: str) -> SourceText:
    """A text that is meant for a file: as if read from there when it is what the file holds, else as UTF-8."""
    if path.is_file():
        try:
            if (saved := read_source(path)).text == text:
                return saved
        except TargetError:
            pass  # what cannot be read is not the same
    return SourceText(text, "utf-8", hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())


def parse(text: str, path: str) -> ast.Module:
    """Parse source text.

    Raises:
        TargetError: it is not valid Python; the message has the position.
    """
    try:
        return parse_module(text, path)
    except SyntaxError as error:
        message = f"{path}:{error.lineno or 1}:{error.offset or 1}: syntax error: {error.msg}. Mend it first."
        raise TargetError(message) from None
    except (RecursionError, MemoryError, ValueError) as error:
        message = f"{path} cannot be parsed: {error}."
        raise TargetError(message) from None


def lines_of(text: str) -> list[str]:
    """Lines with their ends, split where Python splits them (not at form feeds and the like)."""
    return _LINE.findall(text)


def newline_of(text: str) -> str:
    """The newline that the text uses most; a line feed when it has none."""
    counts = {"\r\n": text.count("\r\n"), "\n": 0, "\r": 0}
    counts["\n"] = text.count("\n") - counts["\r\n"]
    counts["\r"] = text.count("\r") - counts["\r\n"]
    return max(counts, key=lambda newline: (counts[newline], newline == "\n"))


def indentation_of(line: str) -> str:
    """The white space that a line begins with."""
    return line[: len(line) - len(line.lstrip(" \t\f"))]
