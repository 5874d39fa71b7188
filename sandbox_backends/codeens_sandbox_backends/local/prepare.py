"""Takes a worker that waits at its start, bounds it from outside, and lets it go."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from codeens_sandbox_backends.base import Limits
from codeens_sandbox_backends.errors import SandboxBroken
from codeens_sandbox_backends.local.cgroups import make_cgroup
from codeens_sandbox_backends.local.pidfd import watch
from codeens_sandbox_backends.local.process import LocalProcess, nothing
from codeens_sandbox_backends.local.start import Started


def prepared(
    started: Started,
    limits: Limits,
    *,
    root: int,
    wrapped: bool,
    memory_code: int | None = None,
    kill_rest: Callable[[], None] = nothing,
    clean_up: Callable[[], None] = nothing,
) -> LocalProcess:
    """Put the worker into a control group where there are any, and release it.

    `root` is the process whose end is the end of all others; the rest is as for `LocalProcess`.

    Raises:
        SandboxBroken: the worker ended meanwhile.
    """
    cgroup = make_cgroup(limits)
    try:
        if cgroup is not None and not cgroup.add(started.pid):
            cgroup.remove()
            cgroup = None
        watched = watch(started.popen.pid, root, started.pid)
    except OSError as error:
        why = started.discard()
        if cgroup is not None:
            cgroup.remove()
        clean_up()
        raise SandboxBroken(f"a sandboxed process ended while it was being prepared ({error}): {why}") from error
    process = LocalProcess(
        started,
        limits,
        watched=watched,
        cgroup=cgroup,
        wrapped=wrapped,
        memory_code=memory_code,
        kill_rest=kill_rest,
        clean_up=clean_up,
    )
    with suppress(OSError):  # when it is gone, its channel tells
        started.release()
    return process
