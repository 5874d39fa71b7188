"""Bring the default sandbox to this machine, with what the machine and its user allow."""

from __future__ import annotations

import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

import anyio
from msgspec import Struct

from codeens_sandbox_backends.base import Readiness
from codeens_sandbox_backends.extras import installer, requirements_of
from codeens_sandbox_backends.registry import get_backend
from codeens_server.config.settings import Settings
from codeens_server.text import one_line

_INSTALLED_WITHIN_S = 600.0
_ASKED_WITHIN_S = 10.0
_LANDLOCK = (6, 12)
"""The Linux that has all that sandlock needs."""

_STANDARD_ERROR = 2

Say = Callable[[str], None]


class Brought(Struct, frozen=True, kw_only=True):
    """What was done for the default sandbox, and whether it works now."""

    did: tuple[str, ...]
    usable: bool
    how: str
    """What isolates; empty where nothing does."""
    ask: str = ""
    """What an administrator can do; empty where nothing is missing."""


async def bring_sandbox(environ: Mapping[str, str], say: Say) -> Brought:
    """Install what the default sandbox needs: bubblewrap by apt, as root or by sudo, else sandlock beside codeens.

    Args:
        environ: the variables that commands are run with.
        say: gets a line before each of them.
    """
    did: list[str] = []
    ready = await _probe()
    if not ready.usable:
        for command, name in _ways():
            say(f"{name}: {' '.join(command)}")
            if await _run(command, environ):
                did.append(name)
                importlib.invalidate_caches()
                ready = await _probe()
            if ready.usable:
                break
    return Brought(
        did=tuple(did),
        usable=ready.usable,
        how=ready.isolation.label if ready.usable else "",
        ask=one_line(f"{ready.why}. {ready.fix}") if ready.why else "",
    )


async def _probe() -> Readiness:
    return await get_backend(Settings().sandbox).probe()


def _ways() -> Iterator[tuple[Sequence[str], str]]:
    """Yield commands to try until the sandbox works, each with what it brings."""
    root = _as_root()
    apt = shutil.which("apt-get")
    if apt and root is not None and shutil.which("bwrap") is None:
        install = [*root, apt, "install", "-y", "-q", "--no-install-recommends", "bubblewrap"]
        refresh = shlex.join([*root, apt, "update", "-q"])
        script = f"{shlex.join(install)} || {{ {refresh} && {shlex.join(install)}; }}"
        yield ("sh", "-c", script), "bubblewrap"
    if _has_landlock() and (command := installer()):
        yield (*command, "-q", *requirements_of("sandlock")), "sandlock"


def _as_root() -> list[str] | None:
    """Return what to put before a command that only root may run; None: this user may not."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo is None:
        return None
    try:
        asked = subprocess.run([sudo, "-n", "true"], capture_output=True, timeout=_ASKED_WITHIN_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return None if asked.returncode else [sudo, "-n"]


def _has_landlock() -> bool:
    release = re.match(r"(\d+)\.(\d+)", os.uname().release)
    return sys.platform == "linux" and release is not None and (int(release[1]), int(release[2])) >= _LANDLOCK


async def _run(command: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Return whether a command succeeded; what it prints is for people, on standard error."""
    environ = {**environ, "DEBIAN_FRONTEND": "noninteractive"}
    with anyio.move_on_after(_INSTALLED_WITHIN_S):
        done = await anyio.run_process(
            command, stdin=subprocess.DEVNULL, stdout=_STANDARD_ERROR, stderr=None, check=False, env=environ
        )
        return done.returncode == 0
    return False
