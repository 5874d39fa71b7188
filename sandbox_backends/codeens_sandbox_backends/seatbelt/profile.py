"""The rules that a worker on macOS runs under, in the language of sandbox-exec (SBPL): the last rule that fits holds.

Sources: sandbox-exec(1), sandbox(7), and the system's own profiles in /System/Library/Sandbox/Profiles.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

SYSTEM = (
    "/usr/lib",
    "/usr/share",
    "/usr/bin",
    "/bin",
    "/System/Library",
    "/System/Volumes/Preboot/Cryptexes/OS",
    "/private/var/db/dyld",
    "/private/var/db/timezone",
    "/private/etc/localtime",
    "/Library/Developer/CommandLineTools",
)
"""What a dynamically linked program needs of the system; nothing of it is secret."""
_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
_CAN_RUN = ("/usr/bin", "/bin")
_FIRST_CONTROL_FREE = " "


def profile(*, readable: Sequence[str], runnable: Sequence[str], hidden: Sequence[str], writable: str) -> str:
    """Return rules that deny everything unnamed: files, network, other processes, services of the system.

    Args:
        readable: Real paths of files and folders.
        runnable: Real paths of folders whose programs can be started.
        hidden: Real paths in readable ones that cannot be read.
        writable: Real path of the only folder that can be written to.

    Raises:
        ValueError: a path has a control character.
    """
    shown = [*SYSTEM, *readable, writable]
    rules = [
        "(version 1)",
        "(deny default)",
        "(allow process-fork)",
        _rule("allow process-exec", _below([*_CAN_RUN, *runnable])),
        "(allow signal (target same-sandbox))",
        "(allow process-info* (target same-sandbox))",
        "(allow sysctl-read)",
        _rule("allow file-read*", [*_below(shown), *_exactly(_DEVICES)]),
        _rule("allow file-read-metadata", _exactly(_ways_to(shown))),
        _rule("allow file-write*", _below([writable])),
        _rule("allow file-write-data", _exactly(_DEVICES[:2])),
    ]
    if hidden:
        rules.append(_rule("deny file-read*", _below(hidden)))
    return "\n".join(rules) + "\n"


def _rule(action: str, filters: Iterable[str]) -> str:
    return "\n  ".join([f"({action}", *filters]) + ")"


def _below(paths: Iterable[str]) -> list[str]:
    return [f"(subpath {_quoted(path)})" for path in paths]


def _exactly(paths: Iterable[str]) -> list[str]:
    return [f"(literal {_quoted(path)})" for path in paths]


def _ways_to(paths: Iterable[str]) -> list[str]:
    """Return the folders above: their content stays unknown, but links on the way can be followed."""
    return sorted({str(parent) for path in paths for parent in PurePosixPath(path).parents})


def _quoted(path: str) -> str:
    if any(letter < _FIRST_CONTROL_FREE for letter in path):
        message = f"a control character in {path!r}"
        raise ValueError(message)
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
