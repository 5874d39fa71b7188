"""What Daytona needs to be told, from the environment. Its SDK would also read `.env` files of the working folder."""

from __future__ import annotations

import os

from msgspec import Struct

from codeens_sandbox_backends.errors import SandboxUnavailable
from codeens_sandbox_backends.remote.setup import ServiceOptions

NAME = "daytona"
KEY = "DAYTONA_API_KEY"
URL = "DAYTONA_API_URL"
TARGET = "DAYTONA_TARGET"
SNAPSHOT = "CODEENS_DAYTONA_SNAPSHOT"
PYTHON = "CODEENS_DAYTONA_PYTHON"
SANDBOXES = "CODEENS_DAYTONA_SANDBOXES"
_USUAL_URL = "https://app.daytona.io/api"
_USUAL_TARGET = "us"
_USUAL_SANDBOXES = 4
_SANDBOXES_AT_MOST = 100


class DaytonaSettings(Struct, frozen=True, kw_only=True):
    """All of it, so that the SDK looks nothing up by itself."""

    key: str
    url: str
    target: str
    """The region. Without one the SDK would look for it, and for keys, in files."""
    snapshot: str | None
    """None: the organization's default."""
    options: ServiceOptions


def settings_from_environment() -> DaytonaSettings:
    """Raises `SandboxUnavailable` when there is no key, or a setting is wrong."""
    key = os.environ.get(KEY, "").strip()
    if not key:
        raise SandboxUnavailable(NAME, f"{KEY} is not set", f"Set {KEY} to an API key of your Daytona organization")
    return DaytonaSettings(
        key=key,
        url=os.environ.get(URL) or _USUAL_URL,
        target=os.environ.get(TARGET) or _USUAL_TARGET,
        snapshot=os.environ.get(SNAPSHOT) or None,
        options=ServiceOptions(
            backend=NAME,
            python=os.environ.get(PYTHON) or "python3",
            sandboxes=_sandboxes(os.environ.get(SANDBOXES) or str(_USUAL_SANDBOXES)),
            python_setting=PYTHON,
            image_setting=SNAPSHOT,
        ),
    )


def _sandboxes(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= _SANDBOXES_AT_MOST):
        why = f"{SANDBOXES} is {text!r}, which is not a number from 1 to {_SANDBOXES_AT_MOST}"
        raise SandboxUnavailable(NAME, why, "Set it to how many sandboxes there may be at once, or unset it")
    return int(text)
