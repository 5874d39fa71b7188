"""Take the quoting off a reply: JSON, escaped lines, prompts of a shell, HTML, quotes of a mail, line numbers."""

from __future__ import annotations

import html
import json
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any, cast

from codeens_server.generation.reply.parts import parts

_INVISIBLE = re.compile("[\u200b-\u200f\u2060-\u2064\ufeff\u00ad\u180e]")
_WIDE = re.compile("[\u00a0\u2000-\u200a\u202f\u205f\u3000]")
_QUOTES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2032": "'"})
_PROMPT = re.compile(r"^[ \t]*(?:(?:>>>|\.\.\.)(?: |$)|In \[\d+\]: ?|\.\.\.: ?)(?P<code>.*)$")
_PROMPTED = re.compile(r"^[ \t]*(?:>>> |In \[\d+\]: ?)(?:@|async |def |class |import |from )", re.MULTILINE)
_TAG = re.compile(r"</?(?:pre|code|span|div|p|samp|tt|b|i|em|strong)(?:\s[^<>]*)?>", re.IGNORECASE)
_BREAK = re.compile(r"<br[ \t]*/?>\n?", re.IGNORECASE)
_MARKED_UP = re.compile(r"</?(?:pre|code|span|br)\b|&(?:lt|gt|amp|quot|nbsp|#\d+);", re.IGNORECASE)
_QUOTED = re.compile(r"^[ \t]{0,3}>[ \t]?(?P<code>.*)$")
_NUMBERED = re.compile(r"^[ \t]*(?P<number>\d{1,4})(?:[ \t]*[:|.)│→]|(?=[ \t]|$))(?P<code>.*)$")
_LEAST_NUMBERED = 2


def unwrapped(text: str, name: str) -> Iterator[tuple[str, str]]:
    """Yield a text without one kind of quoting after the other, each with what was taken off, in words for people.

    Only kinds of which the text shows a sign are tried.

    Args:
        text: a reply in which no definition was found as it stands.
        name: of the function that is looked for.
    """
    plain = _WIDE.sub(" ", _INVISIBLE.sub("", text))
    straight = plain.translate(_QUOTES)
    seen = {text}
    for base, marks in ((text, ""), (plain, "invisible marks"), (straight, "typographic quotes")):
        if base not in seen:
            seen.add(base)
            yield marks, base
        for what, take_off in _KINDS:
            for inner in take_off(base, name):
                if inner not in seen:
                    seen.add(inner)
                    yield what, inner


def _defines(name: str) -> re.Pattern[str]:
    return re.compile(rf"\bdef[ \t]+{re.escape(name)}\b")


def _from_json(text: str, name: str) -> Iterator[str]:
    """Yield texts of JSON that define the function; lists of lines, as notebooks have them, are joined."""
    wanted = _defines(name)
    for part in parts(text):
        stripped = part.text.strip()
        for opening, closing in (("{", "}"), ("[", "]"), ('"', '"')):
            start, end = stripped.find(opening), stripped.rfind(closing)
            if 0 <= start < end:
                yield from _texts(_loaded(stripped[start : end + 1]), wanted)


def _loaded(text: str) -> Any:
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None


def _texts(value: Any, wanted: re.Pattern[str]) -> Iterator[str]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            if wanted.search(item):
                yield item
        elif isinstance(item, dict):
            waiting += reversed(list(cast("dict[str, Any]", item).values()))
        elif isinstance(item, list):
            lines = cast("list[Any]", item)
            if lines and all(isinstance(line, str) for line in lines):
                ended = all(line.endswith("\n") for line in lines[:-1])
                waiting.append(("" if ended else "\n").join(lines))
            else:
                waiting += reversed(lines)


def _from_escapes(text: str, name: str) -> Iterator[str]:
    if re.search(rf"\bdef[ \t]+{re.escape(name)}\b[^\n]*:\\n", text):
        marks = {"n": "\n", "t": "\t", "r": "", '"': '"', "'": "'", "\\": "\\"}
        bare = text.strip()
        if bare[0] in "\"'" and bare[0] == bare[-1]:
            bare = bare[1:-1]
        yield re.sub(r"\\([ntr\"'\\])", lambda match: marks[match[1]], bare)


def _from_prompts(text: str, _name: str) -> Iterator[str]:
    if _PROMPTED.search(text):
        prompted = (_PROMPT.match(line) for line in text.split("\n"))
        yield "\n".join(match["code"] for match in prompted if match)


def _from_html(text: str, _name: str) -> Iterator[str]:
    if _MARKED_UP.search(text):
        yield html.unescape(_TAG.sub("", _BREAK.sub("\n", text))).replace("\u00a0", " ")


def _from_quotes(text: str, name: str) -> Iterator[str]:
    quoted = [match["code"] for match in map(_QUOTED.match, text.split("\n")) if match]
    if any(_defines(name).search(line) for line in quoted):
        yield "\n".join(quoted)


def _from_numbers(text: str, name: str) -> Iterator[str]:
    """Yield each run of lines that are counted one by one, where it defines the function."""
    run: list[str] = []
    last = 0
    for line in [*text.split("\n"), ""]:
        match = _NUMBERED.match(line)
        if match is not None and (not run or int(match["number"]) == last + 1):
            run.append(match["code"])
            last = int(match["number"])
            continue
        if len(run) >= _LEAST_NUMBERED and any(_defines(name).search(code) for code in run):
            yield textwrap.dedent("\n".join(run))
        run = [] if match is None else [match["code"]]
        last = 0 if match is None else int(match["number"])


_KINDS: tuple[tuple[str, Callable[[str, str], Iterator[str]]], ...] = (
    ("JSON", _from_json),
    ("escaped line ends", _from_escapes),
    ("prompts of a shell", _from_prompts),
    ("HTML", _from_html),
    ("quote marks", _from_quotes),
    ("line numbers", _from_numbers),
)
