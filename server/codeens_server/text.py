"""Text for people: what strangers wrote cannot drive a terminal."""

from __future__ import annotations

import unicodedata

_KEPT = frozenset("\n\t")


def visible(text: str) -> str:
    """Write out control, direction and surrogate characters, so that they cannot drive a terminal."""
    if text.isprintable():
        return text
    return "".join(
        char if char in _KEPT or not unicodedata.category(char).startswith("C") else _escape(char) for char in text
    )


def one_line(text: str) -> str:
    """Join the lines of a text, made visible, into one."""
    return " ".join(visible(text).split())


def plural(count: int, noun: str) -> str:
    """Count a noun: `1 input`, `2 inputs`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def money(usd: float | None) -> str:
    """Write dollars to a useful precision; `?` where the price is not known."""
    if usd is None:
        return "?"
    return f"${usd:.2f}" if usd == 0 or usd >= 1 else f"${usd:.4f}"


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
