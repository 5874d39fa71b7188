"""Attempts to reach what is outside, held against what the outside saw of them."""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import anyio
from anyio import to_thread

from codeens_sandbox_backends import worker
from codeens_sandbox_backends.selfcheck import attempting
from codeens_sandbox_backends.selfcheck.attempting import attempt
from codeens_sandbox_backends.selfcheck.checks import NOT_TRIED, CheckContext, SelfCheck
from codeens_sandbox_backends.selfcheck.outside import (
    VARIABLE,
    OutsideWorld,
    new_secret,
    processes_with,
    remove_left,
    started_at,
)
from codeens_sandbox_backends.selfcheck.segment import SIZE, new_key, remove

_WORKER = Path(worker.__file__).parent.resolve()
_SYSTEM_FILES = ("/etc/shadow", "/etc/gshadow", "/etc/passwd", "/etc/machine-id", "/etc/ssh/ssh_host_ed25519_key")
_SHARED_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm", "/run", "/etc", "/usr/lib", "/usr/local/bin", "/root", "/home", "/")  # noqa: S108  # where a file must not appear
_VISIT_PAUSE_S = 0.05
_GONE_S = 5.0

Seen = Callable[[OutsideWorld], str]
Arguments = Callable[[OutsideWorld], tuple[object, ...]]


def _nothing(_: OutsideWorld) -> str:
    return ""


def _no_arguments(_: OutsideWorld) -> tuple[object, ...]:
    return ()


def _escape(name: str, area: str, function: str, given: Arguments = _no_arguments, seen: Seen = _nothing) -> SelfCheck:
    """Return a check whose attempt must reach nothing, by what it says and by what is seen outside."""

    async def run(context: CheckContext) -> str:
        reached = await attempt(context.sandbox, area, function, *given(context.outside))
        said = "; ".join(reached)
        return context.outside.told(said) or said or seen(context.outside)

    return SelfCheck(name=name, kind="escape", run=run)


def _bystander(outside: OutsideWorld) -> tuple[object, ...]:
    return outside.bystander.pid, started_at(outside.bystander.pid)


def _judge(_: OutsideWorld) -> tuple[object, ...]:
    return os.getpid(), started_at(os.getpid())


async def _system_files(context: CheckContext) -> str:
    """Compare contents: a file inside may have the name of one outside without being it."""
    for line in await attempt(context.sandbox, "files", "digests", list(_SYSTEM_FILES)):
        path, _, digest = line.rpartition(" ")
        if _digest(path) in {digest, None}:
            return f"{path or line} of this machine can be read"
    return ""


def _digest(path: str) -> str | None:
    """None where it is not known; empty where there is no such file."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except FileNotFoundError:
        return ""
    except OSError:
        return None


async def _create(context: CheckContext) -> str:
    if not context.sandbox.isolation.filesystem:
        return NOT_TRIED
    outside = context.outside
    own = [sys.prefix, sys.base_prefix, str(_WORKER), *sys.path]
    places = [str(outside.home), str(outside.workspace), *_SHARED_FOLDERS, *own]
    said = await attempt(context.sandbox, "files", "create", places, outside.marker)
    return "; ".join(said) or outside.created_files(places)


async def _listen(context: CheckContext) -> str:
    """Have code inside wait on a port, and call there from this process."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    said: list[str] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_visit, port)
        said = await attempt(context.sandbox, "network", "listen", port)
        tasks.cancel_scope.cancel()
    return "; ".join(said)


async def _visit(port: int) -> None:
    while True:
        with suppress(OSError):
            async with await anyio.connect_tcp("127.0.0.1", port) as visitor:
                await visitor.receive()
        await anyio.sleep(_VISIT_PAUSE_S)


async def _environment(context: CheckContext) -> str:
    said = "\n".join(await attempt(context.sandbox, "inherited", "environment"))
    return context.outside.told(said) or ("it has the variable" if VARIABLE in said else "")


async def _stay(context: CheckContext) -> str:
    marker = new_secret().replace("codeens", "staying")
    said = await attempt(context.sandbox, "processes", "stay", marker)
    if said:
        return "; ".join(said)
    left = await to_thread.run_sync(processes_with, marker)
    return f"{len(left)} processes outlived the job" if left else ""


async def _later_job(context: CheckContext) -> str:
    """Have one job leave a secret wherever it can, and the next look for it."""
    secret, key = new_secret(), new_key()
    try:
        await attempt(context.sandbox, "inherited", "leave", secret, key, context.outside.marker)
        said = "; ".join(await attempt(context.sandbox, "inherited", "find", key))
    finally:
        on_host = remove(key)
        remove_left(context.outside.marker)
    if secret in said:
        return f"an earlier job's secret was found: {said}"
    return "a segment of shared memory outlived the job" if on_host else ""


async def _marks(context: CheckContext) -> str:
    """Have one job lock and mark what it was given, and look at that from outside and from the next."""
    paths = [os.devnull, sys.executable]
    await attempt(context.sandbox, "marks", "mark", paths)
    locked = [path for path in paths if _is_locked(path)]
    if locked:
        return f"a lock outlived the job: {locked[0]}"
    return "; ".join(await attempt(context.sandbox, "marks", "marked"))


