"""What exceptions of the Daytona SDK mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from daytona import DaytonaError
from pydantic import ValidationError

from codeens_sandbox_backends.daytona.settings import KEY, SNAPSHOT, URL
from codeens_sandbox_backends.remote.service import Fault

_REFUSED = {401, 402, 403}
_BUSY = {409, 425, 429, 503}
"""409 is what a sandbox answers that is just being started or stopped."""
_LOST = {408, 500, 502, 504}


class NotMade(Exception):
    """A new sandbox was refused for what was asked for: there is no such snapshot, or no such region."""


class Cut(Exception):
    """The connection to a terminal ended, and nobody knows what became of its program."""


def explain(error: Exception) -> Fault:
    """See `Service.explain`."""
    if isinstance(error, NotMade):
        fix = f"Set {SNAPSHOT} to a snapshot of your organization, or unset it"
        return Fault(kind="refused", why=f"no sandbox can be made as asked for ({error})", fix=fix)
    status = next((found for found in map(_status, _causes(error)) if found), None)
    if status in _REFUSED:
        fix = f"Set {KEY} to a key that may create, list and delete sandboxes, and {URL} to the service that it is of"
        return Fault(kind="refused", why=f"the service refused the key ({status}: {error})", fix=fix)
    if status in _BUSY:
        return Fault(kind="busy", why=f"it answered {status} ({error})", retry_after_s=_retry_after(error))
    if status in _LOST:
        return Fault(kind="lost", why=f"it answered {status} ({error})")
    if status is not None:
        return Fault(kind="failed", why=f"it answered {status} ({error})")
    if any(isinstance(cause, ValidationError) for cause in _causes(error)):
        return Fault(kind="failed", why="it answered what its SDK does not understand; another version of it may")
    if any(isinstance(cause, aiohttp.ClientError | OSError) for cause in _causes(error)):
        return Fault(kind="lost", why=f"the connection failed ({error})")
    return Fault(kind="failed", why=str(error) or type(error).__name__)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _status(error: BaseException) -> int | None:
    return error.status_code if isinstance(error, DaytonaError) else None


def _retry_after(error: Exception) -> float | None:
    """Return the seconds, from a header that is a number or a date (RFC 9110, 10.2.3)."""
    headers: Mapping[str, Any] = error.headers if isinstance(error, DaytonaError) else {}
    text = next((str(value) for name, value in headers.items() if name.lower() == "retry-after"), "")
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
