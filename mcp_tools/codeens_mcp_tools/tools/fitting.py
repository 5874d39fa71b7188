"""Makes answers fit a context window: whatever is returned, an answer has at most so many tokens."""

from __future__ import annotations

import json
import re
import secrets
from collections import OrderedDict
from typing import Any, cast

MOST_TOKENS = 8000
"""Of text and structured content together; clients warn from 10,000."""
TEXT_TOKENS = 3000
_PIECE = re.compile(
    r"(?P<word>[ _]?[A-Z]?[a-z]{1,12}(?![a-zA-Z]))|(?P<letters>[A-Za-z]+)|(?P<digits>[0-9]+)"
    r"|(?P<space>\s+)|(?P<marks>[][{}\":,]+)|(?P<other>.)"
)
_CUTS = (
    (8000, 400),
    (4000, 200),
    (2000, 100),
    (1000, 50),
    (500, 25),
    (250, 12),
    (120, 6),
    (60, 3),
    (20, 1),
)
"""Characters of a text, and items of a list, tried one after the other."""
_MOST_TOLD = 8
URI = "answer://{id}/{offset}"
PART = 16_000
"""Characters of one part of a whole answer."""
_MOST_KEPT = 30
_LONGEST_KEPT = 8 << 20


class WholeAnswers:
    """The latest answers that were cut, to be read a part at a time."""

    def __init__(self) -> None:
        self._texts: OrderedDict[str, str] = OrderedDict()

    def kept(self, text: str) -> str:
        """Keep an answer; return the URI of its first part."""
        name = secrets.token_hex(4)
        self._texts[name] = text[:_LONGEST_KEPT]
        while len(self._texts) > _MOST_KEPT:
            self._texts.popitem(last=False)
        return URI.format(id=name, offset=0)

    def part(self, name: str, offset: int) -> str | None:
        """Return a part of an answer, with where the next begins; None: it is not kept any more."""
        text = self._texts.get(name)
        if text is None:
            return None
        part, end = text[offset : offset + PART], offset + PART
        more = f"\n… next: {URI.format(id=name, offset=end)} of {len(text):,} characters" if end < len(text) else ""
        return f"{part}{more}"


def tokens(text: str) -> int:
    """Return how many tokens a text has at the most, by the rules of thumb of byte pair encodings."""
    return sum(map(_cost, _PIECE.finditer(text)))


def shortened(text: str, most: int, whole: str = "") -> str:
    """Return a text of at most so many tokens: its head and its end, and between them how much is left out."""
    if len(text) <= most // 3 or tokens(text) <= most:
        return text
    note = f"\n… {len(text):,} characters in all{f'; whole: {whole}' if whole else ''} …\n"
    kept = min(len(text), most * 6)
    while kept > 0:
        head, end = text[: kept * 3 // 4], text[len(text) - kept // 4 :]
        if tokens(head) + tokens(end) + 40 <= most:
            return f"{head}{note}{end}"
        kept = kept * 4 // 5
    return note


def fitted(document: dict[str, Any], most: int) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return a document of at most so many tokens, and what of it was cut, each with its size."""
    if _size(document) <= most:
        return document, ()
    cut, left_out = document, dict[str, None]()
    for characters, items in _CUTS:
        left_out.clear()
        cut = cast("dict[str, Any]", _cut(document, characters, items, "", left_out))
        if _size(cut) <= most:
            break
    told = [*left_out]
    more = [f"and {len(told) - _MOST_TOLD} more"] if len(told) > _MOST_TOLD else []
    return cut, (*told[:_MOST_TOLD], *more)


def _size(value: Any) -> int:
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return len(text) if len(text) > MOST_TOKENS * 10 else tokens(text)


def _cost(piece: re.Match[str]) -> int:
    length = piece.end() - piece.start()
    match piece.lastgroup:
        case "word":
            return 1 + length // 4
        case "letters":
            return 1 + length * 7 // 10
        case "digits":
            return -(-length // 3)
        case "space":
            return 1 + (0 if piece[0].strip(" ") in ("", "\n") else length // 3)
        case "marks":
            return 1 + length // 3
        case _:
            return len(piece[0].encode("utf-8", "replace"))


def _cut(value: Any, characters: int, items: int, path: str, left_out: dict[str, None]) -> Any:
    if isinstance(value, str) and len(value) > characters:
        left_out[f"{path}: {characters:,} of {len(value):,} characters"] = None
        return f"{value[:characters]}…"
    if isinstance(value, list):
        entries = cast("list[Any]", value)
        if len(entries) > items:
            left_out[f"{path}: {items:,} of {len(entries):,}"] = None
        return [
            _cut(entry, characters, items, f"{path}[{place}]", left_out) for place, entry in enumerate(entries[:items])
        ]
    if isinstance(value, dict):
        table = cast("dict[str, Any]", value)
        return {
            name: _cut(entry, characters, items, f"{path}.{name}".lstrip("."), left_out)
            for name, entry in table.items()
        }
    return value
