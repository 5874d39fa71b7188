"""How a package that is missing is brought into the environment that runs codeens, however codeens came there."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, requires
from importlib.util import find_spec
from pathlib import Path

_DISTRIBUTION = "codeens"
_WANTED = re.compile(r"(?P<requirement>[^;]+?)\s*;.*\bextra == ['\"](?P<extra>[^'\"]+)['\"]")


def installer() -> tuple[str, ...] | None:
    """Return the command that installs beside codeens, without the packages; None: neither uv nor pip is here.

    An environment that uv made has no pip, and a pip of the search path is of another environment.
    """
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv is not None:
        return uv, "pip", "install", "-p", sys.executable
    return (sys.executable, "-m", "pip", "install") if find_spec("pip") else None


def installing(*packages: str) -> str:
    """Return the command, as a shell takes it, that installs packages beside codeens.

    Args:
        packages: requirements, as pip takes them.
    """
    return shlex.join([*(installer() or ("uv", "pip", "install", "-p", sys.executable)), *packages])


def installing_extra(extra: str) -> str:
    """Return the command, as a shell takes it, that brings what an extra of codeens stands for.

    It names the packages and not `codeens[extra]`: there may be no index that has codeens.

    Args:
        extra: the extra's name in codeens' metadata.
    """
    return installing(*requirements_of(extra))


@cache
def requirements_of(extra: str) -> tuple[str, ...]:
    """Return what an extra asks for; its name alone where the metadata of codeens are not there.

    Args:
        extra: the extra's name in codeens' metadata.
    """
    try:
        lines = requires(_DISTRIBUTION) or []
    except PackageNotFoundError:
        return (extra,)
    found = (match for line in lines if (match := _WANTED.fullmatch(line)) and match["extra"] == extra)
    return tuple(match["requirement"] for match in found) or (extra,)
