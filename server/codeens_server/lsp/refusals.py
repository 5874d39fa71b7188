"""Errors as error replies: the code that the protocol has for them, and the sentence that a person reads."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from cattrs import transform_error
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from codeens_sandbox_backends import reading
from codeens_sandbox_backends.errors import SandboxError
from codeens_server.crash_log import innermost, log_crash
from codeens_server.errors import CodeensError

_MOST_TOLD = 500

T = TypeVar("T")


class Refusal(Exception):
    """An error reply."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = int(code)


def parse_error(why: str) -> Refusal:
    """Of bytes that are no message."""
    return Refusal(types.ErrorCodes.ParseError, why)


def converted(value: object, kind: type[T]) -> T:
    """A value of the client as one of our types.

    Raises:
        Refusal: it is none.
    """
    try:
        return reading.converted(value, kind)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise Refusal(types.ErrorCodes.InvalidParams, str(error)) from None


def invalid_params(error: BaseException) -> Refusal:
    """What could not be read as the parameters of a method."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, JsonRpcException):
        return Refusal(error.code, error.message)
    try:
        why = "; ".join(transform_error(error))
    except Exception as unclear:  # noqa: BLE001
        # Foreign data makes cattrs fail in any way, also while it tells how it failed.
        why = f"{type(unclear).__name__}"
    return Refusal(types.ErrorCodes.InvalidParams, f"the parameters are wrong: {why[:_MOST_TOLD]}")


def refusal_for(error: BaseException) -> Refusal:
    """What a handler raised. An error that nobody foresaw goes into the log, with its traceback."""
    from codeens_variants.manifest import ManifestError

    cause = innermost(error)
    if isinstance(cause, Refusal):
        return cause
    if isinstance(cause, JsonRpcException):
        return Refusal(cause.code, cause.message)
    if isinstance(cause, (CodeensError, SandboxError, ManifestError)):
        return Refusal(types.LSPErrorCodes.RequestFailed, str(cause))
    return Refusal(types.ErrorCodes.InternalError, log_crash(error))
