"""What exceptions of E2B's SDK mean."""

from __future__ import annotations

import re

import httpx

from codeens_sandbox_backends.e2b.settings import KEY_SETTING
from codeens_sandbox_backends.remote.service import Fault

_STATUS = re.compile(r"(\d{3}): ")
_FORBIDDEN, _REQUEST_TIMEOUT, _CONFLICT, _SERVER_ERROR = 403, 408, 409, 500


class TemplateRefused(Exception):
    """The service does not make sandboxes from the template that it was asked for."""

    def __init__(self, template: str, why: str, setting: str) -> None:
        super().__init__(f"it makes no sandbox from the template {template!r} ({why})")
        self.setting = setting


def explain(error: Exception) -> Fault:
    """See `remote.service.Service.explain`."""
    from e2b import CommandExitException
    from e2b.exceptions import (
        AuthenticationException,
        NotFoundException,
        RateLimitException,
        SandboxNotRunningException,
        ServiceBusyException,
        TemplateException,
        TimeoutException,
    )

    match error:
        case AuthenticationException():
            fix = f"Set {KEY_SETTING} to a valid key of your E2B team"
            return Fault(kind="refused", why=f"the service refused the key in {KEY_SETTING}", fix=fix)
        case TemplateRefused():
            return Fault(kind="refused", why=str(error), fix=f"Set {error.setting} to a template of your team")
        case TemplateException():
            return Fault(kind="refused", why=str(error), fix="Build the template anew with a current version of E2B")
        case RateLimitException() | ServiceBusyException():
            return Fault(kind="busy", why=str(error))
        case CommandExitException():
            return Fault(kind="failed", why=f"a program ended with code {error.exit_code}")
        case SandboxNotRunningException() | NotFoundException():
            return Fault(kind="failed", why=f"the sandbox is gone ({error})")
        case TimeoutException() | httpx.TransportError() | OSError():
            return Fault(kind="lost", why=f"the connection failed ({error})")
        case _:
            return _by_status(error)


def _by_status(error: Exception) -> Fault:
    """Of an error that has no class of its own."""
    from e2b.exceptions import SandboxException

    if not isinstance(error, SandboxException):
        return Fault(kind="lost", why=f"{type(error).__name__}: {error}")
    found = _STATUS.match(str(error))
    status = error.status_code or (int(found[1]) if found else _SERVER_ERROR)
    if status == _FORBIDDEN:
        return Fault(kind="refused", why=str(error), fix=f"Use a key in {KEY_SETTING} that may do this")
    if status == _CONFLICT:  # another request for the same sandbox is on its way
        return Fault(kind="busy", why=str(error))
    known_failed = status < _SERVER_ERROR and status != _REQUEST_TIMEOUT
    return Fault(kind="failed" if known_failed else "lost", why=str(error))
