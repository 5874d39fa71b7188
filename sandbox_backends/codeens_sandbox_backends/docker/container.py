"""A container whose first process waits for its one order."""

from __future__ import annotations

import os
import select
import shutil
import socket
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic, time
from typing import Any

from codeens_sandbox_backends.docker.engine import DockerClient
from codeens_sandbox_backends.errors import SandboxBroken
from codeens_sandbox_backends.owner import whereabouts

_START_TIMEOUT_S = 30.0
_LOOK_EVERY_S = 0.2


class Container:
    """Its connection is its lifeline: when that is closed, all its processes end and the daemon removes it."""

    def __init__(self, engine: DockerClient, config: Callable[[CallerSocket], dict[str, Any]], orders: int) -> None:
        """Start one that takes so many orders, and wait until it waits.

        Raises:
            SandboxBroken: it could not be started, or ended at once; the message holds what it said.
        """
        self._engine = engine
        self.orders_left = orders
        self.since = time()
        door = CallerSocket()
        try:
            wanted = config(door)
            self.id, caller = _started(engine, wanted, door)
            if caller is None:
                raise SandboxBroken(f"a container ended at its start. It said: {_last_words(engine, wanted, door)}")
            self.control = caller
        finally:
            door.close()

    @property
    def dead(self) -> bool:
        """Whether its first process no longer waits for an order: it says nothing before it has one."""
        if self.control.fileno() < 0:
            return True
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        return bool(poll.poll(0))

    def end(self) -> None:
        """End it; safe to call again."""
        self.control.close()

    def remove(self) -> None:
        """Have the daemon end it. Raises `SandboxBroken` when it does not."""
        self._engine.remove(self.id)

    def was_out_of_memory(self) -> bool:
        """Return whether the daemon saw it reach its memory bound."""
        return self._engine.was_out_of_memory(self.id, self.since)


def _started(engine: DockerClient, config: dict[str, Any], door: CallerSocket) -> tuple[str, socket.socket | None]:
    """Return a new container's id, and the connection on which it calls; none when it ended instead."""
    made = engine.start(config)
    deadline = monotonic() + _START_TIMEOUT_S
    try:
        while monotonic() < deadline:
            caller = door.caller(_LOOK_EVERY_S)
            if caller is not None or not engine.is_running(made):
                return made, caller
    except BaseException:
        engine.remove(made)
        raise
    engine.remove(made)
    raise SandboxBroken(
        "a container started and did not call back: the daemon does not share this machine's file system, "
        "or the runtime does not allow unix sockets of the host (gVisor: --host-uds=open)"
    )


def _last_words(engine: DockerClient, config: dict[str, Any], door: CallerSocket) -> str:
    """Start a container that ends at its start once more, with its output kept, and return that output."""
    kept = {"AutoRemove": False, "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}}}
    again, caller = _started(engine, {**config, "HostConfig": config["HostConfig"] | kept}, door)
    try:
        if caller is not None:
            caller.close()
        return engine.output(again) or "nothing"
    finally:
        engine.remove(again)


SOCKET_NAME = "socket"


class CallerSocket:
    """A socket that waits for one caller. Close it when done."""

    def __init__(self) -> None:
        self._parent = Path(tempfile.mkdtemp(prefix="codeens-"))
        self.folder = self._parent / "door"
        self.closed_file = self._parent / "closed"
        """A file that nobody but its owner can open."""
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.folder.mkdir(mode=0o755)
            self.folder.chmod(0o755)
            self.closed_file.touch(mode=0)
            _bind(self._listener, self.folder)
            (self.folder / SOCKET_NAME).chmod(0o666)  # the container's user is nobody of this machine
            self._listener.listen(1)
        except BaseException:
            self.close()
            raise

    def caller(self, timeout: float) -> socket.socket | None:
        """Return the caller's connection; None if nobody called within `timeout` seconds."""
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        return self._listener.accept()[0] if poll.poll(timeout * 1000) else None

    def close(self) -> None:
        """Stop listening and remove the folder; a connection stays."""
        self._listener.close()
        shutil.rmtree(self._parent, ignore_errors=True)


def _bind(listener: socket.socket, folder: Path) -> None:
    """Bind through a descriptor: a socket's address has room for about a hundred bytes, a folder's path is longer."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        listener.bind(f"/proc/self/fd/{descriptor}/{SOCKET_NAME}")
    finally:
        os.close(descriptor)


SANDBOX_LABEL = "codeens.sandbox"
OWNER_LABEL = "codeens.owner"


def remove_orphans(engine: DockerClient) -> None:
    """Remove containers of codeens processes that are gone; containers of others, and of living ones, stay."""
    for container in engine.listed(OWNER_LABEL):
        if _is_orphan(container.labels[OWNER_LABEL], running=container.running):
            with suppress(SandboxBroken):  # tried again by the next one
                engine.remove(container.id)


def _is_orphan(label: str, *, running: bool) -> bool:
    """Return whether its owner is known to be gone; if that cannot be told, only an ended one is an orphan."""
    where = whereabouts(label)
    return where == "gone" or (where == "another boot" and not running)
