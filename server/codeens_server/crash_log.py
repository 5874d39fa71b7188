"""Errors that nobody foresaw: kept with their traceback in the user's log, and told without it."""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from codeens_server.files import data_folder
from codeens_server.redaction import redact

# More of an error's own text than fits a notification helps nobody; the log has all of it.
_MOST_TOLD = 500


def log_path() -> Path:
    """Return where the tracebacks of this user's crashes are."""
    return data_folder() / "codeens.log"


def innermost(error: BaseException) -> BaseException:
    """Return the error that a person should read: of a group the first, which is what ended the others."""
    if isinstance(error, BaseExceptionGroup):
        return innermost(cast("BaseExceptionGroup[BaseException]", error).exceptions[0])
    return error


def log_crash(error: BaseException, environ: Mapping[str, str] = os.environ) -> str:
    """Add the traceback, without secrets, to the log; return what every door says of it, in one line."""
    cause = innermost(error)
    what = redact(f"{type(cause).__name__}: {cause}", environ)[:_MOST_TOLD]
    details = _write(error, log_path(), environ)
    if isinstance(cause, MemoryError):
        limits = "its own (`ulimit -a`), or that of the container or machine"
        return f"there is not enough memory ({what}). Raise the limit of this process: {limits}. {details}"
    return f"this is a fault of codeens ({what}). {details}"


def _write(error: BaseException, log: Path, environ: Mapping[str, str]) -> str:
    text = redact("".join(traceback.format_exception(error)), environ)
    try:
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8", errors="replace") as file:
            file.write(f"{datetime.now(UTC).isoformat()}\n{text}\n")
    except OSError as problem:
        return f"The log {log} cannot be written: {problem.strerror}."
    return f"The details are in {log}."
