"""The secret that clients of the HTTP door must know."""

from __future__ import annotations

import secrets
from pathlib import Path

from codeens_server.files import private_folder, write_private
from codeens_server.store.opening import data_folder

FILE = "mcp-token"


def own_token() -> tuple[str, Path]:
    """The user's token and the file that holds it, made at the first time; only the user can read it."""
    path = private_folder(data_folder()) / FILE
    try:
        token = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        token = ""
    if not token:
        token = secrets.token_urlsafe(32)
        write_private(path, f"{token}\n")
    return token, path
