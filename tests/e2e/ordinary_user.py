"""A command as a user without any rights, also where the interpreter lies in root's home folder."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

USER = 54321
_SCRIPT = """
set -eu
hold="$1"; home="$2"; shift 2
mkdir -p "$hold"
number=0
for folder in $CLOSED; do
    number=$((number + 1))
    for kept in $KEPT; do
        case "$kept/" in "$folder"/*) mkdir -p "$hold/$number$kept"; mount --bind "$kept" "$hold/$number$kept";; esac
    done
    mount -t tmpfs -o mode=755 none "$folder"
    for kept in $KEPT; do
        case "$kept/" in "$folder"/*) mkdir -p "$kept"; mount --bind "$hold/$number$kept" "$kept";; esac
    done
done
cd "$home"
rights="--clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs"
exec setpriv --reuid "$USER_ID" --regid "$USER_ID" $rights "$@"
"""


def why_not() -> str:
    """Why a command cannot be run so; empty when it can."""
    missing = [tool for tool in ("unshare", "setpriv", "mount") if shutil.which(tool) is None]
    if missing:
        return f"{', '.join(missing)} not installed"
    return "" if os.geteuid() == 0 else "only root can become another user"


def command(home: Path, *arguments: str) -> list[str]:
    """The arguments as that user, in the folder `home`, which becomes theirs.

    In a mount namespace of its own, closed folders above the interpreter and this project are replaced by empty ones
    in which only these are to be seen.
    """
    os.chown(home, USER, USER)
    kept = sorted({os.path.realpath(sys.base_prefix), os.path.realpath(sys.prefix), str(Path(__file__).parents[2])})
    closed = sorted({folder for path in kept for folder in _closed_above(Path(path))})
    settings = [f"CLOSED={' '.join(closed)}", f"KEPT={' '.join(kept)}", f"USER_ID={USER}"]
    hold = f"/run/codeens-hold-{os.getpid()}"
    return ["unshare", "--mount", "env", *settings, "sh", "-c", _SCRIPT, "sh", hold, str(home), *arguments]


def _closed_above(path: Path) -> list[str]:
    """The outermost folder above that others cannot enter, if there is one."""
    above = [str(folder) for folder in reversed(path.parents) if not folder.stat().st_mode & 0o001]
    return above[:1]
