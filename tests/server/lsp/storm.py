"""An editor's document that is edited without rest."""

from __future__ import annotations

import random
from typing import Any

from tests.server.lsp.texts import position

KEPT = "untitled:kept"
"""The document of the storm: no mutated message names it."""

_PIECES = [
    "a", "\u00e9", "\u4e2d", "\U0001f600", "\n", "\r\n", "\r", "\t", "\f", "\u2028", "def g():\n    pass\n", '"""', "",
]  # fmt: skip
_MOST = 4000


class Storm:
    """The client's side: its text, and the messages that tell the server of it."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.text = "def f():\n    return 1\n"
        self.version = 1

    def opening(self) -> dict[str, Any]:
        """The message that opens the document."""
        item = {"uri": KEPT, "languageId": "python", "version": 1, "text": self.text}
        return _notification("textDocument/didOpen", {"textDocument": item})

    def edit(self) -> dict[str, Any]:
        """Edit the text at one to three places; the message that says so."""
        self.version += 1
        changes = [self._change() for _ in range(self._chance.choice([1, 1, 1, 2, 3]))]
        document = {"uri": KEPT, "version": self.version}
        return _notification("textDocument/didChange", {"textDocument": document, "contentChanges": changes})

    def _change(self) -> dict[str, Any]:
        text = self.text
        if len(text) > _MOST or self._chance.random() < 0.01:
            self.text = "def f():\n    return 1\n"
            return {"text": self.text}
        start, end = sorted(self._place() for _ in range(2))
        end = min(end, start + self._chance.choice([0, 0, 1, 5, 80]))
        if text[end - 1 : end + 1] == "\r\n":
            end = max(start, end - 1)
        new = "".join(self._chance.choices(_PIECES, k=self._chance.randrange(4)))
        self.text = text[:start] + new + text[end:]
        first, last = position(text, start), position(text, end)
        place = {
            "start": {"line": first.line, "character": first.character},
            "end": {"line": last.line, "character": last.character},
        }
        return {"range": place, "text": new}

    def _place(self) -> int:
        """An index that has a position: between a carriage return and its line feed there is none."""
        index = self._chance.randrange(len(self.text) + 1)
        return index - 1 if self.text[index - 1 : index + 1] == "\r\n" else index


def _notification(method: str, params: object) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params}
