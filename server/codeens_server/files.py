"""The user's folders, and files that only their owner may read, written whole or not at all."""

from __future__ import annotations

import os
import re
from pathlib import Path

_MAX_NAME = 80


def data_folder() -> Path:
    """Return the user's folder for what codeens keeps: runs, the log, tokens."""
    from platformdirs import user_data_path

    return user_data_path("codeens", appauthor=False)


def settings_folder() -> Path:
    """Return the user's folder for what is written by hand: settings and variants."""
    from platformdirs import user_config_path

    return user_config_path("codeens", appauthor=False)


def private_folder(path: Path) -> Path:
    """Make a folder (mode 0700), and those above it that are missing; one that exists is left as it is."""
    for folder in [*reversed(path.parents), path]:
        if not folder.is_dir():
            folder.mkdir(mode=0o700, exist_ok=True)
    return path


def write_private(path: Path, text: str) -> None:
    """Write a text (UTF-8, mode 0600) so that a reader sees the old file or the new one, never a part."""
    import tempfile  # takes milliseconds, and an editor that waits for a first answer writes nothing

    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace", newline="") as file:
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def safe_name(name: str) -> str:
    """Return the name as one path component on any system, whoever chose it."""
    plain = re.sub(r"[^\w.-]", "_", name, flags=re.ASCII).lstrip(".")
    return plain[:_MAX_NAME] or "_"
