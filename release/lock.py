"""The part of requirements.lock that the server needs, without what developing and most extras need."""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

from release.tools import Failed, run

REPOSITORY = Path(__file__).parents[1]
EXTRAS = ("sandlock",)
"""Without an administrator it is the only sandbox that can be had."""


OLDEST, NEWEST = "3.11", "3.14"
"""Pythons for which all of it has wheels."""


class Pinned(NamedTuple):
    """One entry of a lock."""

    requirement: str
    """Name, version and marker."""
    hashes: frozenset[str]

    @property
    def name(self) -> str:
        """As indexes write it."""
        return self.requirement.partition("==")[0]

    @property
    def version(self) -> str:
        """Of the one distribution that it admits."""
        return self.requirement.partition("==")[2].partition(" ")[0]

    @property
    def text(self) -> str:
        """As it stands in a lock."""
        return " \\\n".join([self.requirement, *(f"    --hash={each}" for each in sorted(self.hashes))])


def entries(lock: str) -> list[Pinned]:
    """Read a lock as `uv pip compile` writes it."""
    return [
        Pinned(text.splitlines()[0].removesuffix("\\").strip(), frozenset(re.findall(r"--hash=(\S+)", text)))
        for text in re.split(r"\n(?=\S)", lock.strip())
    ]


@cache
def server_entries() -> tuple[Pinned, ...]:
    """Have uv say what the server needs, in the versions of the lock and with its hashes.

    Raises:
        Failed: uv could not, or the lock lacks something.
    """
    options = ["--universal", "--python-version", OLDEST, "--no-header", "--no-annotate"]
    quiet = ["--no-emit-index-url", "--no-emit-find-links", "-c", "requirements.lock"]
    extras = [option for extra in EXTRAS for option in ("--extra", extra)]
    uv = str(Path(sys.executable).with_name("uv"))
    wanted = entries(run([uv, "pip", "compile", "-q", *options, *quiet, *extras, "pyproject.toml"], cwd=REPOSITORY))
    lock = entries((REPOSITORY / "requirements.lock").read_text(encoding="utf-8"))
    hashes = {(each.name, each.version): each.hashes for each in lock}
    if missing := [each.requirement for each in wanted if (each.name, each.version) not in hashes]:
        raise Failed(f"requirements.lock must be renewed, it lacks {', '.join(missing)}")
    return tuple(each._replace(hashes=hashes[each.name, each.version]) for each in wanted)


def server_lock() -> str:
    """Give it as text: for installers that compare every file with its hash."""
    return "".join(f"{each.text}\n" for each in server_entries())
