"""Text for people: what strangers wrote cannot drive a terminal, and secrets are left out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

_KEPT = frozenset("\n\t")
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)
# As OpenAI, Groq, xAI and others write keys, and what follows "Bearer". `key_` and `api_` also begin names in code,
# which seldom have digits; keys do, or stars where a provider masks what it was given.
_LIKE_A_KEY = re.compile(
    r"\b(?:sk|pk|gsk|xai)[-_][\w*-]{6,}|\b(?:key|api)[-_](?=[\w*-]*[\d*])[\w*-]{6,}|(?<=Bearer )(?!<)[^\s,;]+"
)
# Shorter values are no secrets, and occur in any text.
_SHORTEST_SECRET = 6


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


def redact(text: str, environ: Mapping[str, str]) -> str:
    """Replace secrets of the environment by their variables' names, and what else looks like a key by `<key>`."""
    secrets = {
        value: name for name, value in environ.items() if _SECRET_NAME.search(name) and len(value) >= _SHORTEST_SECRET
    }
    # The longest first: a secret may be a part of another.
    for value in sorted(secrets, key=len, reverse=True):
        text = text.replace(value, f"<{secrets[value]}>")
    return _LIKE_A_KEY.sub("<key>", text)


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
