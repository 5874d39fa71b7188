"""Errors as a person reads them: one line on stderr, and the exit code. The only place that decides exit codes.

0: done, also when the original stays best. 1: could not be completed. 2: the input was wrong.
"""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, cast

import click

from codeens_sandbox_backends.errors import SandboxError, UnknownBackend
from codeens_server.cli.text import visible
from codeens_server.errors import CodeensError, InputError
from codeens_variants.manifest import ManifestError

_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)
_SHORTEST_SECRET = 6


class Told(click.ClickException):
    """An error that was put into words; click shows it and exits."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        click.secho("error: ", fg="red", nl=False, err=True, file=file)
        click.echo(visible(self.message), err=True, file=file)


class InputTold(Told):
    """The same, of a wrong input."""

    exit_code = 2


def told(error: Exception, *, log: Path, environ: Mapping[str, str] = os.environ) -> Told:
    """Any error as its one line; one that nobody foresaw goes into the log with its traceback."""
    cause = _innermost(error)
    if isinstance(cause, (InputError, UnknownBackend, ManifestError)):
        return InputTold(str(cause))
    if isinstance(cause, (CodeensError, SandboxError)):
        return Told(str(cause))
    what = f"{type(cause).__name__}: {without_secrets(str(cause), environ)}"
    return Told(f"this is a fault of codeens ({what}). {_write_log(error, log, environ)}")


def _innermost(error: BaseException) -> BaseException:
    """Task groups wrap what their tasks raise; the first error in is the one that ended the others."""
    if isinstance(error, BaseExceptionGroup):
        return _innermost(cast("BaseExceptionGroup[BaseException]", error).exceptions[0])
    return error


def _write_log(error: Exception, log: Path, environ: Mapping[str, str]) -> str:
    text = "".join(traceback.format_exception(error))
    try:
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8", errors="replace") as file:
            file.write(f"{datetime.now(UTC).isoformat()}\n{without_secrets(text, environ)}\n")
    except OSError as problem:
        return f"The log {log} can not be written: {problem.strerror}."
    return f"The details are in {log}."


def without_secrets(text: str, environ: Mapping[str, str]) -> str:
    """The text without the values of environment variables that are named like secrets."""
    for name, value in environ.items():
        if _SECRET_NAME.search(name) and len(value) >= _SHORTEST_SECRET:
            text = text.replace(value, f"<{name}>")
    return text
