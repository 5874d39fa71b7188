"""How to reach E2B, and what its sandboxes are made from."""

from __future__ import annotations

import os

from msgspec import Struct

from codeens_sandbox_backends.errors import SandboxUnavailable
from codeens_sandbox_backends.remote.setup import ServiceOptions

NAME = "e2b"
KEY_SETTING = "E2B_API_KEY"
TEMPLATE_SETTING = "CODEENS_E2B_TEMPLATE"
PYTHON_SETTING = "CODEENS_E2B_PYTHON"
SANDBOXES_SETTING = "CODEENS_E2B_SANDBOXES"
_USUAL_SANDBOXES = 4
_USUAL_DOMAIN = "e2b.app"


class E2BSettings(Struct, frozen=True, kw_only=True):
    """All of it, so that the SDK looks nothing up by itself."""

    api_key: str
    domain: str
    api_url: str
    sandbox_url: str | None
    """None: as the service says."""
    template: str
    options: ServiceOptions


def settings_from_environment() -> E2BSettings:
    """Raises `SandboxUnavailable` when there is no key, or a setting is wrong."""
    key = os.environ.get(KEY_SETTING, "").strip()
    if not key:
        raise SandboxUnavailable(NAME, f"{KEY_SETTING} is not set", f"Set {KEY_SETTING} to a key of your E2B team")
    domain = os.environ.get("E2B_DOMAIN") or _USUAL_DOMAIN
    return E2BSettings(
        api_key=key,
        domain=domain,
        api_url=os.environ.get("E2B_API_URL") or f"https://api.{domain}",
        sandbox_url=os.environ.get("E2B_SANDBOX_URL") or None,
        template=os.environ.get(TEMPLATE_SETTING) or "base",
        options=ServiceOptions(
            backend=NAME,
            python=os.environ.get(PYTHON_SETTING) or "python3",
            sandboxes=_sandboxes(),
            python_setting=PYTHON_SETTING,
            image_setting=TEMPLATE_SETTING,
        ),
    )


def _sandboxes() -> int:
    text = os.environ.get(SANDBOXES_SETTING) or str(_USUAL_SANDBOXES)
    if not text.isdecimal() or not int(text):
        raise SandboxUnavailable(NAME, f"{SANDBOXES_SETTING} is {text!r}", "Set it to a number from 1 on, or unset it")
    return int(text)
