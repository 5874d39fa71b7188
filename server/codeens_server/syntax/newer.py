"""Which Python a text needs that this one cannot read: what is new is taken out, and the rest must then be right.

PEP 695 (type parameters, `type X = ...`) and PEP 701 (f-strings with quotes, backslashes and comments inside) are of
Python 3.12, PEP 696 (defaults of type parameters) of 3.13, PEP 750 (t-strings) and PEP 758 (`except A, B:`) of 3.14.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import TypeAlias

from codeens_server.syntax.parsing import ParseFailure, parse, parse_expression

Version: TypeAlias = tuple[int, int]
_LONGEST = 1 << 20
"""Characters of a text that is looked at."""
_DEEPEST = 8
_STRING = re.compile(
    r"(?P<prefix>(?<!\w)(?:[rbuft]|[ft]r|r[ftb]|br))?(?P<quote>'''|\"\"\"|'|\")|#[^\n]*", re.IGNORECASE
)
"""A string begins, or there is a comment."""
_PARAMETERS = re.compile(r"^[ \t]*(?:(?:async[ \t]+)?def|class)[ \t]+\w+[ \t]*(?=\[)", re.MULTILINE)
_ALIAS = re.compile(r"^[ \t]*type [ \t]*\w+[ \t]*(?=[=\[])", re.MULTILINE)
_EXCEPT = re.compile(r"^([ \t]*except\*?[ \t]+)([\w.]+(?:[ \t]*,[ \t]*[\w.]+)+)[ \t]*:", re.MULTILINE)


def needed_python(text: str) -> Version | None:
    """Return the Python that a text needs, which does not parse here; None where no newer one is known to read it."""
    if len(text) > _LONGEST:
        return None
    try:
        plain = _Plain(text)
    except _Unclosed:
        return None
    if not plain.needs or isinstance(parse(plain.text), ParseFailure):
        return None
    needed = max(plain.needs)
    return needed if needed > sys.version_info[:2] else None


class _Unclosed(Exception):
    """A string or a bracket has no end."""


class _Plain:
    """A text without what is new in it, and the versions that it was new in."""

    def __init__(self, text: str) -> None:
        self.needs: list[Version] = []
        code = "".join(self._strings(text))
        code = self._without_parameters(code)
        self.text = self._substituted(_EXCEPT, r"\1(\2):", code, (3, 14))

    def _strings(self, text: str) -> Iterator[str]:
        """Yield the text with comments left out and strings emptied: brackets and keywords in them are none."""
        at = 0
        while match := _STRING.search(text, at):
            yield text[at : match.start()]
            at = match.end()
            if match["quote"]:
                at = self._string(text, match)
                yield 'b""' if "b" in _prefix(match) else '""'
        yield text[at:]

    def _string(self, text: str, start: re.Match[str]) -> int:
        """Return where a string ends; note what it needs if it is a new kind."""
        prefix = _prefix(start)
        if "f" not in prefix and "t" not in prefix:
            return _plain_end(text, start)
        end = _formatted_end(text, start, 0)
        if "t" in prefix:
            self.needs.append((3, 14))
        elif isinstance(parse_expression(text[start.start() : end]), ParseFailure):
            self.needs.append((3, 12))
        return end

    def _without_parameters(self, code: str) -> str:
        """Return the code with lists of type parameters taken out, and `type X = ...` made an assignment."""
        for pattern in (_PARAMETERS, _ALIAS):
            parts: list[str] = []
            at = 0
            for match in pattern.finditer(code):
                end = _closing(code, match.end()) if code[match.end()] == "[" else match.end()
                self.needs.append((3, 13) if _has_default(code[match.end() : end]) else (3, 12))
                parts += [code[at : match.start()], match[0].replace("type ", "", pattern is _ALIAS)]
                at = end
            code = "".join([*parts, code[at:]])
        return code

    def _substituted(self, pattern: re.Pattern[str], by: str, code: str, version: Version) -> str:
        changed = pattern.sub(by, code)
        if changed != code:
            self.needs.append(version)
        return changed


def _prefix(start: re.Match[str]) -> str:
    return (start["prefix"] or "").lower()


def _plain_end(text: str, start: re.Match[str]) -> int:
    at, quote = start.end(), start["quote"]
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text.startswith(quote, at):
            return at + len(quote)
        elif text[at] == "\n" and len(quote) == 1:
            break
        else:
            at += 1
    raise _Unclosed


def _formatted_end(text: str, start: re.Match[str], depth: int) -> int:
    """Return where an f-string or t-string ends.

    Raises:
        _Unclosed: it does not, or one of its expressions is none.
    """
    at, quote = start.end(), start["quote"]
    raw = "r" in _prefix(start)
    while at < len(text):
        if (text[at] == "\\" and not raw) or text.startswith(("{{", "}}"), at):
            at += 2
        elif text[at] == "{":
            at = _field_end(text, at, depth + 1)
        elif text.startswith(quote, at):
            return at + len(quote)
        elif text[at] == "\n" and len(quote) == 1:
            break
        else:
            at += 1
    raise _Unclosed


def _field_end(text: str, at: int, depth: int) -> int:
    """Return where the replacement field that begins at `at` ends, its format included."""
    if depth > _DEEPEST:
        raise _Unclosed
    shown, end = _expression(text, at + 1, depth)
    if isinstance(parse_expression(f"({shown}\n)"), ParseFailure):
        raise _Unclosed
    while end < len(text) and text[end] != "}":
        end = _field_end(text, end, depth) if text[end] == "{" else end + 1
    if end >= len(text):
        raise _Unclosed
    return end + 1


def _expression(text: str, at: int, depth: int) -> tuple[str, int]:
    """Return the expression of a field, strings emptied, and where it ends: at `}`, `:`, `!r` or a last `=`."""
    parts: list[str] = []
    open_brackets = 0
    while at < len(text):
        character = text[at]
        match = _STRING.match(text, at)
        if match is not None and match["quote"]:
            is_formatted = {"f", "t"} & {*_prefix(match)}
            at = _formatted_end(text, match, depth) if is_formatted else _plain_end(text, match)
            parts.append('""')
        elif match is not None:
            at = match.end()
        elif not open_brackets and (character in "}:" or re.match(r"![rsa][:}]|=\s*[!:}]", text[at : at + 8])):
            return "".join(parts), at
        else:
            open_brackets += (character in "([{") - (character in ")]}")
            parts.append(character)
            at += 1
    raise _Unclosed


def _closing(code: str, at: int) -> int:
    """Return the place behind the bracket that closes the one at `at`, in code without strings."""
    depth = 0
    for place in range(at, len(code)):
        depth += (code[place] in "([{") - (code[place] in ")]}")
        if depth == 0:
            return place + 1
    raise _Unclosed


def _has_default(parameters: str) -> bool:
    return re.search(r"(?<![=!<>:])=(?!=)", parameters) is not None
