"""A container whose first process waits for its one order."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from time import monotonic, time
from typing import Any

from codeens_sandbox_backends.docker.door import Door
from codeens_sandbox_backends.docker.engine import Engine
from codeens_sandbox_backends.errors import SandboxBroken

_START_TIMEOUT_S = 30.0
_LOOK_EVERY_S = 0.2


class Container:
    """Its connection is its lifeline: when that is closed, all its processes end and the daemon removes it."""

    def __init__(self, engine: Engine, config: Callable[[Door], dict[str, Any]], orders: int) -> None:
        """Start one that takes so many orders, and wait until it waits.

        Raises:
            SandboxBroken: it could not be started, or ended at once; the message holds what it said.
        """
        self._engine = engine
        self.orders_left = orders
        self.since = time()
        door = Door()
        try:
            wanted = config(door)
            self.id, caller = _started(engine, wanted, door)
            if caller is None:
                raise SandboxBroken(f"a container ended at its start. It said: {_last_words(engine, wanted, door)}")
            self.control = caller
        finally:
            door.close()

    def is_waiting(self) -> bool:
        """Whether its first process is still there: it says nothing before it has an order."""
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        return not poll.poll(0)

    def discard(self) -> None:
        """End it, unused."""
        self.control.close()

    def remove(self) -> None:
        """Have the daemon end it. Raises `SandboxBroken` when it does not."""
        self._engine.remove(self.id)

    def was_out_of_memory(self) -> bool:
        """Whether the daemon saw it reach its memory bound."""
        return self._engine.was_out_of_memory(self.id, self.since)


def _started(engine: Engine, config: dict[str, Any], door: Door) -> tuple[str, socket.socket | None]:
    """A new container's id, and the connection on which it calls; none when it ended instead."""
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


def _last_words(engine: Engine, config: dict[str, Any], door: Door) -> str:
    """What a container that ends at its start writes: it is started once more, with its output kept."""
    kept = {"AutoRemove": False, "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}}}
    again, caller = _started(engine, {**config, "HostConfig": config["HostConfig"] | kept}, door)
    try:
        if caller is not None:
            caller.close()
        return engine.output(again) or "nothing"
    finally:
        engine.remove(again)
