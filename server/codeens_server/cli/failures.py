"""Errors as a person reads them: one line on stderr, and the exit code. The only place that decides exit codes.

0: done, also when the original stays best. 1: could not be completed. 2: the input was wrong.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import click

from codeens_sandbox_backends.errors import SandboxError, UnknownBackend
from codeens_server.crash_log import innermost, without_secrets, write_log
from codeens_server.errors import CodeensError, InputError
from codeens_server.text import visible
from codeens_variants.manifest import ManifestError


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
    cause = innermost(error)
    if isinstance(cause, (InputError, UnknownBackend, ManifestError)):
        return InputTold(str(cause))
    if isinstance(cause, (CodeensError, SandboxError)):
        return Told(str(cause))
    what = f"{type(cause).__name__}: {without_secrets(str(cause), environ)}"
    return Told(f"this is a fault of codeens ({what}). {write_log(error, log, environ)}")
