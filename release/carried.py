"""What the extension carries of the server: `python -m release.carried` lays it beside the extension's code."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from release.lock import REPOSITORY, server_lock
from release.tools import run

CLIENT = REPOSITORY / "editor-client"
FOLDER = CLIENT / "dist" / "server"


def build_wheel(folder: Path, source: Path = REPOSITORY) -> Path:
    """Build the wheel of a source tree into an empty folder; what is declared as the build system must be installed.

    Raises:
        Failed: it cannot be built.
    """
    run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder.absolute())], cwd=source)
    (wheel,) = folder.glob("*.whl")
    return wheel


def carry() -> None:
    """Fill the folder anew: the wheel, the lock of what it needs, and the lock of uv."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    build_wheel(FOLDER)
    (FOLDER / "requirements.lock").write_text(server_lock(), encoding="utf-8")
    shutil.copy(REPOSITORY / "requirements-uv.lock", FOLDER)


if __name__ == "__main__":
    carry()
