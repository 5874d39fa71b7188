"""What of this machine is visible inside: folders at their real place, and the links that lead to them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from codeens_sandbox_backends.base import SandboxSpec
from codeens_sandbox_backends.errors import SandboxUnavailable

SYSTEM = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc/ld.so.cache",
    "/etc/alternatives",
)
"""What a dynamically linked program needs of the system; nothing of it is secret."""
_LINKS_AT_MOST = 64


class Layout(NamedTuple):
    """Binds and links do not lie inside one another, so their order is free."""

    system: tuple[str, ...]
    """Real paths that every user may read."""
    private: tuple[str, ...]
    """Real paths that perhaps only the owner may reach."""
    links: tuple[tuple[str, str], ...]
    """Symbolic links to make: (place, what it points to)."""


def layout_of(spec: SandboxSpec, *, backend: str) -> Layout:
    """Return all that a spec's programs need.

    Raises:
        SandboxUnavailable: the interpreter is not there, or cannot be shown without showing a home folder.
    """
    wanted = [*SYSTEM, *interpreter_folders(spec.python, backend), *spec.readable]
    present = [path for path in wanted if Path(path).exists()]
    real = outermost(os.path.realpath(path) for path in present)
    system = outermost(os.path.realpath(path) for path in SYSTEM if Path(path).exists())
    links = {place: target for path in [*present, spec.python] for place, target in links_on(path)}
    return Layout(
        system=tuple(path for path in real if path in system),
        private=tuple(path for path in real if path not in system),
        links=tuple((place, target) for place, target in links.items() if not is_below(place, real)),
    )


def source_of(path: str, placed: Iterable[tuple[str, str]]) -> str | None:
    """Return where on this machine lies what `path` shows inside; None: it is not below what came from elsewhere."""
    for place, source in placed:
        if is_below(path, [place]):
            return source + path.removeprefix(place)
    return None


def interpreter_folders(python: str, backend: str) -> list[str]:
    """Return the virtual environment, if it is one, and the installation behind it.

    Found by looking, not by running it: a workspace's interpreter is foreign code.
    """
    if not (Path(python).is_absolute() and os.access(python, os.X_OK)):
        raise SandboxUnavailable(backend, f"there is no interpreter at {python!r}", "Set `python` to an absolute path")
    environment = Path(python).parent.parent
    prefix = Path(os.path.realpath(python)).parent.parent
    folders = [str(environment), str(prefix)] if (environment / "pyvenv.cfg").is_file() else [str(prefix)]
    home = os.path.realpath(Path.home())
    for folder in folders:
        if is_below(home, [os.path.realpath(folder)]):
            raise SandboxUnavailable(
                backend,
                f"the interpreter {python!r} is installed in {folder}, which holds your home folder",
                "Use an interpreter with a folder of its own (a system, pyenv or uv one)",
            )
    return folders


def links_on(path: str) -> Iterator[tuple[str, str]]:
    """Every symbolic link met on the way to `path`, the first one first."""
    for _ in range(_LINKS_AT_MOST):
        steps = [*reversed(Path(path).parents), Path(path)]
        link = next((step for step in steps if step.is_symlink()), None)
        if link is None:
            return
        target = link.readlink()
        yield str(link), str(target)
        path = os.path.normpath(link.parent / target / Path(path).relative_to(link))


def outermost(paths: Iterable[str]) -> list[str]:
    """Return the paths that are not inside another one."""
    kept: list[str] = []
    for path in sorted(set(paths)):
        if not is_below(path, kept):
            kept.append(path)
    return kept


def is_below(path: str, folders: Iterable[str]) -> bool:
    """Return whether it is one of the folders or inside one."""
    return any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in folders)
