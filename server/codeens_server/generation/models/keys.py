"""Keeps keys out of every text."""

from __future__ import annotations

import re
from collections.abc import Mapping

LIKE_A_KEY = re.compile(r"\b(?:sk|pk|gsk|xai|key|api)[-_][\w*-]{6,}|(?<=Bearer )[^\s,;]+")
NAME_OF_A_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)
SHORTEST = 6
"""Shorter values are no keys, and occur in any text."""


def redact(text: str, environ: Mapping[str, str]) -> str:
    """The text without the values of secrets of the environment, and without what looks like a key."""
    secrets = {value for name, value in environ.items() if NAME_OF_A_SECRET.search(name) and len(value) >= SHORTEST}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "[key]")
    return LIKE_A_KEY.sub("[key]", text)
