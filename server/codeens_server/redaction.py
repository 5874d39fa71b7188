"""Takes secrets out of texts that leave: errors, notes, logs, answers of servers."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from urllib.parse import quote, quote_plus

_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL", re.IGNORECASE)
# As OpenAI, Groq, xAI and others write keys, and what follows "Bearer". `key_` and `api_` also begin names in code,
# which seldom have digits; keys do, or stars where a provider masks what it was given.
_LIKE_A_KEY = re.compile(
    r"\b(?:sk|pk|gsk|xai)[-_][\w*-]{6,}|\b(?:key|api)[-_](?=[\w*-]*[\d*])[\w*-]{6,}|(?<=Bearer )(?!<)[^\s,;]+"
)
_MASKED = re.compile(r"([\w./+=-]*)(?:[*\u2022\u2026]{2,}|\.{3,})([\w./+=-]*)")
"""A word of which the middle is not shown."""
# Shorter values are no secrets, and occur in any text.
_SHORTEST_SECRET = 6
_SHORTEST_CONFIGURED = 4
_FEWEST_SHOWN = 4
"""Characters of a masked secret that are taken for parts of it."""

_configured: dict[str, str] = {}


def keep_out(name: str, value: str | None) -> None:
    """Have a value that somebody configured as secret taken out of all texts, whatever its variable is called."""
    if value is not None and len(value) >= _SHORTEST_CONFIGURED:
        _configured[value] = name


def redact(text: str, environ: Mapping[str, str]) -> str:
    """Replace secrets by their variables' names, and what else looks like a key by `<key>`.

    Secrets are what was configured as such, and what the name of its variable says is one; also as they stand in
    JSON, URLs and Base64, and where a server has masked their middle.
    """
    secrets = {
        value: name for name, value in environ.items() if _SECRET_NAME.search(name) and len(value) >= _SHORTEST_SECRET
    }
    secrets |= _configured
    # The longest first: a secret may be a part of another.
    for value in sorted(secrets, key=len, reverse=True):
        for form in _forms(value):
            if form in text:
                text = text.replace(form, f"<{secrets[value]}>")
    return _LIKE_A_KEY.sub("<key>", _MASKED.sub(lambda masked: _named(masked, secrets), text))


def _named(masked: re.Match[str], secrets: Mapping[str, str]) -> str:
    head, tail = masked[1], masked[2]
    if len(head) + len(tail) >= _FEWEST_SHOWN:
        for value, name in secrets.items():
            if len(value) > len(head) + len(tail) and value.startswith(head) and value.endswith(tail):
                return f"<{name}>"
    return masked[0]


@lru_cache(maxsize=256)
def _forms(value: str) -> tuple[str, ...]:
    """Return how a secret can be written, the longest forms first."""
    escaped = [json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1]]
    escaped += [text.replace("/", "\\/") for text in escaped]
    quoted = [quote(value), quote(value, safe=""), quote_plus(value)]
    quoted += [re.sub("%..", lambda code: code[0].lower(), text) for text in quoted]
    data = value.encode("utf-8", "surrogateescape")
    forms = {value, *escaped, *quoted, data.hex(), data.hex().upper(), *_in_base64(data)}
    return tuple(sorted(forms, key=len, reverse=True))


def _in_base64(data: bytes) -> Iterator[str]:
    """Yield what stands in any Base64 text of bytes with these among them, wherever they begin."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + data).decode()
        own = encoded[(before * 8 + 5) // 6 : (before + len(data)) * 8 // 6]
        if len(own) >= _SHORTEST_SECRET:
            yield own
            yield own.replace("+", "-").replace("/", "_")
            yield own.replace("/", "\\/")