def _is_locked(path: str) -> bool:
    with Path(path).open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


async def _other_job(context: CheckContext) -> str:
    """Do the same while the first job still runs."""
    secret, key = new_secret(), new_key()
    said: list[str] = []
    try:
        async with anyio.create_task_group() as tasks:
            waiting = attempting.program("inherited", "leave_and_wait")
            tasks.start_soon(
                lambda: attempting.outcome_of(
                    context.sandbox, waiting, secret, key, context.outside.marker, limits=attempting.LONG_LIMITS
                )
            )
            for _ in range(_LOOKS):
                await anyio.sleep(_BETWEEN_LOOKS_S)
                said += await attempt(context.sandbox, "inherited", "find", key)
                said += await attempt(context.sandbox, "processes", "look", ["cmdline", "environ", "mem", "fd"])
                if secret in "; ".join(said):
                    break
            tasks.cancel_scope.cancel()
    finally:
        remove(key)
        remove_left(context.outside.marker)
    return f"another job's secret was found: {'; '.join(said)}" if secret in "; ".join(said) else ""


_LOOKS, _BETWEEN_LOOKS_S = 3, 1.5
"""The other job has to be loaded first, which takes seconds on a busy machine."""

ESCAPES: tuple[SelfCheck, ...] = (
    _escape("read a file of the home folder", "files", "read", lambda o: (str(o.secret_file),)),
    SelfCheck(name="read /etc/shadow and other files of the system", kind="escape", run=_system_files),
    SelfCheck(name="create files outside", kind="escape", run=_create),
    _escape(
        "change a file of the home folder", "files", "change", lambda o: (str(o.kept_file),), OutsideWorld.changed_files
    ),
    _escape(
        "change a file of the workspace",
        "files",
        "change",
        lambda o: (str(o.workspace / "kept.txt"),),
        OutsideWorld.changed_files,
    ),
    _escape("follow links out of the workspace", "files", "follow", lambda o: (str(o.workspace),)),
    _escape("TCP", "network", "tcp", lambda o: (o.tcp.getsockname()[1],), lambda o: o.visited(o.tcp)),
    SelfCheck(name="listen for TCP", kind="escape", run=_listen),
    _escape("UDP", "network", "udp", lambda o: (o.udp.getsockname()[1],), lambda o: o.visited(o.udp)),
    _escape("unix socket", "network", "unix", lambda o: (o.unix_path,), lambda o: o.visited(o.unix)),
    _escape("abstract socket", "network", "unix", lambda o: (o.abstract_name,), lambda o: o.visited(o.abstract)),
    _escape("DNS", "network", "names"),
    _escape("raw, packet and virtual machine sockets", "network", "raw"),
    _escape("see a process outside", "processes", "visible", _bystander),
    _escape("see the judge", "processes", "visible", _judge),
    _escape("signal the judge, its parent", "processes", "prod", _judge),
    _escape("read arguments of other processes", "processes", "look", lambda _: (["cmdline"],)),
    _escape("read environments of other processes", "processes", "look", lambda _: (["environ"],)),
    _escape("read memory of other processes", "processes", "look", lambda _: (["mem"],)),
    _escape("reach files through other processes", "processes", "go_through", lambda o: (str(o.secret_file),)),
    _escape("read open files of other processes", "processes", "look", lambda _: (["fd"],)),
    SelfCheck(name="keep a process alive", kind="escape", run=_stay),
    SelfCheck(name="the environment of codeens", kind="escape", run=_environment),
    _escape("inherited descriptors", "inherited", "descriptors"),
    _escape("shared memory", "inherited", "shared_memory", lambda o: (o.segment.key, SIZE)),
    SelfCheck(name="what an earlier job left", kind="escape", run=_later_job),
    SelfCheck(name="locks and flags that an earlier job left", kind="escape", run=_marks),
    SelfCheck(name="a job that runs beside", kind="escape", run=_other_job, alone=True),
    _escape("mount", "kernel", "mount"),
    _escape("namespaces", "kernel", "namespaces"),
    _escape("chroot", "kernel", "chroot"),
    _escape("privileges and setuid programs", "kernel", "privileges"),
    _escape("the kernel's keyring", "kernel", "keyring"),
    _escape("io_uring", "kernel", "io_uring"),
    _escape("performance events, bpf, userfaultfd", "kernel", "watch"),
    _escape("restart, modules, another kernel, the clock", "kernel", "power"),
    _escape("devices", "kernel", "devices"),
    _escape("files that control the kernel", "kernel", "controls"),
    _escape("terminals", "kernel", "terminal", lambda o: (o.terminal_name,), OutsideWorld.typed),
    _escape("trace a process outside", "processes", "trace", _bystander, OutsideWorld.bystander_ended),
    _escape("signal a process outside", "processes", "signals", _bystander, OutsideWorld.bystander_ended),
)
