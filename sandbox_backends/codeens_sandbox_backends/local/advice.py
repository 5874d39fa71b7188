"""How to allow what bubblewrap needs, as far as the kernel's settings tell."""

from __future__ import annotations

from pathlib import Path

_SETTINGS = (
    ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
    ("kernel.unprivileged_userns_clone", "0", "1"),
    ("user.max_user_namespaces", "0", "15000"),
)
"""Name, the value that forbids, the value that allows. Of Ubuntu, of Debian, of every Linux."""
_CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv")


def namespace_fix(settings: Path = Path("/proc/sys")) -> str:
    """One sentence; `settings` is the folder that the kernel shows its settings in."""
    for name, forbids, allows in _SETTINGS:
        file = settings.joinpath(*name.split("."))
        if file.is_file() and file.read_text(encoding="utf-8").strip() == forbids:
            return f"Allow unprivileged user namespaces: sysctl -w {name}={allows}"
    if any(Path(mark).exists() for mark in _CONTAINER_MARKS):
        return "Start the container with --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
    return "Use bubblewrap 0.8 or newer, and allow unprivileged user namespaces"
