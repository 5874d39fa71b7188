"""Errors that nobody foresaw: kept with their traceback, and told without it."""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)
_SHORTEST_SECRET = 6


def innermost(error: BaseException) -> BaseException:
    """The error that a person should read: task groups wrap it, and the first one in is what ended the others."""
    if isinstance(error, BaseExceptionGroup):
        return innermost(cast("BaseExceptionGroup[BaseException]", error).exceptions[0])
    return error


def write_log(error: BaseException, log: Path, environ: Mapping[str, str]) -> str:
    """Add the traceback, without secrets, to the log. Gives the sentence that says where it is."""
    text = "".join(traceback.format_exception(error))
    try:
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8", errors="replace") as file:
            file.write(f"{datetime.now(UTC).isoformat()}\n{without_secrets(text, environ)}\n")
    except OSError as problem:
        return f"The log {log} cannot be written: {problem.strerror}."
    return f"The details are in {log}."


def without_secrets(text: str, environ: Mapping[str, str]) -> str:
    """The text without the values of environment variables that are named like secrets."""
    for name, value in environ.items():
        if _SECRET_NAME.search(name) and len(value) >= _SHORTEST_SECRET:
            text = text.replace(value, f"<{name}>")
    return text
