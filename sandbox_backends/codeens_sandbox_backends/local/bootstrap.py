"""The text that a fresh interpreter is started with: limits first, then site-packages, then the worker."""

from __future__ import annotations

from typing import Literal

from codeens_sandbox_backends.driver.launcher import WorkerKind
from codeens_sandbox_backends.local.limits import Rlimit

INTERPRETER_FLAGS = ("-I", "-S", "-B")
"""Isolated; site-packages only when the text below asks for them, since their `.pth` files are foreign code."""

READY = b"r"
"""Sent by the worker when its limits are set. It then waits for GO, so that it can be put into a control group."""
GO = b"g"

_TEXT = """\
import os, resource, sys
for name, soft, hard in {rlimits!r}:
    number = getattr(resource, name)
    most = resource.getrlimit(number)[1]
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    resource.setrlimit(number, (soft, hard))
channel = os.dup(0)
nothing = os.open(os.devnull, os.O_RDONLY)
os.dup2(nothing, 0)
os.close(nothing)
os.write(channel, {ready!r})
if os.read(channel, 1) != {go!r}:
    os._exit(1)
import site
site.main()
sys.path.insert(0, {folder!r})
from codeens_worker.{role} import main
main(channel)
"""


def bootstrap(role: WorkerKind | Literal["zygote"], folder: str, limits: tuple[Rlimit, ...]) -> str:
    """Source for `python -c`; `folder` holds the package `codeens_worker`. The channel is its standard input."""
    plain = [tuple(limit) for limit in limits]
    return _TEXT.format(rlimits=plain, ready=READY, go=GO, folder=folder, role=role)
