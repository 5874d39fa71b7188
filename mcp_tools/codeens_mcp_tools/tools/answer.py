"""What a tool answers, before it is made to fit a context window."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class ToolAnswer(Struct, frozen=True, kw_only=True):
    """What a tool answers."""

    text: str
    """A summary for a context window, that is enough to go on with."""
    document: Struct | dict[str, Any]
    """The same for programs; a table: it was read from the store."""
    links: tuple[tuple[str, str], ...] = ()
    """Resources with the rest: (URI, what it is)."""
    summary: str | None = None
    """What the document says beside its facts, for clients that show nothing else; None: the text."""
