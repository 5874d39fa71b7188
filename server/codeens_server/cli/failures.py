"""Errors as a person reads them: one line on stderr, and the exit code. The only place that decides exit codes.

0: done, also when the original stays best. 1: could not be completed. 2: the input was wrong.
"""

from __future__ import annotations

import os
from typing import IO, Any

import click

from codeens_sandbox_backends.errors import SandboxError, SandboxUnavailable, UnknownBackend
from codeens_server.config.settings import Settings
from codeens_server.crash_log import innermost, log_crash
from codeens_server.errors import CodeensError, Hint, InputError
from codeens_server.redaction import redact
from codeens_server.text import visible
from codeens_variants.manifest import ManifestError

_FLAGS = {
    **{
        name: f"--{name}"
        for name in (
            "bench",
            "data",
            "deselect",
            "effort",
            "fresh",
            "goal",
            "mode",
            "python",
            "resume",
            "results",
            "right",
            "rounds",
            "samples",
            "sandbox",
            "selector",
            "skip",
            "tests",
        )
    },
    "budget_calls": "--budget-calls",
    "budget_tokens": "--budget-tokens",
    "budget_usd": "--budget-usd",
    "models": "--model",
    "timeout_s": "--timeout",
    "variants": "--variant",
}
"""By the name of the run option. What is not here can only be set in a settings file."""


class ShownError(click.ClickException):
    """An error that was put into words; click shows it and exits."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        click.secho("error: ", fg="red", nl=False, err=True, file=file)
        click.echo(visible(redact(self.message, os.environ)), err=True, file=file)


class ShownInputError(ShownError):
    """The same, of a wrong input."""

    exit_code = 2


def shown(error: Exception) -> ShownError:
    """Return any error as its one line; one that nobody foresaw goes into the log with its traceback."""
    cause = innermost(error)
    if isinstance(cause, CodeensError):
        kind = ShownInputError if isinstance(cause, InputError) else ShownError
        return kind(f"{cause} {_advice(cause.hint)}" if cause.hint else str(cause))
    if isinstance(cause, (UnknownBackend, ManifestError)):
        return ShownInputError(str(cause))
    if isinstance(cause, SandboxUnavailable) and cause.backend == Settings().sandbox:
        why = f"sandbox {cause.backend!r} cannot be used here: {cause.why}"
        return ShownError(f"{why}. `codeens sandbox install` brings what this machine allows; by hand: {cause.fix}")
    return ShownError(str(cause) if isinstance(cause, SandboxError) else log_crash(error))


def _advice(hint: Hint) -> str:
    match hint.kind:
        case "option":
            flag = _FLAGS.get(hint.name)
            return f"The option is {flag}." if flag else f"The setting is {hint.name}."
        case "model":
            return (
                "Configure a model: --model openai/NAME with OPENAI_API_KEY set, or start Ollama; "
                "`codeens doctor` shows what can be reached."
            )
        case "runs":
            if hint.name:
                return f"Go on with it: codeens run --resume {hint.name}"
            return "`codeens runs list` shows all."
        case "variants":
            return "Enable one with `codeens variants enable NAME`, or name one with --variant NAME."
        case "fix":
            return hint.name
