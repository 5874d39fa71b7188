"""Errors as error replies: the code that the protocol has for them, and the sentence that a person reads."""

from __future__ import annotations

import os
from typing import TypeVar

import msgspec
from cattrs import transform_error
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from codeens_sandbox_backends import reading
from codeens_sandbox_backends.errors import SandboxError
from codeens_server.crash_log import innermost, log_crash
from codeens_server.errors import CodeensError, Hint
from codeens_server.redaction import redact

_MOST_TOLD = 500
_ARGUMENTS = frozenset({"mode", "rounds", "tests", "fresh"})
"""Options of a run that no setting has, only the command that starts it."""

T = TypeVar("T")


class ErrorReply(Exception):
    """An error reply."""

    def __init__(self, code: int, why: str, *, kind: str | None = None) -> None:
        """Make one; `kind`: what a program can tell it by, the `code` of the error that it is about."""
        super().__init__(why)
        self.code = int(code)
        self.kind = kind


def parse_error(why: str) -> ErrorReply:
    """Build the reply to bytes that are no message."""
    return ErrorReply(types.ErrorCodes.ParseError, why)


def converted(value: object, kind: type[T]) -> T:
    """Return a value of the client as one of our types.

    Raises:
        ErrorReply: it is none.
    """
    try:
        return reading.converted(value, kind)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise ErrorReply(types.ErrorCodes.InvalidParams, str(error)) from None


def invalid_params(error: BaseException) -> ErrorReply:
    """Build the reply to what could not be read as the parameters of a method."""
    if isinstance(error, ErrorReply):
        return error
    if isinstance(error, JsonRpcException):
        return ErrorReply(error.code, error.message)
    try:
        why = "; ".join(transform_error(error))
    except Exception as unclear:  # noqa: BLE001
        # Foreign data makes cattrs fail in any way, also while it tells how it failed.
        why = f"{type(unclear).__name__}"
    return ErrorReply(types.ErrorCodes.InvalidParams, f"the parameters are wrong: {why[:_MOST_TOLD]}")


def error_reply(error: BaseException) -> ErrorReply:
    """Build the reply to what a handler raised. An unforeseen error goes into the log, with its traceback."""
    cause = innermost(error)
    if isinstance(cause, ErrorReply):
        return cause
    if isinstance(cause, JsonRpcException):
        return ErrorReply(cause.code, cause.message)
    if isinstance(cause, CodeensError):
        advice = f" {_advice(cause.hint)}" if cause.hint else ""
        return ErrorReply(types.LSPErrorCodes.RequestFailed, redact(f"{cause}{advice}", os.environ), kind=cause.code)
    # Not before: at the end a thread may still be importing it.
    from codeens_variants.manifest import ManifestError

    if isinstance(cause, (SandboxError, ManifestError)):
        return ErrorReply(types.LSPErrorCodes.RequestFailed, redact(str(cause), os.environ))
    return ErrorReply(types.ErrorCodes.InternalError, log_crash(error))


def _advice(hint: Hint) -> str:
    match hint.kind:
        case "option":
            return _option(hint.name)
        case "model":
            return (
                "Configure one in the setting codeens.models, set the key of a provider, start Ollama, or use "
                "an editor that has a model of its own."
            )
        case "runs":
            return "Run it again." if hint.name else "The command codeens.listRuns lists all runs."
        case "variants":
            return "Name one in the setting codeens.variants."
        case "fix":
            return hint.name


def _option(name: str) -> str:
    first, *rest = name.split("_")
    camel = first + "".join(word.capitalize() for word in rest)
    if name == "right":
        return "The command codeens.pinInputAsTest takes it as `right`."
    return (
        f"The command codeens.run takes it as `{camel}`."
        if name in _ARGUMENTS
        else f"It is codeens.{camel} in the settings."
    )
