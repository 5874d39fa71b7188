"""A document stays equal to the editor's, whatever is edited, and in whatever units places are counted."""

from __future__ import annotations

import random

import pytest
from lsprotocol import types

from codeens_server.lsp.documents.documents import UNITS, Document
from tests.server.lsp.texts import edited, offset, position

ENCODINGS = ["utf-8", "utf-16", "utf-32"]
PIECES = [
    "a",
    "\u00e9",
    "\u4e2d",
    "\U0001f600",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "\f",
    "\u2028",
    "\x85",
    "\x1c",
    "\ufeff",
    "def f():\n",
    "",
]


def document(text: str, encoding: str) -> Document:
    return Document("untitled:x", text, unit=UNITS[encoding])


def change(text: str, start: int, end: int, new: str, encoding: str) -> types.TextDocumentContentChangePartial:
    place = types.Range(start=position(text, start, encoding), end=position(text, end, encoding))
    return types.TextDocumentContentChangePartial(range=place, text=new)


def random_text(chance: random.Random, most: int) -> str:
    return "".join(chance.choices(PIECES, k=chance.randrange(most)))


def no_place_inside_a_line_end(text: str, index: int) -> int:
    """An index that has a position: between a carriage return and its line feed there is none."""
    return index - 1 if text[index - 1 : index + 1] == "\r\n" else index


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_storm_of_edits_leaves_the_same_text(encoding: str) -> None:
    chance = random.Random(encoding)
    text = random_text(chance, 400)
    mine = document(text, encoding)
    for _ in range(2000):
        start, end = sorted(no_place_inside_a_line_end(text, chance.randrange(len(text) + 1)) for _ in range(2))
        if chance.random() < 0.7:
            end = no_place_inside_a_line_end(text, min(end, start + 3))
        new = random_text(chance, 4 if len(text) > 600 else 12)
        mine.apply_change(change(text, start, max(start, end), new, encoding))
        text = text[:start] + new + text[max(start, end) :]
        assert mine.source == text
    assert mine.source == "".join(mine.lines)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_places_outside_of_the_text_are_moved_inside(encoding: str) -> None:
    chance = random.Random(encoding)
    for _ in range(500):
        text = random_text(chance, 12)
        ends = [types.Position(line=chance.randrange(9), character=chance.randrange(30)) for _ in range(2)]
        start, end = sorted(ends, key=lambda place: offset(text, place, encoding))
        mine = document(text, encoding)
        mine.apply_change(types.TextDocumentContentChangePartial(range=types.Range(start=start, end=end), text="new"))
        edit = types.TextEdit(range=types.Range(start=start, end=end), new_text="new")
        assert mine.source == edited(text, [edit], encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_columns_are_the_same_forth_and_back(encoding: str) -> None:
    line = "x = '\U0001f600\u4e2d\u00e9'  # \U0001f600"
    mine = document(line, encoding)
    for index in range(len(line) + 1):
        assert mine.character(0, mine.units(0, index)) == index


def test_a_whole_text_replaces_all() -> None:
    mine = document("a\nb", "utf-16")
    mine.apply_change(types.TextDocumentContentChangeWholeDocument(text="c\r\n"))
    assert mine.source == "c\r\n"
    assert list(mine.lines) == ["c\r\n", ""]
    assert mine.edits == 1
