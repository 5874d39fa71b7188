"""A program text as a script: standard input to standard output. CallWorker kind `stdio`.

| request (`op`)             | answer                                                                            |
|----------------------------|-----------------------------------------------------------------------------------|
| `run`: source, argv, stdin | none: the channel is closed before the script starts; how the process ends counts |
"""

from __future__ import annotations

import os
import sys
from types import ModuleType
from typing import List

from . import serving
from .failures import traceback_of

_NAME = "solution.py"


def main(fd: int) -> None:
    """Serve one request; ends as a script would: by returning, or by `SystemExit`."""
    import tempfile  # with which comes `random`: not for the process that scripts are forked from

    channel = serving.start(fd)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 0)
    if channel.fd != fd:
        os.close(fd)
    serve(channel)


def serve(channel: serving.Channel) -> None:
    """The same, where descriptor 0 is an empty file already."""
    request = channel.receive()
    os.close(channel.fd)
    with open(0, "wb", closefd=False) as file:
        file.write(request["stdin"].encode("utf-8", "surrogatepass"))
        file.seek(0)
    sys.stdin = os.fdopen(0, encoding="utf-8", errors="surrogateescape", closefd=False)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(encoding="utf-8", errors="surrogateescape")
    _run(request["source"], request["argv"])


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
