"""What this machine lacks for a backend, and what its user may do."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from functools import cache
from importlib import import_module

from codeens_sandbox_backends.host.cgroups import make_cgroup
from codeens_sandbox_backends.jobs import Limits


@cache
def why_not(name: str) -> str:
    """Why the backend cannot be tested here; empty when it can."""
    return {"local": _bubblewrap, "sandlock": _sandlock}.get(name, lambda: "")()


def has_control_groups() -> bool:
    """Whether this user may make control groups."""
    made = make_cgroup(Limits())
    if made is None:
        return False
    made.remove()
    return True


def _bubblewrap() -> str:
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed"
    command = ["bwrap", "--unshare-all", "--unshare-user", "--disable-userns", "--ro-bind", "/", "/", "true"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8")
    return f"bubblewrap does not work here: {done.stderr.strip()}" if done.returncode else ""


def _sandlock() -> str:
    if importlib.util.find_spec("sandlock") is None:
        return "sandlock is not installed"
    sandlock = import_module("sandlock")
    if sandlock.landlock_abi_version() < sandlock.min_landlock_abi():
        return "the kernel's Landlock is too old for sandlock"
    return ""
