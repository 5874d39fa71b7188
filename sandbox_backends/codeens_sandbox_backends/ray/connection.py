"""This process's one connection to a Ray cluster, and all that is used of Ray."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import anyio
from anyio import to_thread

from codeens_sandbox_backends.errors import SandboxUnavailable
from codeens_sandbox_backends.extras import installing_extra
from codeens_sandbox_backends.ray.node import NAME

ADDRESS_SETTING = "CODEENS_RAY_ADDRESS"
HERE = "local"
"""In place of an address: a Ray of this machine alone, started for this process."""
NAMESPACE = "codeens"
_REACHED_WITHIN_S = 5.0
_JOINED_WITHIN_S = 60.0
_LEFT_WITHIN_S = 5.0
_FIX = f"Start Ray there (`ray start --head`), and on this machine as a node of it, or correct {ADDRESS_SETTING}"
_log = logging.getLogger("codeens.ray")
_lock = threading.Lock()
_joined: list[str] = []


def address_from(environ: Mapping[str, str]) -> str:
    """Return the address of the cluster's head, HOST:PORT, or `local`.

    Raises:
        SandboxUnavailable: none is set, or it is none.
    """
    address = environ.get(ADDRESS_SETTING) or environ.get("RAY_ADDRESS") or ""
    if not address:
        fix = f"Set {ADDRESS_SETTING} to HOST:PORT of its head, or to {HERE!r} for a Ray of this machine alone"
        raise SandboxUnavailable(NAME, "no cluster is named", fix)
    return checked_address(address)


def checked_address(address: str) -> str:
    """Return an address as it is.

    Raises:
        SandboxUnavailable: it is none.
    """
    host, _, port = address.rpartition(":")
    if address != HERE and not (host and port.isdecimal() and "/" not in host):
        raise SandboxUnavailable(
            NAME, f"{address!r} is no address of a cluster", "Write HOST:PORT, as `ray start` says"
        )
    return address


async def join(address: str) -> Any:
    """Return Ray, connected to a cluster; a process can be in one at a time, and leaves it when it ends.

    Raises:
        SandboxUnavailable: Ray is not installed, or the cluster cannot be reached or is of another version.
    """
    if find_spec(NAME) is None:
        raise SandboxUnavailable(NAME, "Ray is not installed", installing_extra("ray"))
    try:
        with anyio.fail_after(_JOINED_WITHIN_S):
            return await to_thread.run_sync(_join, address, abandon_on_cancel=True)
    except TimeoutError:
        why = f"what answers at {address} did not let this process in within {_JOINED_WITHIN_S:g} s"
        raise SandboxUnavailable(NAME, why, _FIX) from None


def leave() -> None:
    """End the connection, where there is one; the cluster ends what this process had there."""
    if not _lock.acquire(timeout=_LEFT_WITHIN_S):
        return  # Ray still tries to reach a cluster, which nobody waits for any more
    try:
        if _joined:
            _joined.clear()
            import_module(NAME).shutdown()
    finally:
        _lock.release()


def _join(address: str) -> Any:
    with _lock:
        if _joined and _joined != [address]:
            why = f"this process is in the cluster at {_joined[0]} already"
            raise SandboxUnavailable(NAME, why, f"Leave it, or name {_joined[0]}")
        if address != HERE:
            _reach(address)
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        logging.getLogger(NAME).setLevel(logging.ERROR)
        ray = import_module(NAME)
        if not _joined:
            # What Ray tells of dead processes goes to standard output, which is for results.
            setattr(import_module("ray._private.worker"), "print_to_stdstream", _note)  # noqa: B010  # it is not typed
            started = {"include_dashboard": False} if address == HERE else {}
            _init(ray, address, started)
            _joined.append(address)
        return ray


def _init(ray: Any, address: str, started: Mapping[str, Any]) -> None:
    try:
        ray.init(
            address=address,
            namespace=NAMESPACE,
            log_to_driver=False,
            logging_level="ERROR",
            configure_logging=False,
            **started,
        )
    except Exception as error:  # Ray raises that itself where its own processes did not start in time
        why = " ".join(str(error).split())[:500]
        if address == HERE:
            fix = "Try again when this machine has less to do, or name a cluster that runs"
            raise SandboxUnavailable(NAME, f"Ray does not start on this machine: {why}", fix) from error
        fix = "Use the versions of the cluster here" if "ersion mismatch" in why else _FIX
        raise SandboxUnavailable(NAME, f"the cluster at {address} refuses this process: {why}", fix) from error


def _reach(address: str) -> None:
    """Try the address first: Ray itself tries for minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _REACHED_WITHIN_S).close()
    except OSError as error:
        raise SandboxUnavailable(NAME, f"no cluster answers at {address} ({error})", _FIX) from None


def _note(data: Mapping[str, Any], ignore_prefix: bool) -> None:
    del ignore_prefix
    _log.info("%s", "\n".join(map(str, data.get("lines", ()))))
