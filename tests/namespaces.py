"""A Ray cluster whose nodes have networks of their own, as machines have; one can be cut off while it runs on."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tests.clusters import ENVIRONMENT, quick_imports, why_no_cluster

_RAY = (sys.executable, "-c", "from ray.scripts.scripts import main; main()", "start", "--block")
_NODE = ("--object-store-memory", str(80 << 20), "--disable-usage-stats", "--include-dashboard", "false")
_WITHIN_S = 100.0
_JOINED = """
import sys, time, ray
ray.init(address=sys.argv[1], logging_level="ERROR")
while sum(node["Alive"] for node in ray.nodes()) < int(sys.argv[2]):
    time.sleep(0.1)
"""


def why_no_namespaces() -> str:
    """Why no such cluster can be started here; empty when one can."""
    if reason := why_no_cluster():
        return reason
    if os.geteuid() or not shutil.which("ip"):
        return "only root can make network namespaces, with `ip`"
    try:
        with _network(f"probe{os.getpid()}", 0):
            return ""
    except subprocess.CalledProcessError as error:
        return f"network namespaces cannot be made here: {error.stderr.decode().strip()}"


class NetworkCluster:
    """A head that judges nothing, on a bridge of this machine, and nodes with a core each behind it."""

    def __init__(self, name: str, address: str, environ: dict[str, str]) -> None:
        self._name = name
        self.address = address
        self.environ = environ
        """Of processes that are to find it."""

    def cut_off(self, number: int) -> None:
        """Take a node's network away; its processes run on."""
        _ip("link", "set", f"{self._name}v{number}", "down")


@contextmanager
def started_cluster_of_networks(nodes: int) -> Generator[NetworkCluster]:
    """Start a cluster, whose nodes are numbered from 0 on."""
    name, net = f"cn{os.getpid()}", f"10.231.{os.getpid() % 250}"
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
        environ = {**os.environ, **ENVIRONMENT, "PYTHONPATH": quick_imports(folder)}
        held.enter_context(_bridge(name, f"{net}.254"))
        address = f"{net}.254:{_free_port(f'{net}.254')}"
        head = (*_RAY, "--head", "--node-ip-address", f"{net}.254", "--port", address.rpartition(":")[2])
        held.enter_context(_running((*head, "--num-cpus", "0", *_NODE), environ))
        _answers(address)
        for number in range(nodes):
            own = f"{net}.{number + 1}"
            held.enter_context(_network(name, number, own))
            node = (*_RAY, "--address", address, "--node-ip-address", own, "--num-cpus", "1", *_NODE[:3])
            held.enter_context(_running(("ip", "netns", "exec", f"{name}n{number}", *node), environ))
        joined = [sys.executable, "-c", _JOINED, address, str(1 + nodes)]
        subprocess.run(joined, env=environ, check=True, timeout=_WITHIN_S)
        yield NetworkCluster(name, address, {**environ, "CODEENS_RAY_ADDRESS": address})


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@contextmanager
def _bridge(name: str, address: str) -> Generator[None]:
    _ip("link", "add", name, "type", "bridge")
    try:
        _ip("addr", "add", f"{address}/24", "dev", name)
        _ip("link", "set", name, "up")
        yield
    finally:
        _ip("link", "del", name)


@contextmanager
def _network(name: str, number: int, address: str = "") -> Generator[None]:
    """A namespace with a loopback device; with an address also with a cable to the bridge."""
    namespace, near = f"{name}n{number}", f"{name}v{number}"
    _ip("netns", "add", namespace)
    try:
        _ip("-n", namespace, "link", "set", "lo", "up")
        if address:
            _ip("link", "add", near, "type", "veth", "peer", "name", "eth0", "netns", namespace)
            _ip("link", "set", near, "master", name, "up")
            _ip("-n", namespace, "addr", "add", f"{address}/24", "dev", "eth0")
            _ip("-n", namespace, "link", "set", "eth0", "up")
        yield
    finally:
        _ip("netns", "del", namespace)


@contextmanager
def _running(command: tuple[str, ...], environ: dict[str, str]) -> Generator[None]:
    """Run it in a session of its own, which ends with the block, whatever it has started."""
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            yield
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()


def _free_port(host: str) -> int:
    with socket.create_server((host, 0)) as server:
        return server.getsockname()[1]


def _answers(address: str) -> None:
    """Wait until a server answers there.

    Raises:
        OSError: none did.
    """
    host, _, port = address.rpartition(":")
    until = time.monotonic() + _WITHIN_S
    while True:
        try:
            socket.create_connection((host, int(port)), 1.0).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)  # there is nothing else to wait for
        else:
            return
