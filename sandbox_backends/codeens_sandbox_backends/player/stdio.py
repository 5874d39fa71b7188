"""A program text as a script: standard input to standard output. Role `stdio`.

| request (`op`)             | answer                                                                            |
|----------------------------|-----------------------------------------------------------------------------------|
| `run`: source, argv, stdin | none: the channel is closed before the script starts; how the process ends counts |
"""

from __future__ import annotations

import os
import sys
import tempfile
from types import ModuleType
from typing import List

from . import serving
from .failures import traceback_of

_NAME = "solution.py"


def main(fd: int) -> None:
    """Serve one request; ends as a script would: by returning, or by `SystemExit`."""
    channel = serving.start(fd)
    request = channel.receive()
    os.close(channel.fd)
    if channel.fd != fd:
        os.close(fd)
    _give_input(request["stdin"])
    _run(request["source"], request["argv"])


def _give_input(text: str) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(text.encode("utf-8", "surrogatepass"))
        file.seek(0)
        os.dup2(file.fileno(), 0)
    sys.stdin = os.fdopen(0, encoding="utf-8", errors="surrogateescape", closefd=False)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(encoding="utf-8", errors="surrogateescape")


def _run(source: str, argv: List[str]) -> None:
    module = ModuleType("__main__")
    module.__dict__.update(__file__=_NAME, __builtins__=__builtins__)
    sys.modules["__main__"] = module
    sys.argv = [_NAME, *argv]
    try:
        exec(compile(source, _NAME, "exec", dont_inherit=True), module.__dict__)
    except Exception as error:
        sys.stderr.write(traceback_of(error))
        sys.exit(1)
