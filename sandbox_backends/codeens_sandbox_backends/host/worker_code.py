"""Where the code of workers lies on this machine."""

from __future__ import annotations

import os
import py_compile
import sys
from contextlib import suppress
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path

from codeens_sandbox_backends import worker


@cache
def worker_folder() -> str:
    """Return the real path of the worker's package, compiled where that can be kept.

    What runs in a sandbox cannot keep what it compiles: each process there would compile it all again.
    """
    folder = os.path.realpath(Path(worker.__file__).parent)
    if not sys.dont_write_bytecode:
        with suppress(OSError):
            for file in Path(folder).rglob("*.py"):
                if not _is_compiled(file):
                    py_compile.compile(str(file))
    return folder


def _is_compiled(file: Path) -> bool:
    compiled = Path(cache_from_source(str(file)))
    return compiled.exists() and compiled.stat().st_mtime >= file.stat().st_mtime
